"""A graph of the kit while it is built: every node is run when it is added (on one sample), so that
shapes are known and values stay moderate.
"""

import numpy as np
import onnx
import onnxruntime
from onnx import helper
from onnxruntime.capi.onnxruntime_pybind11_state import (
    Fail,
    InvalidArgument,
    InvalidGraph,
    NotImplemented,
    RuntimeException,
)

from graph_builder import GraphBuilder

# Beyond this, a value says more about the graph than about its quantization.
LARGEST = 24.0

# The kit's opsets, and the IR version that each came with.
IR_VERSIONS = {11: 6, 12: 7, 13: 7, 14: 7, 17: 8, 19: 9, 20: 9, 21: 10}


class Unsuitable(Exception):
    """A drawn node that would not make a good graph."""


def sample_values(shape, place, seed):
    """What input number `place` of the graph gets: multiples of 2^-12 in [-1, 2). kit.ts computes
    the same.
    """
    at = np.arange(int(np.prod(shape)), dtype=np.int64)
    return (((at * 7919 + place * 104729 + seed * 611953) % 12289) / 4096 - 1).reshape(shape)


def one_node_session(node, feeds, opset):
    """A session for a node by itself. `feeds`: its inputs, for their types."""

    def info(name, value):
        of = helper.np_dtype_to_tensor_dtype(value.dtype) if value is not None else 0
        return helper.make_tensor_value_info(name, of, None)

    inputs = [info(name, value) for name, value in feeds.items()]
    outputs = [helper.make_empty_tensor_value_info(name) for name in node.output if name]
    graph = helper.make_graph([node], 'g', inputs, outputs)
    opsets = [helper.make_opsetid('', opset), helper.make_opsetid('com.microsoft', 1)]
    model = helper.make_model(graph, ir_version=IR_VERSIONS[opset], opset_imports=opsets)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model.SerializeToString(), options, ['CPUExecutionProvider'])


def run_node(node, values, opset):
    """The node's outputs. Raises Unsuitable for what cannot run."""
    feeds = {i: values[i] for i in node.input if i}
    try:
        return one_node_session(node, feeds, opset).run(None, feeds)
    except (Fail, InvalidArgument, InvalidGraph, NotImplemented, RuntimeException) as error:
        raise Unsuitable(f'{node.op_type}: {error}') from None


class KitGraph(GraphBuilder):
    """A GraphBuilder that knows the value of every tensor on the sample."""

    def __init__(self, seed, opset=13, dtype=np.float32, unnamed=0.0):
        super().__init__(seed, opset, dtype)
        self.seed = seed
        self.unnamed = unnamed
        self.values = {}
        self.counts = {}
        self.read = set()

    # Drawing

    def chance(self, probability):
        return self.random.random() < probability

    def pick(self, choices):
        return choices[self.random.integers(len(choices))]

    def new(self, prefix):
        self.counts[prefix] = self.counts.get(prefix, 0) + 1
        return f'{prefix}{self.counts[prefix]}'

    # Tensors

    def shape(self, name):
        return list(self.values[name].shape)

    def rank(self, name):
        return self.values[name].ndim

    def input(self, name, shape):
        values = sample_values(shape, len(self.inputs), self.seed)
        self.values[name] = values.astype(self.dtype)
        return super().input(name, shape)

    def constant(self, name, values, dtype=None):
        array = np.asarray(values, dtype=dtype or self.dtype)
        self.values[name] = array
        return super().constant(name, array, array.dtype.type)

    def weight(self, name, *shape, low=-1.0, high=1.0):
        """Multiples of 2^-12: they compress well."""
        return self.constant(name, np.round(self.random.uniform(low, high, shape) * 4096) / 4096)

    def kernel(self, name, *shape, fan_in):
        """A weight that keeps the size of values; sometimes one-sided, sometimes with a dead
        output.
        """
        size = 1.5 / np.sqrt(fan_in)
        low = self.pick([-size, -size, -size, -0.25 * size])
        return self.weight(name, *shape, low=low, high=size)

    def bool_constant(self, name, values):
        array = np.asarray(values, dtype=bool)
        self.values[name] = array
        self.initializers.append(onnx.numpy_helper.from_array(array, name))
        return name

    # Nodes

    def add(self, op_type, inputs, outputs=1, name=None, **attributes):
        """Adds a node and returns its output names. Raises Unsuitable for values too large,
        constant or not finite.
        """
        names = [self.new('t') for _ in range(outputs)]
        label = self.new(f'{op_type}_')
        if name is None:
            name = '' if self.chance(self.unnamed) else label
        node = helper.make_node(op_type, inputs, names, name, **attributes)
        results = run_node(node, self.values, self.opset)
        for output, value in zip(names, results, strict=True):
            value = np.asarray(value)
            if value.dtype.kind == 'f':
                value = value.astype(self.dtype)
                if not np.isfinite(value).all() or value.size == 0:
                    raise Unsuitable(f'{op_type}: not finite')
                if np.abs(value).max() > LARGEST or np.abs(value).max() < 2**-6 or value.size > 1200:
                    raise Unsuitable(f'{op_type}: values up to {np.abs(value).max()}, {value.size} of them')
            self.values[output] = value
        self.nodes.append(node)
        self.read.update(inputs)
        return names

    def node(self, op_type, inputs, output, name=None, **attributes):
        """As in GraphBuilder, with the value computed: for graphs written by hand."""
        outputs = [output] if isinstance(output, str) else output
        super().node(op_type, inputs, output, name, **attributes)
        results = run_node(self.nodes[-1], self.values, self.opset)
        self.values.update(zip(outputs, (np.asarray(r) for r in results), strict=True))
        self.read.update(inputs)
        return output

    def output(self, *names, dtype=None, shape=None):
        for name in names:
            if all(name != o.name for o in self.outputs):
                of = helper.np_dtype_to_tensor_dtype(np.dtype(dtype or self.values[name].dtype))
                self.outputs.append(helper.make_tensor_value_info(name, of, self.shape(name)))

    def output_unread(self):
        """Whatever nobody reads leaves the graph."""
        for node in self.nodes:
            self.output(*(name for name in node.output if name and name not in self.read))

    def axes(self, op_type, inputs, axes, outputs=1, since=13, **attributes):
        """An operator whose axes are an attribute before opset `since` and an input from there on.
        """
        if self.opset < since:
            return self.add(op_type, inputs, outputs, axes=axes, **attributes)
        return self.add(op_type, [*inputs, self.ints(self.new('axes'), axes)], outputs, **attributes)
