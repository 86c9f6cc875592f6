// Files that are no ONNX model and no samples, told by their names: what they are, and what to do.

/** What is said of a file; the words are in the dictionaries, the commands here. */
export interface Foreign {
  kind: ForeignKind;
  /** How the framework that made it writes ONNX. */
  command?: string;
}

export type ForeignKind =
  | 'tflite'
  | 'pytorch'
  | 'safetensors'
  | 'keras'
  | 'savedModel'
  | 'coreml'
  | 'openvino'
  | 'tensorrt'
  | 'ncnn'
  | 'caffe'
  | 'paddle'
  | 'ort'
  | 'gguf'
  | 'archive'
  | 'picture'
  | 'unknown';

const kinds: [endings: string[], Foreign][] = [
  [
    ['tflite', 'lite'],
    {
      kind: 'tflite',
      command: 'python -m tf2onnx.convert --tflite model.tflite --output model.onnx',
    },
  ],
  [
    ['pth', 'pt', 'ckpt', 'torchscript', 'pt2'],
    { kind: 'pytorch', command: 'torch.onnx.export(model, (example,), "model.onnx", dynamo=True)' },
  ],
  [
    ['safetensors'],
    { kind: 'safetensors', command: 'optimum-cli export onnx --model folder/ onnx/' },
  ],
  [
    ['h5', 'hdf5', 'keras'],
    { kind: 'keras', command: 'model.export("model.onnx", format="onnx")' },
  ],
  [
    ['pbtxt', 'meta', 'index'],
    {
      kind: 'savedModel',
      command: 'python -m tf2onnx.convert --saved-model folder/ --output model.onnx',
    },
  ],
  [['mlmodel', 'mlpackage', 'mlmodelc'], { kind: 'coreml' }],
  [['xml'], { kind: 'openvino' }],
  [['engine', 'plan', 'trt'], { kind: 'tensorrt' }],
  [['param'], { kind: 'ncnn' }],
  [['caffemodel', 'prototxt'], { kind: 'caffe' }],
  [
    ['pdmodel', 'pdiparams', 'pdparams'],
    {
      kind: 'paddle',
      command:
        'paddle2onnx --model_dir folder/ --model_filename inference.pdmodel --save_file model.onnx',
    },
  ],
  [['ort'], { kind: 'ort' }],
  [['gguf', 'ggml'], { kind: 'gguf' }],
  [['rar', '7z', 'tar', 'gz', 'tgz', 'xz', 'bz2'], { kind: 'archive' }],
  [['heic', 'heif', 'tif', 'tiff', 'svg', 'jxl', 'mp4', 'mov', 'avi', 'webm'], { kind: 'picture' }],
];

export function foreignFile(name: string): Foreign {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return kinds.find(([endings]) => endings.includes(ending))?.[1] ?? { kind: 'unknown' };
}
