"""A small convolutional network for images of 640 x 640: memory_model.py MODEL"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(0)
nodes, initializers, tensor, channels = [], [], "x", 3
for i, (out, stride) in enumerate([(16, 2), (16, 1), (32, 2), (32, 1), (64, 2), (64, 1)]):
    weight = random.normal(0, (2 / (9 * channels)) ** 0.5, (out, channels, 3, 3)).astype(np.float32)
    initializers += [numpy_helper.from_array(weight, f"w{i}"), numpy_helper.from_array(np.zeros(out, np.float32), f"b{i}")]
    nodes.append(helper.make_node("Conv", [tensor, f"w{i}", f"b{i}"], [f"c{i}"], f"conv{i}", pads=[1] * 4, strides=[stride] * 2))
    nodes.append(helper.make_node("Relu", [f"c{i}"], [f"r{i}"], f"relu{i}"))
    tensor, channels = f"r{i}", out
nodes.append(helper.make_node("GlobalAveragePool", [tensor], ["y"], "pool"))
graph = helper.make_graph(
    nodes,
    "network",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 640, 640])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, channels, 1, 1])],
    initializers,
)
onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), sys.argv[1])
