// What the library says, in Chinese: sentences by their English form (see translate() of onnx-ptq),
// helps of options by name.

/** {0}, {1}, … stand where the parameters go. */
export const libraryForms: Readonly<Record<string, string>> = {
  // Why a node stays float.
  'its input is not quantized': '其输入未量化',
  'its integer form needs opset {0} or newer': '其整数形式需要 opset {0} 或更高版本',
  'it has dilations, which its integer form lacks': '它使用了空洞(dilations)，整数形式不支持',
  "it is in a body of {0} '{1}'": '它位于 {0}“{1}”的子图中',
  'no node of the graph reads it': '图中没有节点读取它',
  '{0} takes it as floats': '{0} 以浮点读取它',
  'AddQDQPairToWeight keeps it': 'AddQDQPairToWeight 使其保持浮点',
  "its tensor '{0}' was empty or NaN in every sample": '其张量“{0}”在所有样本中为空或 NaN',
  'it reads quantized data already': '它读取的数据已经量化',
  'onnxruntime would fuse it into QLinearConcat, which has no float16 form':
    'onnxruntime 会将其融合为 QLinearConcat，而后者没有 float16 形式',
  '{0} has no float8 form': '{0} 没有 float8 形式',
  "its tensor '{0}' holds a mask, a constant that stands for infinity":
    '其张量“{0}”是掩码：含有代表无穷大的常量',
  "its tensor '{0}' was infinite in a sample": '其张量“{0}”在某个样本中出现无穷大',
  "its constant '{0}' holds infinity, or nothing but NaN": '其常量“{0}”含有无穷大，或全部为 NaN',
  "its tensor '{0}' is part of what the model quantizes at run time":
    '其张量“{0}”由模型在运行时自行量化',
  'it has no float tensors': '它没有浮点张量',
  'float16 has no integer form in the QOperator format; QDQ has one':
    'float16 在 QOperator 格式中没有整数形式；QDQ 格式有',
  'Where is quantized only with ForceQuantizeNoInputCheck':
    '只有启用 ForceQuantizeNoInputCheck 才会量化 Where',
  "its bias '{0}' does not fit int32 with the scales of its input and its weight":
    '按输入和权重的缩放系数，其偏置“{0}”超出 int32 范围',
  'the range of its input reaches past its bounds': '其输入的范围超出了它的上下界',
  'TensorQuantOverrides give its tensors types that no kernel takes together':
    'TensorQuantOverrides 为其张量指定的类型组合没有内核支持',
  'op type {0} has no integer form in the QOperator format':
    '算子 {0} 在 QOperator 格式中没有整数形式',
  "tensor '{0}' has no tensor range": '张量“{0}”没有校准范围',
  "its input '{0}' is quantized per channel for another node": '其输入“{0}”已为另一节点按通道量化',
  "its input '{0}' is quantized already": '其输入“{0}”已经量化',
  "TensorQuantOverrides give its input '{0}' an axis that its integer form does not have":
    'TensorQuantOverrides 为其输入“{0}”指定的轴，其整数形式并不支持',
  "its input '{0}' is not float": '其输入“{0}”不是浮点',
  'its input may be empty, at which QLinearSoftmax fails':
    '其输入可能为空，QLinearSoftmax 会因此失败',
  'its data is not an initializer': '其数据不是初始值(initializer)',
  'its alpha is 0': '其 alpha 为 0',
  "its bias '{0}' is not a float initializer": '其偏置“{0}”不是浮点初始值',
  'its bias does not have one value a channel': '其偏置不是每通道一个值',
  'its pad value is not float': '其填充值不是浮点',
  'its pad value is not one number': '其填充值不是单个数',
  'its pad value lies outside the range of its input': '其填充值超出输入的范围',
  'it has three outputs, its integer form two': '它有三个输出，整数形式只有两个',
  'it has no table that could be quantized': '它没有可以量化的表',

  // Notes about a run.
  'auto took, by number of tensors, {0}.': 'auto 选用的方法（按张量数）：{0}。',
  '{0} of {1} tensors have a range that cuts values off, {2} of them by more than 10 % of where their values lie.':
    '{1} 个张量中有 {0} 个的范围截断了部分数值，其中 {2} 个截断超过取值区间的 10%。',
  '{0} graph inputs with a default value became constants.': '{0} 个带默认值的图输入变为常量。',
  'Shape inference stopped early: {0}': '形状推断提前中止：{0}',
  "The model's own function '{0}' was not inlined: {1}": '模型自带的函数“{0}”未能内联：{1}',
  'Nearest-neighbour {0} of opset 10 or less is taken to round down; the old opset left this open.':
    'opset 10 及更早的最近邻 {0} 按向下取整处理；旧版 opset 对此没有规定。',
  'The passes still found something to change after {0} rounds and were stopped.':
    '优化在 {0} 轮之后仍有改动，已停止。',
  "TensorQuantOverrides of '{0}' has no effect: {1}.":
    '“{0}”的 TensorQuantOverrides 没有作用：{1}。',
  'The model is quantized already, at least in part: {0} of its {1} nodes are quantization operators. They stay as they are, and so does what reads their integers.':
    '模型已经量化，至少部分量化：{1} 个节点中有 {0} 个是量化算子。它们以及读取其整数的节点保持不变。',
  'The node stays float: {0}.': '该节点保持浮点：{0}。',
  'The tensor was empty or NaN in every sample, so what makes or reads it stays float.':
    '该张量在所有样本中为空或 NaN，因此产生或读取它的节点保持浮点。',
  'The bias stays float: {0}': '偏置保持浮点：{0}',
  'onnxruntime cannot load the float model either: the result was not verified':
    'onnxruntime 连浮点模型也无法加载：结果未经验证',
  'the tensor is not quantized': '该张量未被量化',
  "it takes the parameters of '{0}'": '它使用“{0}”的参数',
  "no node reads input '{0}': what samples have for it is without effect":
    '没有节点读取输入“{0}”：样本中的这部分数据不起作用',
  "output '{0}' is {1} for every sample": '输出“{0}”对所有样本都是 {1}',
  'the samples are probably not preprocessed as in training: 0 to 255 instead of 0 to 1, or the other way round':
    '样本的预处理可能与训练时不同：例如用了 0 到 255 而不是 0 到 1，或者相反',
  'the samples are probably not what the model was trained on': '样本可能不是模型训练所用的数据',
  'WebGPU gives other results than WebAssembly, which is used instead: {0}':
    'WebGPU 的结果与 WebAssembly 不同，改用后者：{0}',
  '{0}: more than memory_budget ({1}), as the model and its largest tensor need it':
    '{0}：超过 memory_budget（{1}），模型及其最大张量需要这么多',
  'no repair was tried: {0} samples could be held out to compare with, and it takes 2':
    '未尝试修复：只能留出 {0} 个样本用于比较，至少需要 2 个',
  'give 6 samples or more; from 24 on 8 are held out': '请提供 6 个以上样本；从 24 个起会留出 8 个',
  '{0} samples cannot be used; the first: {1}': '{0} 个样本无法使用；第一个：{1}',
  '{0} of samples could not be used: {1}{2}; the first: {3}': '{0}无法使用：{1}{2}；第一个：{3}',
  'the result runs in onnxruntime-web with graphOptimizationLevel "basic" only; with "all": {0}':
    '结果在 onnxruntime-web 中只能以 graphOptimizationLevel "basic" 运行；用 "all" 时：{0}',
  'other runtimes may run it as it is': '其他运行时也许能直接运行',
  'the model draws random numbers ({0}), so its outputs are others at every run: the comparison cannot tell how good the result is':
    '模型使用随机数（{0}），每次运行的输出都不同：比较无法说明结果的好坏',

  // Errors and hints.
  'The model file is empty.': '模型文件为空。',
  'Not a valid ONNX model: {0}{1}.': '不是有效的 ONNX 模型：{0}{1}。',
  'Not a valid ONNX model: its protobuf cannot be parsed.':
    '不是有效的 ONNX 模型：无法解析其 protobuf。',
  'The file is not an ONNX model but {0}.': '该文件不是 ONNX 模型，而是 {0}。',
  'The file holds no graph: it is not an ONNX model.': '文件中没有计算图：它不是 ONNX 模型。',
  'The file was cut short, as by a download that broke off: fetch it again.':
    '文件不完整，可能是下载中断：请重新获取。',
  'Check that it is a complete ONNX file in the binary format (.onnx).':
    '请确认它是完整的二进制 ONNX 文件（.onnx）。',
  'The model uses opset {0}; supported are {1} to {2}.': '模型使用 opset {0}；支持 {1} 到 {2}。',
  'The model keeps weights in the file "{0}", which was not given.':
    '模型的权重在文件“{0}”中，而该文件没有提供。',
  'Give it together with the model, under the same name.': '请以相同的文件名与模型一起提供。',
  'The {0} node "{1}" computes in bfloat16, for which onnxruntime has no kernels.':
    '{0} 节点“{1}”以 bfloat16 计算，onnxruntime 没有对应内核。',
  'Export the model in float32; weights may be bfloat16, cast where they are read.':
    '请以 float32 导出模型；权重可以是 bfloat16，在读取处转换。',
  "{0}: the model has no node named '{1}'": '{0}：模型中没有名为“{1}”的节点',
  "{0}: there is no op type '{1}'": '{0}：没有算子类型“{1}”',
  '{0}: expected {1} but received {2}': '{0}：应为 {1}，但收到 {2}',
  '{0}{1} has no effect with calibrate_method {2}': '{0}{1} 在 calibrate_method {2} 下不起作用',
  'extra option {0} has no effect with quant_format {1}':
    '附加选项 {0} 在 quant_format {1} 下不起作用',
  '{0} with quant_format QOperator: the quantized operators take 8 bits only{1}':
    '{0} 与 quant_format QOperator：量化算子只支持 8 位{1}',
  'QInt8 activations with QUInt8 weights are supported by no runtime':
    '没有运行时支持 QInt8 激活与 QUInt8 权重的组合',
  'activations of {0} with weights of {1} are supported by no runtime':
    '没有运行时支持 {0} 激活与 {1} 权重的组合',
  'there is nothing to calibrate with': '没有可用于校准的数据',
  'the calibration data reader gave no sample': '没有读到任何样本',
  'one sample is enough; 100 typical ones are good': '一个样本即可；100 个典型样本较好',
  'images fit only a model with one input; this one has {0}: {1}':
    '图片只适用于单输入模型；此模型有 {0} 个输入：{1}',
  "the model's input {0} does not take images (1, 3 or 4 channels of float or uint8)":
    '模型输入 {0} 不接受图片（1、3 或 4 通道的浮点或 uint8）',
  '{0}: it has no operator {1} of domain {2}': '{0}：它没有域 {2} 的算子 {1}',
  'samples are run through the float model, so each of its operators must be one that onnxruntime has: export the model without it, or as a function of others':
    '校准要在浮点模型上运行样本，因此每个算子都必须是 onnxruntime 支持的：请导出不含该算子的模型，或将其导出为由其他算子组成的函数',
  'no samples in {0}': '{0} 中没有样本',
  '{0} is not a readable {1}: {2}': '{0} 不是可读的 {1}：{2}',
  'the image is too large': '图片过大',
  '{0}: there is not enough memory': '{0}：内存不足',
  'the core has no memory': '核心模块内存不足',
  'the core stopped: {0}': '核心模块停止运行：{0}',
  'the worker stopped: {0}': '后台线程停止运行：{0}',
  'the session is closed': '会话已关闭',
  'there is no sample {0} to compare with': '没有可用于比较的样本 {0}',
  'nothing was written; please report this model': '没有写入任何文件；请反馈此模型',
};
