// English, and the shape that every other dictionary has.

import type { ExampleId } from 'virtual:example';
import type { CauseCode, PreprocessEvidence, ProfileName } from 'onnx-ptq';
import type { AdvancedGroup } from '../lib/advanced-groups';
import type { ForeignKind } from '../lib/foreign-files';
import type { MendKind } from '../lib/mends';
import type { OfferedPreset } from '../lib/settings';
import type { Grade } from '../lib/verdict';

/** What spoke for a preprocessing: its figure, and that of the next best. */
type EvidenceTexts = Record<PreprocessEvidence, (value: string, other: string | null) => string>;

const nextBest = (other: string | null) => (other === null ? '' : ` (next best: ${other})`);
const plural = (count: number, one: string, many = `${one}s`) =>
  `${count} ${count === 1 ? one : many}`;

export const en = {
  languageName: 'English',
  tagline: 'Turn a float ONNX model into int8, right here in your browser.',
  privacy: 'Nothing is uploaded: your model and samples stay on this machine.',
  skipToContent: 'Skip to content',
  language: 'Language',
  list: (items: readonly string[]) => items.join(' · '),

  engine: {
    loading: (done: string, total: string) => `Loading ${done} of ${total}`,
    locked: 'Offline-locked',
    development: 'Development server',
    ready: 'This page has cut itself off from the network: no request can follow.',
    readyDevelopment: 'Development server: the network is not cut off.',
    webrtc: 'WebRTC, which no policy covers, was taken away from its scripts.',
    offline: 'Kept for offline use: it opens without a network, and can be installed.',
    onlineOnly: 'Not kept for offline use: this browser or host does not allow it.',
    failed: 'The quantizer could not be loaded',
    reload: 'Reload the page',
    singleThread: 'Samples are run by workers of one thread each.',
    threads: (count: number) =>
      `onnxruntime may use ${count} threads: the host isolates this page.`,
  },

  drop: {
    anywhere: 'Drop a model, its data files, samples, a folder or a .zip',
    model: 'Drop an .onnx file, or a model together with about 100 pictures.',
    otherModel: 'Another model can be dropped at any time.',
    samples: 'Drop pictures, a folder or a .zip; .npy, .npz, .pb, .wav and raw float32 also work.',
    moreSamples: 'More files are added to these.',
    chooseModel: 'Choose a model',
    chooseFiles: 'Choose files',
    chooseFolder: 'Choose a folder',
    chooseSamples: 'Choose samples',
    addFiles: 'Add files',
    addFolder: 'Add a folder',
    ignored: 'Not used',
  },

  foreign: {
    tflite: 'is a TensorFlow Lite model. Convert it to ONNX with:',
    pytorch: 'holds PyTorch weights. Export the model from Python with:',
    safetensors: 'holds weights without the graph. Export the model with:',
    keras: 'is a Keras model. Export it from Python with:',
    savedModel: 'is part of a TensorFlow SavedModel. Convert the folder with:',
    coreml: 'is a Core ML model, which does not convert back: export ONNX from the original.',
    openvino: 'is an OpenVINO model, which does not convert back: use the ONNX it was made from.',
    tensorrt: 'is a compiled TensorRT engine: use the ONNX model it was built from.',
    ncnn: 'is an ncnn model: use the ONNX model it was made from.',
    caffe: 'is a Caffe model: convert it to ONNX first, for example with caffe2onnx.',
    paddle: 'is a PaddlePaddle model. Convert it to ONNX with:',
    ort: 'is in onnxruntime’s own format: use the .onnx file it was made from.',
    gguf: 'is quantized already, in the format of llama.cpp.',
    archive: 'is an archive of a kind that is not read: unpack it, or pack it as .zip.',
    picture: 'is not read: save it as JPEG or PNG.',
    unknown: 'is nothing this page knows: a model ends in .onnx.',
  } satisfies Record<ForeignKind, string>,

  verdict: {
    good: 'Good',
    usable: 'Usable',
    unusable: 'Unusable',
    identical: 'Identical',
    unknown: 'Not measured',
  } satisfies Record<Grade, string>,

  model: {
    title: 'Model',
    lead: 'Which model do you want to quantize?',
    reading: 'Reading the model…',
    waiting: 'It will be read as soon as the core has loaded.',
    change: 'Choose another model',
    chooseData: 'Choose the data file',
    notRead: (name: string) => `${name} could not be read`,
    line: (
      name: string,
      before: string,
      after: string,
      nodes: { quantized: string; folded: string; float: string },
    ) =>
      `${name} · ${before} → about ${after} · ${nodes.quantized} int8, ${nodes.folded} folded, ${nodes.float} float`,
    byWeight: 'The weights of the model, by bytes',
    byNodes: 'The nodes of the model',
    parts: { quantized: 'becomes int8', folded: 'folded away', float: 'stays float' },
    forecast: (before: string, after: string, memory: string) =>
      `${before} now, about ${after} once quantized. A run takes about ${memory} of memory.`,
    muchMemory: (memory: string) =>
      `A run takes about ${memory} of memory: close other tabs, and use this on a desktop.`,
    whyFloat: (count: number) => `Why ${plural(count, 'node')} will stay float`,
    about2: 'About this model',
    inputs: 'Inputs',
    outputs: 'Outputs',
    opset: 'Opset',
    irVersion: 'IR version',
    producer: 'Produced by',
    nodes: 'Nodes',
    parameters: 'Parameters',
    anyShape: 'shape unknown',
    externalMissing: (names: string) => `The model needs its data file: ${names}.`,
    alreadyQuantized:
      'This model is partly quantized already; only its float nodes will be quantized.',
    refused: (format: string) => `This model cannot be written as ${format}`,
    nothing: 'Nothing in this model can be quantized in this format',
    useFormat: (format: string) => `Use ${format}`,
    customOps: (names: string) =>
      `Custom operators stay float: ${names}. Calibration needs a runtime that knows them; onnxruntime-web may not.`,
  },

  samples: {
    title: 'Data',
    help: 'Typical inputs of the model: 100 to 500 are good, 32 are a start.',
    images: (count: number) => plural(count, 'picture'),
    files: (count: number, extension: string) =>
      `${count} ${extension} ${count === 1 ? 'file' : 'files'}`,
    splitLine: (calibrate: string, held: string) => `${calibrate} calibrate, ${held} held out`,
    badLine: (count: number) => `${plural(count, 'file')} left out`,
    bad: (count: number) => `${plural(count, 'file')} could not be read and will not be used`,
    clear: 'Remove all',
    plenty: 'Plenty for calibration.',
    fair: 'Enough to start with; 100 are better.',
    few: 'Few: 32 are a start, 100 are good.',
    limit: 'Use at most',
    limitHelp: 'The first by name; empty: all.',
    held: 'Hold out',
    heldHelp: 'Samples that no range is made from: the verdict is measured on them.',
    thumbnails: 'Pictures',
    clickToLeaveOut: 'Click a picture to leave it out.',
    showAll: (count: number) => `Show all ${count}`,
    states: { calibrate: 'calibrates', held: 'held out', out: 'left out' },
    doNotFit: 'Pictures do not fit this model',
    doNotFitHint:
      'Give one array per input instead: .npz or .npy files with the input names as keys, or test_data_set folders of .pb files.',
    rangesUsed: (name: string) => `Ranges from ${name}: nothing has to be calibrated`,
    calibrateInstead: 'Calibrate instead',
  },

  preprocess: {
    title: 'What the model sees',
    later: 'Opens when there are pictures.',
    unused: 'Used as they are: only pictures are preprocessed (.wav: mono, 16 kHz).',
    lead: 'Pick the way your model was trained with. A wrong one gives wrong ranges, and nothing later would show it.',
    presets: {
      'minus-one-to-one': '−1 to 1 (Keras, Inception)',
      imagenet: 'ImageNet (PyTorch, timm)',
      'zero-to-one': '0 to 1',
      'zero-to-255': '0 to 255',
      'caffe-bgr': 'BGR minus the mean (Caffe)',
      'efficientnet-lite': '(x − 127) / 128 (EfficientNet-Lite)',
      yolo: 'YOLOv5, v8 and later',
      yolox: 'YOLOX',
    } satisfies Record<OfferedPreset, string>,
    auto: 'Found by running the model',
    custom: 'Your own values',
    named: (title: string, what: string) => `${title}: ${what}`,
    found: 'Found by the model',
    guessed: 'A guess, please check',
    looking: 'Trying the usual ways on the float model…',
    making: 'Making the tensor…',
    asTensor: 'The tensor, as a picture',
    histogram: 'Values of each channel',
    range: (lowest: string, highest: string, mean: string) =>
      `${lowest} to ${highest}, mean ${mean}`,
    previous: 'Previous picture',
    next: 'Next picture',
    more: 'Other presets and your own values',
    preset: 'Preset',
    mean: 'Mean (of 0–255)',
    std: 'Standard deviation (of 0–255)',
    oneOrThree: 'One number, or three: 123.7, 116.3, 103.5',
    order: 'Channel order',
    fit: 'Fit',
    fits: {
      stretch: 'Stretch',
      center: 'Resize, then crop the centre',
      letterbox: 'Letterbox',
      none: 'As it is',
    },
    width: 'Width',
    height: 'Height',
    shorter: 'Shorter side before the crop',
    pad: 'Border (0–255)',
    evidence: {
      graph: () => 'The graph begins with nodes that normalize.',
      statistics: (value, other) =>
        `The statistics that the first BatchNormalization kept from training are ${value} nats from those of your pictures${nextBest(other)}; 0 is the same.`,
      biases: (value) =>
        `The biases of the first convolution are ${value} times the sums they are added to; near 1 is usual.`,
      scores: (value, other) =>
        `The class scores tell your pictures apart by ${value}${nextBest(other)}; 1 is perfect.`,
      probabilities: (value, other) =>
        `The output carries ${value} nats about your pictures${nextBest(other)}.`,
      pictures: (value, other) =>
        `The pictures that come out resemble those that go in by ${value}${nextBest(other)}.`,
    } as EvidenceTexts,
    noEvidence: 'Nothing in the model tells which one is right.',
    turns: (count: number) =>
      `It is a close call: pictures take turns with ${count} ways, so that the ranges hold for all of them.`,
  },

  spec: {
    line: (size: string, fit: string, order: string, normalization: string) =>
      `${size} (${fit}), ${order}, ${normalization}`,
    size: (width: number, height: number) => `${width} × ${height}`,
    none: 'not resized',
    stretch: 'stretched',
    center: (shorter: number) => `shorter side to ${shorter}, then cropped`,
    letterbox: (pad: number) => `letterbox, border ${pad}`,
    luma: 'Luma',
  },

  settings: {
    title: 'Where it will run',
    later: 'Opens when there is a model.',
    profile: 'Target',
    targets: {
      'web-wasm': {
        name: 'CPU: browser, desktop, server',
        note: 'onnxruntime and onnxruntime-web, on recent processors. The safe choice.',
      },
      x64: { name: 'Older Intel and AMD CPUs', note: 'Without VNNI: weights in 7 bits.' },
      'x64-vnni': { name: 'Intel and AMD CPUs', note: 'With VNNI.' },
      arm64: { name: 'ARM CPU', note: 'Phones, Apple silicon, Raspberry Pi.' },
      webgpu: { name: 'Browser GPU', note: 'WebGPU: a smaller download rather than more speed.' },
      webnn: { name: 'Browser NPU', note: 'WebNN.' },
      tensorrt: { name: 'NVIDIA GPU', note: 'TensorRT.' },
      qnn: { name: 'Qualcomm NPU', note: 'QNN execution provider.' },
      nnapi: { name: 'Android NPU', note: 'NNAPI execution provider.' },
      '': {
        name: 'Exactly like Python’s defaults',
        note: 'quantize_static without options: QOperator, per tensor. Often less accurate.',
      },
    } satisfies Record<ProfileName | '', { name: string; note: string }>,
    takesNoFloat: 'What stays float does not run on this target.',
    typesLine: (activations: string, weights: string) => `${activations}/${weights}`,
    perChannelShort: 'per channel',
    effortShort: 'with repairs',
    method: 'Calibration method',
    methods: {
      MinMax: 'MinMax: everything that was seen',
      Entropy: 'Entropy: least loss of information',
      Percentile: 'Percentile: all but the outermost',
      Distribution: 'Distribution: for float 8',
      MSE: 'MSE: least squared error',
      auto: 'Auto: the best of them, tensor by tensor',
    },
    effort: 'Effort',
    efforts: {
      none: 'None: what the reference gives',
      fast: 'Fast: repairs that help',
      normal: 'Normal: and what still loses most stays float',
    },
    effortHelp: 'Repairs are kept only if held-out samples show less noise.',
    format: 'Format and types',
    formatLabel: 'Format',
    formats: {
      QOperator: 'Quantized operators (QLinearConv and others).',
      QDQ: 'Float operators between QuantizeLinear and DequantizeLinear, which runtimes fuse.',
    },
    activationType: 'Activations',
    weightType: 'Weights',
    types: { QUInt8: 'QUInt8, asymmetric', QInt8: 'QInt8' },
    weightTypes: { QUInt8: 'QUInt8, asymmetric', QInt8: 'QInt8, symmetric' },
    perChannel: 'Per channel',
    perChannelHelp: 'One scale for each output channel of a weight: more accurate.',
    reduceRange: 'Reduce range',
    reduceRangeHelp: 'Weights in 7 bits, for x64 processors without VNNI.',
    nodes: 'Nodes and operator types',
    nodesToExclude: 'Nodes that stay float',
    nodesToExcludeHelp: 'Names of nodes, one per line.',
    opTypes: 'Operator types to quantize',
    opTypesHelp: 'None ticked: all that can be quantized.',
    optimizeModel: 'Optimize the model first',
    optimizeModelHelp: 'Folds constants and BatchNormalization, removes no-ops.',
    advanced: 'All other options',
    search: 'Search options',
    changed: (count: number) => (count === 0 ? 'All at their defaults.' : `${count} changed.`),
    resetAdvanced: 'Reset these',
    resetOne: 'changed · reset',
    noneFound: 'No option has these words.',
    groups: {
      calibration: 'Calibration',
      types: 'Types and ranges',
      nodes: 'Nodes and operators',
      qdq: 'QDQ format',
      machine: 'This machine and files',
    } satisfies Record<AdvancedGroup, string>,
    reset: 'Reset to the page’s defaults',
    automatic: 'automatic',
    oneALine: 'One per line',
    asJson: 'JSON',
  },

  run: {
    title: 'Run',
    start: 'Quantize',
    again: 'Quantize again',
    ready: 'Ready to quantize.',
    cancel: 'Cancel',
    stopped:
      'Cancelled. What was calibrated is kept until you change the model, the samples or the settings; earlier results stay.',
    stoppedShort: 'Cancelled; the calibration so far is kept.',
    resume: 'Resume',
    line: (samples: string, time: string) => `${samples} samples · ${time}`,
    needsModel: 'Add a model to begin.',
    needsSamples: 'Now add some samples.',
    needsExternal: 'The data file of the model is missing.',
    needsEngine: 'onnxruntime is still loading.',
    engineFailed: 'The quantizer could not be loaded.',
    cannotRun: 'onnxruntime cannot run this model.',
    reading: 'The model is being read.',
    samplesDoNotFit: 'These pictures do not fit the model.',
    whatHappens:
      'The model is run on your samples to see the range of every tensor, quantized, and compared with the original.',
    examples: {
      digits: { name: 'Try the digit classifier', help: 'A small model and 100 pictures' },
      sharpen: { name: 'Try the picture enlarger', help: 'Three times larger, 24 pictures' },
    } satisfies Record<ExampleId, { name: string; help: string }>,
    exampleLoading: 'The examples are still loading.',
    stages: {
      load: 'Load',
      prepare: 'Prepare',
      calibrate: 'Calibrate',
      quantize: 'Quantize',
      verify: 'Verify',
    },
    stageNow: {
      load: 'Loading model and onnxruntime',
      prepare: 'Preparing the model',
      calibrate: 'Running samples',
      quantize: 'Quantizing weights and writing the model',
      verify: 'Comparing with the float model',
    },
    count: (done: number, total: number | undefined) =>
      total === undefined ? `${done}` : `${done} of ${total}`,
    left: (time: string) => `${time} left`,
    progress: 'Progress',
    histograms: 'What the tensors hold so far',
    clip: (lowest: string, highest: string) => `range ${lowest} to ${highest}`,
    failed: 'That did not work',
    dismiss: 'Close',
  },

  report: {
    title: 'Report',
    later: 'Opens after the first run.',
    verdict: 'Verdict',
    meaning: {
      good: 'The quantized model answers as the float model does.',
      usable:
        'The quantized model differs a little. Compare it on your own pictures before you ship it.',
      unusable:
        'The quantized model answers differently. Try what is suggested below before you use it.',
      identical:
        'Nothing was quantized: the result computes exactly what the float model computes.',
      unknown: 'The outputs could not be compared.',
    } satisfies Record<Grade, string>,
    agree: (agree: string, of: string) => `${agree} of ${of} agree`,
    smaller: (times: string, percent: number) => `${times}× smaller (−${percent} %)`,
    notSmaller: 'No smaller',
    exact: 'exact',
    notMeasured: 'not measured',
    stale: 'Model, samples or settings have changed since this run.',
    guessedNormalization:
      'How pictures are normalized is a guess, and so is the quality measured on them: check step 3.',
    figure: 'Figure',
    float: 'Float',
    int8: 'Quantized',
    size: 'Size',
    agreement: 'Same top class',
    agreementHelp: 'Samples for which both models choose the same class.',
    sqnr: 'Output SQNR',
    sqnrHelp: 'Signal to quantization noise; over 20 dB is good, under 10 dB poor.',
    nodes: 'Nodes',
    of: (part: string, whole: string) => `${part} of ${whole}`,
    measuredOn: (samples: string) => `Measured on ${samples} of the samples that calibrated.`,
    measuredOnHeld: (samples: string) => `Measured on ${samples} held-out samples.`,
    measuringAll: 'The others are being run…',
    searching: (tried: number) =>
      `Looking for repairs of what rounding does: ${tried} tried. This may still get better.`,
    keepThis: 'Keep this result',
    latency: 'Time of one inference',
    latencyHelp: (runs: number, compared: string) =>
      `Median of ${runs} runs here, in onnxruntime-web: ${compared}.`,
    faster: (times: string) => `${times}× as fast`,
    slower: (times: string) => `${times}× as slow`,
    better: 'What may make it better',
    tryIt: 'Try it',
    effortGained: (repairs: string, gained: string, tried: number, held: number) =>
      `Effort kept ${repairs}${gained && `: ${gained}`}, out of ${tried} candidates on ${held} held-out samples.`,
    effortNothing: (tried: number, held: number) =>
      `Effort tried ${tried} candidates on ${held} held-out samples; none was better than the plain result.`,
    warnings: 'Warnings',
    notes: (count: number) => `Notes (${count})`,
    leftFloat: (count: number) => `Nodes left in float (${count})`,
    quantizedNodes: (count: number) => `Nodes quantized (${count})`,
    node: 'Node',
    type: 'Type',
    keepFloat: 'Keep float',
    keepFloatOf: (node: string) => `Keep ${node} in float`,
    reason: 'Reason',
    showMore: (count: number) => `Show ${count} more`,
  },

  mends: {
    perChannel: {
      name: 'One scale per output channel',
      price: 'QInt8 weights per channel: a few bytes, no time.',
      action: 'Try per channel',
    },
    effort: {
      name: 'Repairs (effort: normal)',
      price: 'Kept only if they help. Nearly the same size; the run takes longer.',
      action: 'Try with repairs',
    },
    method: {
      name: 'Choose the range tensor by tensor (auto)',
      price: 'Same size; calibration goes over the samples twice.',
      action: 'Try automatic ranges',
    },
    sixteenBits: {
      name: '16-bit activations',
      price: 'Same size, slower on most CPUs.',
      action: 'Try 16-bit activations',
    },
  } satisfies Record<MendKind, { name: string; price: string; action: string }>,

  layers: {
    title: 'Where the error is',
    measuring: 'Measuring every layer by itself…',
    failed: 'The layers could not be measured',
    lead: (samples: string) =>
      `Measured on ${samples} samples. Low numbers are bad: what a layer under 20 dB loses shows in the output.`,
    strip: 'Error of every layer, in graph order',
    order: 'Order',
    orders: { worst: 'Worst first', graph: 'Graph order' },
    layer: 'Layer',
    alone: 'This layer alone',
    accumulated: 'Up to here',
    tensor: 'Tensor',
    weights: 'Quantized weights',
    scale: 'Scale, zero point',
    clipped: 'Values clipped',
    histogram: (tensor: string) => `Values of ${tensor}`,
    observing: 'Looking at the values of this tensor…',
    observedOn: (samples: string) =>
      `Values of ${samples} samples; each method gives the range it finds in them.`,
    steps: (count: string, low: string, high: string, step: string) =>
      `${count} steps of ${step} between ${low} and ${high}: what this result has.`,
    methods: 'The range of each calibration method',
    rangeOnly: 'Range',
    fromTo: (low: string, high: string) => `${low} to ${high}`,
    use: 'Use this',
    channels: (count: string) =>
      `The weight’s ${count} output channels, each from its lowest to its highest value`,
    channelsOf: (tensor: string) => `Range of every channel of ${tensor}`,
    channel: 'Channel',
    ownScales: 'Every channel has a scale of its own, so narrow ones keep their steps.',
    oneScale: 'One scale serves all channels: narrow ones are left with few steps.',
    unlike: 'Ranges of channels',
    mostUnlike: 'The three widest and the three narrowest channels.',
    keepFloat: 'Keep this layer float',
    quantizeAgain: 'Quantize this layer again',
    sixteen: '16 bits for this tensor',
    showAll: (count: number) => `Show all ${count} layers`,
    adviceName: (count: number) => `Keep ${plural(count, 'layer')} float`,
    advicePrice: (gain: string, bytes: string, names: string) =>
      `About ${gain} for ${bytes} more: ${names}`,
    adviceAction: (count: number) => `Keep ${count} float`,
  },

  graph: {
    title: 'Drawing of the graph',
    lead: 'Chains of nodes are one box, with the worst layer in it. Press a box to see its nodes.',
    later: 'It can be drawn once onnxruntime has loaded.',
    making: 'Reading the graph…',
    tooLarge: (boxes: string) =>
      `The graph has ${boxes} branches, too many to draw. The lists of nodes have them all.`,
    becomes: 'What becomes of it',
  },

  /** What a diagnosis found, by its code. */
  causes: {
    CHANNELS_UNDER_ONE_SCALE: {
      what: 'Some channels are far larger than the others, and one scale serves them all.',
      remedy: 'Per channel helps for weights; effort equalizes activations.',
    },
    RANGE_OF_FEW_VALUES: {
      what: 'A few values lie far from all the others, and the range holds them.',
      remedy: 'Another calibration method cuts them off; 16 bits hold both.',
    },
    RANGE_OF_MASK: {
      what: 'A constant that stands for minus infinity widens the range.',
      remedy: 'Keep this layer float.',
    },
    FRONT_END: {
      what: 'A logarithm, root or power makes much of small values, which rounding takes away.',
      remedy: 'Keep this layer float.',
    },
    UNLIKE_RANGES: {
      what: 'Tensors of very different ranges meet here.',
      remedy: 'Keep this layer float, or give the tensor 16 bits.',
    },
    SHIFTED_MEAN: {
      what: 'Rounding shifts the mean of the channels.',
      remedy: 'Effort corrects biases.',
    },
    CLIPPED_TAILS: {
      what: 'Values beyond the range are clipped.',
      remedy: 'MinMax, or more typical samples.',
    },
    SATURATION: {
      what: 'Sums of 8-bit products saturate on x64 processors without VNNI.',
      remedy: 'Choose the target for older CPUs.',
    },
  } satisfies Record<CauseCode, { what: string; remedy: string }>,

  repairs: {
    layerIo: 'layers only',
    equalize: 'cross-layer equalization',
    correctBiases: 'bias correction',
    smooth: 'SmoothQuant',
    round: 'adaptive rounding',
    ranges: 'narrower ranges',
    floatNodes: (count: number) => `${count} nodes in float`,
  },

  runs: {
    title: 'Runs',
    name: (id: number) => `Run ${id}`,
    pin: 'Pin',
    sameSettings: 'same settings',
    differs: 'What differs',
  },

  compare: {
    title: 'Compare',
    later: 'Opens after the first run.',
    lead: 'See both models on one of your pictures.',
    other: 'Compare another picture',
    labels: 'Load class names',
    otherLabels: 'Load other class names',
    labelsOf: (name: string) => `names from ${name}`,
    sample: (number: number) => `Sample ${number}`,
    running: 'Running both models…',
    compared: 'Both models have run.',
    nothing: 'This model has no output to compare.',
    picture: 'What the models see',
    classNumber: (index: number) => `Class ${index}`,
    isNew: 'new',
    was: (rank: number) => `was ${rank}`,
    boxes: (float: number, quantized: number) =>
      `${plural(float, 'box', 'boxes')} by the float model, ${quantized} by the quantized one.`,
    overlap: (share: string) => `overlap ${share}`,
    slider: 'Float on the left, quantized on the right',
    difference: 'Difference, 8 times enlarged',
    pixelsAgree: (percent: string) => `${percent} % of pixels agree`,
    scatter: 'Values of both models against each other',
    cosine: (value: string) => `cosine similarity ${value}`,
  },

  download: {
    title: 'Download',
    later: 'Opens after the first run.',
    model: 'Download model',
    zip: 'All as .zip',
    zipping: 'Packing…',
    report: 'Report (JSON)',
    config: 'Configuration (JSON)',
    ranges: 'Calibrated ranges (JSON)',
    recipe: 'Recipe (Markdown)',
    load: 'Load a configuration or ranges',
    withData: (size: string) =>
      `The weights are in a data file of their own (${size}), saved with the model.`,
    takesBack:
      'Configuration and ranges can be dropped on this page again, and given to the command and to Python.',
    elsewhere: 'The same run elsewhere',
    folder: 'With your samples in ./samples/.',
    command: 'Command line',
    run: 'Run it in onnxruntime-web',
    copy: 'Copy',
    copied: 'Copied',
  },

  units: {
    milliseconds: (milliseconds: string) => `${milliseconds} ms`,
    seconds: (seconds: string) => `${seconds} s`,
    minutes: (minutes: number, seconds: number) => `${minutes} min ${seconds} s`,
  },

  /** One line for a diagnostic's code; the library's own message follows it. */
  diagnostics: {
    OUTPUT_SIZES_DIFFER: 'Some outputs have another size',
    SAMPLES_SKIPPED: 'Some samples were left out',
    RANDOM_OUTPUTS: 'The comparison cannot judge this model',
    NOTHING_QUANTIZED: 'No node was quantized',
    WEIGHTS_LEFT_FLOAT: 'Many weights stay float',
    RESULT_LARGER: 'The result is larger than the model',
    SLOWER_THAN_FLOAT: 'Slower than the float model here',
    EFFORT_NEEDS_SAMPLES: 'Too few samples to try repairs with',
    NO_EFFORT_IN_BODIES: 'No repairs where bodies are quantized',
    EFFORT_FAILED: 'The search for repairs ended early',
    EFFORT_MODEL_TOO_LARGE: 'Too large to ask which parts lose most',
    EFFORT_NOT_CONFIRMED: 'No repair was kept',
    NOT_VERIFIED: 'The result could not be checked',
    SHAPE_INFERENCE_INCOMPLETE: 'Some shapes are unknown',
    TENSOR_NOT_FINITE: 'A tensor was infinite',
    ALREADY_QUANTIZED: 'The model is quantized already',
    PREPROCESS_OPEN: 'How pictures are preprocessed is not clear: choose it in step 3',
    PREPROCESS_FOUND: 'The preprocessing was found by running the model',
    BIAS_LEFT_FLOAT: 'A bias stays float',
    CALIBRATION_MEMORY: 'Memory of the calibration',
    CALIBRATION_CLIPPED: 'Ranges that cut values off',
  },

  /** One line for an error's code; the library's own message follows it. */
  errors: {
    ENGINE: 'The quantizer could not be loaded. The host may not serve all of its files.',
    INVALID_MODEL: 'This is not an ONNX model, or it is damaged',
    TRUNCATED_MODEL: 'The model file ends early',
    UNSUPPORTED_MODEL: 'This model needs something that is not supported',
    UNSUPPORTED_OPSET: 'The opset of this model is not supported',
    FILE_NOT_FOUND: 'A file is missing',
    INVALID_OPTION: 'A setting does not fit',
    UNSUPPORTED_OPTION: 'These settings do not go together',
    INVALID_DATA: 'The samples do not fit the model',
    INVALID_IMAGE: 'A picture could not be read',
    INVALID_CACHE: 'These ranges cannot be read',
    NO_SAMPLES: 'There are no samples',
    MISSING_RANGE: 'A tensor has no range',
    INVALID_RANGE: 'A tensor has a range that is not finite',
    RUNTIME_CANNOT_LOAD: 'onnxruntime cannot load the model',
    RUNTIME_FAILED: 'onnxruntime failed while running the model',
    RESULT_NOT_LOADABLE: 'onnxruntime cannot load the quantized model',
    OUT_OF_MEMORY: 'There is not enough memory',
    WORKER_FAILED: 'The worker stopped',
    OTHER: 'Something went wrong',
  },
};

export type Dictionary = typeof en;
