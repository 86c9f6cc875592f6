"""Models of many nodes for the benchmark, and the reference's time to plan and rewrite one of them.

    nodes.py make COUNT MODEL CACHE     a chain of COUNT nodes (Conv of 4 channels, Relu, Conv, Relu, ...) and its calibration cache
    nodes.py run MODEL CACHE OUTPUT     quantize_static with that cache; prints {"seconds": ...}
"""

import json
import sys
import time

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantFormat, QuantType, quantize_static


def make(count, model_path, cache_path):
    random = np.random.default_rng(count)
    nodes, initializers, tensor, ranges = [], [], 'x', {'x': (-1.0, 1.0)}
    for i in range(count // 2):
        weight = random.uniform(-0.3, 0.3, (4, 4, 1, 1)).astype(np.float32)
        initializers.append(numpy_helper.from_array(weight, f'w{i}'))
        initializers.append(numpy_helper.from_array(weight[:, 0, 0, 0], f'b{i}'))
        nodes.append(helper.make_node('Conv', [tensor, f'w{i}', f'b{i}'], [f'c{i}'], f'conv{i}'))
        nodes.append(helper.make_node('Relu', [f'c{i}'], [f'r{i}'], f'relu{i}'))
        tensor = f'r{i}'
        ranges |= {f'c{i}': (-1.0, 1.0), tensor: (0.0, 1.0)}
    shape = [1, 4, 2, 2]
    inputs = [helper.make_tensor_value_info('x', TensorProto.FLOAT, shape)]
    outputs = [helper.make_tensor_value_info(tensor, TensorProto.FLOAT, shape)]
    graph = helper.make_graph(nodes, 'chain', inputs, outputs, initializers)
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid('', 13)]), model_path)
    array = lambda value: {'data': [value], 'dtype': 'float32', 'CLS': 'numpy.array'}  # noqa: E731
    data = {
        name: {'CLS': 'TensorData', 'lowest': array(low), 'highest': array(high)}
        for name, (low, high) in ranges.items()
    }
    method = {'CLS': 'CalibrationMethod', 'value': 'CalibrationMethod.MinMax'}
    cache = {'CLS': 'TensorsData', 'data': data, 'calibration_method': method, 'smooth_quant': False}
    with open(cache_path, 'w') as file:
        json.dump(cache, file)


def run(model_path, cache_path, output):
    start = time.perf_counter()
    quantize_static(
        model_path,
        output,
        None,
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibration_cache_path=cache_path,
    )
    print(json.dumps({'seconds': time.perf_counter() - start}))


if sys.argv[1] == 'make':
    make(int(sys.argv[2]), *sys.argv[3:])
else:
    run(*sys.argv[2:])
