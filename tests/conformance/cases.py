"""What is quantized with which parameters (the reference's names), and where we mean to differ.

Every graph and every real model goes through MATRIX; OPTION_CASES add single options.
"""

MATRIX = [
    {
        'quant_format': quant_format,
        'activation_type': activation,
        'weight_type': weight,
        'per_channel': per_channel,
    }
    for quant_format in ('QOperator', 'QDQ')
    for activation, weight in (('QUInt8', 'QUInt8'), ('QUInt8', 'QInt8'), ('QInt8', 'QInt8'))
    for per_channel in (False, True)
]


def label(params):
    """A short name of a case, unique within its graph."""
    short = {'QUInt8': 'U8', 'QInt8': 'S8'}
    parts = [
        params['quant_format'],
        short[params['activation_type']] + short[params['weight_type']],
        'per-channel' if params['per_channel'] else 'per-tensor',
    ]
    for key, value in params.items():
        if key == 'extra_options':
            parts += [f'{option}={value[option]}' for option in value]
        elif key not in MATRIX[0]:
            parts.append(f'{key}={value}')
    return ' '.join(parts)


def options(graph, quant_formats, types=('QUInt8', 'QInt8'), per_channel=(False, True), **changes):
    activation, weight = types
    for quant_format in quant_formats:
        for channels in per_channel:
            params = {
                'quant_format': quant_format,
                'activation_type': activation,
                'weight_type': weight,
                'per_channel': channels,
            }
            yield graph, params | changes


def extra(graph, quant_formats, name, value, **more):
    return options(graph, quant_formats, extra_options={name: value}, **more)


BOTH = ('QOperator', 'QDQ')
QDQ = ('QDQ',)
U8U8 = ('QUInt8', 'QUInt8')
S8S8 = ('QInt8', 'QInt8')

OPTION_CASES = [
    # Which nodes
    *options('network', BOTH, nodes_to_exclude=['depth_node', 'logits_node']),
    *options('network', BOTH, nodes_to_quantize=['stem_node', 'stem_relu_node', 'sum_node']),
    *options('network', BOTH, op_types_to_quantize=['Conv', 'Gemm']),
    *options('network', BOTH, op_types_to_quantize=['Conv', 'Add', 'Relu', 'Clip']),
    *options('other_operators_between', QDQ, op_types_to_quantize=['Conv', 'Tanh', 'Sub']),
    *options('unnamed_nodes', BOTH, op_types_to_quantize=['Relu', 'Gemm']),
    *options('residual', BOTH, nodes_to_exclude=['sr_node', 'a_node']),
    *options('concat_of_convs', BOTH, nodes_to_exclude=['c_node']),
    # Types, ranges and symmetry
    *options('network', BOTH, reduce_range=True),
    *options('network', BOTH, types=U8U8, reduce_range=True),
    *options('matmul_add', BOTH, types=S8S8, reduce_range=True),
    *options('gemm', BOTH, types=U8U8, reduce_range=True),
    *extra('network', BOTH, 'ActivationSymmetric', True),
    *extra('network', BOTH, 'ActivationSymmetric', True, types=S8S8),
    *extra('gemm_relu_gemm', BOTH, 'ActivationSymmetric', True, types=S8S8),
    *extra('network', BOTH, 'WeightSymmetric', True, types=U8U8),
    *extra('network', BOTH, 'WeightSymmetric', False),
    *extra('add_constant', BOTH, 'WeightSymmetric', False, types=S8S8),
    *extra('add_constant', BOTH, 'ActivationSymmetric', True, types=S8S8),
    *extra('network', BOTH, 'ActivationRestrictedAsymmetric', True, types=U8U8),
    *extra('conv_relu', BOTH, 'ActivationRestrictedAsymmetric', True),
    *extra('network', BOTH, 'MinimumRealRange', 0.25),
    *extra('small_values_float16', QDQ, 'MinimumRealRange', 0.001),
    # QOperator and both
    *extra('movement_of_input', QDQ, 'ForceQuantizeNoInputCheck', True),
    *extra('max_pool_alone', QDQ, 'ForceQuantizeNoInputCheck', True),
    *extra('gather_activation', QDQ, 'ForceQuantizeNoInputCheck', True),
    *extra('reshape_chain', QDQ, 'ForceQuantizeNoInputCheck', True),
    *extra('gather_table', BOTH, 'ForceQuantizeNoInputCheck', True),
    *extra('matmul_dynamic', ('QOperator',), 'MatMulConstBOnly', True),
    *extra('silu', ('QOperator',), 'extra.Sigmoid.nnapi', True),
    # QDQ only
    *extra('network', QDQ, 'AddQDQPairToWeight', True),
    *extra('residual', QDQ, 'DedicatedQDQPair', True),
    *extra('network', QDQ, 'DedicatedQDQPair', True),
    *extra('add_to_itself', QDQ, 'DedicatedQDQPair', True),
    *extra('output_is_read', QDQ, 'DedicatedQDQPair', True),
    *extra('concat', QDQ, 'DedicatedQDQPair', True),
    *extra('network', QDQ, 'QuantizeBias', False),
    *extra('network', QDQ, 'UseQDQContribOps', True),
    *extra('network', QDQ, 'QDQKeepRemovableActivations', True),
    *extra('conv_clip6', QDQ, 'QDQKeepRemovableActivations', True),
    *extra('tiny_bias_scale', QDQ, 'QDQDisableWeightAdjustForInt32Bias', True),
    *extra('network', QDQ, 'OpTypesToExcludeOutputQuantization', ['Conv', 'Gemm', 'Add']),
    *extra('reshape_chain', QDQ, 'OpTypesToExcludeOutputQuantization', ['Transpose']),
    *extra('conv_split', QDQ, 'OpTypesToExcludeOutputQuantization', ['Split']),
    *extra('matmul', QDQ, 'QDQOpTypePerChannelSupportToAxis', {'MatMul': 0}),
    *extra('matmul_rank3', QDQ, 'QDQOpTypePerChannelSupportToAxis', {'MatMul': -1}),
    *extra('conv_batch_norm', QDQ, 'QDQOpTypePerChannelSupportToAxis', {'BatchNormalization': 0}),
]


# float16 has no integer form: no runtime loads what the reference writes in the QOperator format (QLinearConv and its
# kind take float scales only), and we leave such nodes float.
QDQ_ONLY = {
    'conv_float16',
    'gemm_float16',
    'tiny_bias_scale_float16',
    'small_values_float16',
    'small_bias_float16',
}


def synthetic_cases(graph):
    """All parameter sets for one synthetic graph."""
    formats = QDQ if graph in QDQ_ONLY else BOTH
    matrix = [params for params in MATRIX if params['quant_format'] in formats]
    return matrix + [params for name, params in OPTION_CASES if name == graph]


# Where we mean to differ: the reference is wrong there. `id` is that of section 11 of the research notes where it has
# one, `nodes` says whether the node list differs, `initializers` names (as patterns) those that may.
DEVIATIONS = [
    {
        'graphs': ['gemm_beta'],
        'formats': BOTH,
        'id': 'D1',
        'why': 'Gemm computes beta * C; the reference quantizes C with beta in its scale and then drops beta.',
        'nodes': False,
        'initializers': ['b_quantized', 'b_quantized_scale'],
    },
    {
        'graphs': ['gemm_alpha'],
        'formats': ['QOperator'],
        'id': 'D1',
        'why': 'QGemm multiplies the int32 bias by alpha too, which the reference leaves out of its scale.',
        'nodes': False,
        'initializers': ['b_quantized'],
    },
    {
        'graphs': ['conv_relu_two_readers'],
        'formats': ['QOperator'],
        'id': 'D2',
        'why': 'The range of the Conv has negative values, which the dropped Relu no longer clips.',
        'nodes': True,
        'initializers': ['r_scale', 'r_zero_point'],
    },
    {
        'graphs': ['relu_relu'],
        'formats': ['QOperator'],
        'id': 'D2',
        'why': 'The range of the Conv is that of the Relu, which the dropped Clip no longer clips.',
        'nodes': True,
        'initializers': ['high'],
    },
    {
        'graphs': ['conv_clip_narrow'],
        'formats': BOTH,
        'id': 'D2',
        'why': 'With the zero point rounded, the lowest quantized value lies below the bound of the Clip.',
        'nodes': True,
        'initializers': ['low', 'high', 'c_scale', 'c_zero_point', 'r_scale', 'r_zero_point'],
    },
    {
        'graphs': ['matmul_rank3'],
        'formats': QDQ,
        'per_channel': True,
        'id': 'D12',
        'why': 'Axis 1 of a rank-3 weight is K, and no runtime takes a vector of scales there; we go per tensor.',
        'unless': 'QDQOpTypePerChannelSupportToAxis',
        'nodes': True,
        'initializers': ['w_quantized', 'w_scale', 'w_zero_point'],
    },
    {
        'graphs': ['matmul_constant_left'],
        'formats': QDQ,
        'per_channel': True,
        'id': 'D12',
        'why': 'Axis 1 of a constant left operand is K; we go per tensor.',
        'nodes': True,
        'initializers': ['w_quantized', 'w_scale', 'w_zero_point'],
    },
    {
        'graphs': ['matmul_rank3'],
        'formats': ['QOperator'],
        'per_channel': True,
        'id': 'D12',
        'why': 'QLinearMatMul takes a vector of scales at rank 2 only; we go per tensor.',
        'nodes': False,
        'initializers': ['w_quantized', 'w_scale', 'w_zero_point'],
    },
    {
        'graphs': ['matmul_vector'],
        'formats': ['QOperator'],
        'per_channel': True,
        'id': 'D12',
        'why': 'The only axis of a rank-1 weight is K, not the output channels; we go per tensor.',
        'nodes': False,
        'initializers': ['w_quantized', 'w_scale', 'w_zero_point'],
    },
    {
        'graphs': ['gemm_dynamic_bias'],
        'formats': ['QOperator'],
        'id': 'D23',
        'why': 'The bias is no initializer, so the Gemm stays float; the reference quantizes its weight all the same.',
        'nodes': True,
        'initializers': ['w', 'w_quantized', 'w_scale', 'w_zero_point'],
    },
    {
        'graphs': ['shared_bias', 'shared_bias_numbered'],
        'formats': ['QOperator'],
        'id': 'shared bias',
        'why': 'The scale of a bias belongs to one node; the reference gives later nodes what it made for the first.',
        'nodes': True,
        'initializers': ['*_quantized_[0-9]'],
    },
    {
        'graphs': ['relu_input_is_output'],
        'formats': ['QOperator'],
        'id': 'Relu input that is a graph output',
        'why': 'It is read unclipped too; the reference gives it the range of the Relu.',
        'nodes': True,
        'initializers': ['c_scale', 'c_zero_point'],
    },
    {
        'graphs': ['relu_input_is_output'],
        'formats': QDQ,
        'id': 'Relu input that is a graph output',
        'why': 'It is read unclipped too; the reference gives it the range of the Relu.',
        'nodes': False,
        'initializers': ['c_scale', 'c_zero_point'],
    },
    {
        'graphs': ['tiny_bias_scale', 'tiny_bias_scale_gemm'],
        'formats': ['QDQ', 'QOperator'],
        'weight_type': 'QUInt8',
        'id': 'E23',
        'why': 'The reference clips the bias; the scale of the weight is raised for it.',
        'nodes': False,
        'initializers': ['b_quantized', 'b_quantized_scale', 'w_quantized', 'w_scale'],
    },
    {
        'graphs': ['tiny_bias_scale'],
        'formats': ['QDQ'],
        'weight_type': 'QInt8',
        'with': 'QDQDisableWeightAdjustForInt32Bias',
        'id': 'E23',
        'why': 'The reference clips the bias; it stays float.',
        'nodes': True,
        'initializers': ['b', 'b_quantized', 'b_quantized_scale', 'b_quantized_zero_point'],
    },
    {
        'graphs': ['mobilenetv2-7'],
        'formats': ['QDQ', 'QOperator'],
        'per_channel': True,
        'weight_type': 'QUInt8',
        'id': 'E23',
        'why': 'The reference clips a bias; the scale of its weight is raised for it.',
        'nodes': False,
        'initializers': [
            '*bias_quantized',
            '*bias_quantized_scale',
            '*folded_quantized',
            '*folded_scale',
            '*weight_quantized',
            '*weight_scale',
        ],
    },
    {
        'graphs': ['efficientnet-lite0'],
        'formats': ['QDQ', 'QOperator'],
        'per_channel': True,
        'weight_type': 'QUInt8',
        'id': 'E23',
        'why': 'The reference clips a bias; the scale of its weight is raised for it.',
        'nodes': False,
        'initializers': ['onnx::Conv_*'],
    },
]


def deviation(graph, params):
    """The entry of DEVIATIONS for this case, or None."""
    for entry in DEVIATIONS:
        if (
            graph in entry['graphs']
            and params['quant_format'] in entry['formats']
            and entry.get('per_channel', params['per_channel']) == params['per_channel']
            and entry.get('weight_type', params['weight_type']) == params['weight_type']
            and entry.get('unless') not in params.get('extra_options', {})
            and ('with' not in entry or entry['with'] in params.get('extra_options', {}))
        ):
            return {key: entry[key] for key in ('id', 'why', 'nodes', 'initializers')}
    return None
