"""The kit's vocabulary: how each op type is put on top of a tensor, with attributes drawn from the graph's seed.

OPS maps an op type to a function (graph, tensor) -> outputs that others may read, or None where it does not fit the
tensor's rank, opset or values. Every node is run when it is added (on one sample), so that shapes are known and values
stay moderate.
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

OPS = {}

# Without these in op_types_to_quantize, they are not quantized.
NOT_BY_DEFAULT = {
    *('Sub', 'Div', 'Tanh', 'HardSigmoid', 'HardSwish', 'Gelu', 'PRelu', 'Pow', 'Sqrt', 'ReduceMean'),
    *('Min', 'Max', 'DepthToSpace', 'SpaceToDepth', 'Expand', 'Tile'),
}
LARGEST = 24.0


# What opsets came with.
IR_VERSIONS = {11: 6, 12: 7, 13: 7, 14: 7, 17: 8, 19: 9, 20: 9, 21: 10}


class Unsuitable(Exception):
    """A drawn node that would not make a good graph."""


def sample_values(shape, place, seed):
    """What input number `place` of the graph gets: multiples of 2^-12 in [-1, 2). kit.ts computes the same."""
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
        """A weight that keeps the size of values; sometimes one-sided, sometimes with a dead output."""
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
        """Adds a node and returns its output names. Raises Unsuitable for values too large, constant or not finite."""
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
        """An operator whose axes are an attribute before opset `since` and an input from there on."""
        if self.opset < since:
            return self.add(op_type, inputs, outputs, axes=axes, **attributes)
        return self.add(op_type, [*inputs, self.ints(self.new('axes'), axes)], outputs, **attributes)


def op(*ranks, since=11):
    """Registers a function under the op type it is named for."""

    def register(build):
        def put(graph, tensor):
            if graph.opset < since or (ranks and graph.rank(tensor) not in ranks):
                return None
            return build(graph, tensor)

        OPS[build.__name__] = put
        return build

    return register


# --- Operators with weights -------------------------------------------------------------------------


@op(3, 4)
def Conv(g, x):
    spatial = g.rank(x) - 2
    channels = g.shape(x)[1]
    kernel = g.pick([1, 1, 2, 3])
    group = channels if g.chance(0.2) else 1
    out = channels * g.pick([1, 2]) if group > 1 else g.pick([2, 3, 4])
    if min(g.shape(x)[2:]) < kernel:
        return None
    w = g.kernel(g.new('w'), out, channels // group, *[kernel] * spatial, fan_in=channels // group * kernel**spatial)
    inputs = [x, w]
    if g.chance(0.7):
        inputs.append(g.weight(g.new('b'), out, low=-0.5, high=0.5))
    attributes = {}
    if kernel > 1 and g.chance(0.6):
        attributes['pads'] = [kernel // 2] * 2 * spatial
    if g.chance(0.2):
        attributes['strides'] = [2] * spatial
    if group > 1:
        attributes['group'] = group
    return g.add('Conv', inputs, **attributes)


@op(4)
def ConvTranspose(g, x):
    channels = g.shape(x)[1]
    out = g.pick([2, 3])
    inputs = [x, g.kernel(g.new('w'), channels, out, 2, 2, fan_in=channels)]
    if g.chance(0.6):
        inputs.append(g.weight(g.new('b'), out, low=-0.5, high=0.5))
    return g.add('ConvTranspose', inputs, **({'strides': [2, 2]} if g.chance(0.3) else {}))


@op(2)
def Gemm(g, x):
    attributes = {}
    rows, columns = g.shape(x)
    if g.chance(0.1):
        attributes['transA'] = 1
        rows, columns = columns, rows
    out = g.pick([3, 4, 5])
    if g.chance(0.5):
        attributes['transB'] = 1
        w = g.kernel(g.new('w'), out, columns, fan_in=columns)
    else:
        w = g.kernel(g.new('w'), columns, out, fan_in=columns)
    inputs = [x, w]
    if g.chance(0.7):
        shape = g.pick([(out,), (out,), (out,), (out,), (1, out)])
        inputs.append(g.weight(g.new('b'), *shape, low=-0.5, high=0.5))
    for name in ('alpha', 'beta'):
        if g.chance(0.1):
            attributes[name] = g.pick([0.5, 1.0, 0.75])
    return g.add('Gemm', inputs, **attributes)


@op(2, 3)
def MatMul(g, x):
    inner = g.shape(x)[-1]
    others = [t for t in g.values if t != x and g.values[t].dtype == g.dtype and g.rank(t) == g.rank(x)]
    fit = [t for t in others if t in activations(g) and g.shape(t)[-2] == inner and g.shape(t)[:-2] == g.shape(x)[:-2]]
    if fit and g.chance(0.4):
        return g.add('MatMul', [x, g.pick(fit)])
    if g.chance(0.15):
        rows = g.shape(x)[-2]
        return g.add('MatMul', [g.kernel(g.new('w'), 3, rows, fan_in=rows), x])
    shape = [inner, g.pick([3, 4])]
    if g.rank(x) == 3 and g.chance(0.15):
        shape.insert(0, g.shape(x)[0])
    return g.add('MatMul', [x, g.kernel(g.new('w'), *shape, fan_in=inner)])


def activations(g):
    """Names of float tensors that are no initializers."""
    constants = {i.name for i in g.initializers}
    return [t for t, v in g.values.items() if v.dtype == g.dtype and t not in constants]


# --- Element-wise -----------------------------------------------------------------------------------


def partner(g, x, low, high, constant=0.5):
    """Another tensor of x's shape, or a constant that is broadcast."""
    same = [t for t in activations(g) if g.shape(t) == g.shape(x)]
    if same and not g.chance(constant):
        return g.pick(same)
    shape = g.pick([g.shape(x), g.shape(x)[-1:], [1] * (g.rank(x) - 1) + g.shape(x)[-1:], []])
    return g.weight(g.new('c'), *shape, low=low, high=high)


def binary(g, op_type, x, low=-1.0, high=1.0, constant=0.5):
    inputs = [x, partner(g, x, low, high, constant)]
    return g.add(op_type, inputs[::-1] if g.chance(0.25) else inputs)


@op()
def Add(g, x):
    return binary(g, 'Add', x, constant=0.35)


@op()
def Mul(g, x):
    return binary(g, 'Mul', x, 0.25, 1.5)


@op()
def Sub(g, x):
    return binary(g, 'Sub', x)


@op()
def Div(g, x):
    return g.add('Div', [x, partner(g, x, 1.0, 2.5, constant=1)])


@op(since=13)
def Min(g, x):
    return binary(g, 'Min', x)


@op(since=13)
def Max(g, x):
    return binary(g, 'Max', x)


@op()
def PRelu(g, x):
    shape = g.pick([[1], [g.shape(x)[1]] + [1] * (g.rank(x) - 2)]) if g.rank(x) > 1 else [1]
    return g.add('PRelu', [x, g.weight(g.new('slope'), *shape, low=0.1, high=0.4)])


@op(since=13)
def Pow(g, x):
    if g.values[x].min() < 0 or not made_by(g, x, 'Sigmoid', 'Relu', 'HardSigmoid', 'Softmax'):
        x = g.add('Sigmoid', [x])[0]
    return g.add('Pow', [x, g.constant(g.new('e'), g.pick([0.5, 2.0, 3.0]))])


@op()
def Sqrt(g, x):
    if g.values[x].min() < 0 or not made_by(g, x, 'Sigmoid', 'Relu', 'HardSigmoid', 'Softmax'):
        x = g.add('Sigmoid', [x])[0]
    return g.add('Sqrt', [x])


def made_by(g, x, *op_types):
    return any(x in node.output and node.op_type in op_types for node in g.nodes)


@op()
def Relu(g, x):
    return g.add('Relu', [x])


def scalar(g, value):
    """A scalar initializer, shared by all that want the same."""
    name = f'k{value}'.replace('-', 'm').replace('.', 'd')
    return name if name in g.values else g.constant(name, value)


@op()
def Clip(g, x):
    low, high = g.pick([(0.0, 6.0), (0.0, 6.0), (0.0, None), (0.0, 1.0), (-1.0, 1.0), (-0.375, 0.625), (None, 0.75)])
    inputs = [x, '' if low is None else scalar(g, low)]
    if high is not None:
        inputs.append(scalar(g, high))
    return g.add('Clip', inputs)


@op()
def LeakyRelu(g, x):
    return g.add('LeakyRelu', [x], **({} if g.chance(0.3) else {'alpha': g.pick([0.1, 0.25])}))


@op()
def Sigmoid(g, x):
    return g.add('Sigmoid', [x])


@op()
def Tanh(g, x):
    return g.add('Tanh', [x])


@op()
def HardSigmoid(g, x):
    return g.add('HardSigmoid', [x], **({} if g.chance(0.5) else {'alpha': 0.25, 'beta': 0.5}))


@op(since=14)
def HardSwish(g, x):
    return g.add('HardSwish', [x])


@op(since=20)
def Gelu(g, x):
    return g.add('Gelu', [x], **({'approximate': 'tanh'} if g.chance(0.3) else {}))


@op()
def Softmax(g, x):
    if g.rank(x) < 2 or g.shape(x)[-1] < 2:
        return None
    return g.add('Softmax', [x], **g.pick([{}, {'axis': -1}, {'axis': 1}]))


# --- Pools and normalizations -----------------------------------------------------------------------


def pool(g, x):
    if min(g.shape(x)[2:]) < 3:
        return None
    attributes = {'kernel_shape': [2, 2]}
    if g.chance(0.5):
        attributes['strides'] = [2, 2]
    if g.chance(0.2):
        attributes |= {'kernel_shape': [3, 3], 'pads': [1, 1, 1, 1]}
    return attributes


@op(4, since=12)
def MaxPool(g, x):
    attributes = pool(g, x)
    return attributes and g.add('MaxPool', [x], **attributes)


@op(4)
def AveragePool(g, x):
    attributes = pool(g, x)
    if attributes and 'pads' in attributes and g.chance(0.5):
        attributes['count_include_pad'] = 1
    return attributes and g.add('AveragePool', [x], **attributes)


@op(4)
def GlobalAveragePool(g, x):
    return g.add('GlobalAveragePool', [x])


@op(2, 3, 4)
def BatchNormalization(g, x):
    channels = g.shape(x)[1]
    parameters = [
        g.weight(g.new('scale'), channels, low=0.5),
        g.weight(g.new('shift'), channels),
        g.weight(g.new('mean'), channels),
        g.weight(g.new('var'), channels, low=0.5, high=2),
    ]
    return g.add('BatchNormalization', [x, *parameters])


@op(3, 4)
def InstanceNormalization(g, x):
    channels = g.shape(x)[1]
    if np.prod(g.shape(x)[2:]) < 4:
        return None
    return g.add('InstanceNormalization', [x, g.weight(g.new('scale'), channels, low=0.5), g.weight(g.new('shift'), channels)])


@op(2, 3, since=17)
def LayerNormalization(g, x):
    size = g.shape(x)[-1]
    if size < 3:
        return None
    inputs = [x, g.weight(g.new('scale'), size, low=0.5)]
    if g.chance(0.7):
        inputs.append(g.weight(g.new('shift'), size))
    return g.add('LayerNormalization', inputs, axis=-1)


@op(2, 3, 4)
def ReduceMean(g, x):
    axes = g.pick([[-1], [1], list(range(1, g.rank(x)))])
    return g.axes('ReduceMean', [x], axes, since=18, keepdims=g.pick([1, 1, 0]) if g.rank(x) > 2 else 1)


@op()
def CumSum(g, x):
    return g.add('CumSum', [x, g.ints(g.new('axis'), g.rank(x) - 1)])


# --- Movement of data -------------------------------------------------------------------------------


@op()
def Reshape(g, x):
    batch, rest = g.shape(x)[0], int(np.prod(g.shape(x)[1:]))
    shapes = [[batch, -1], [batch, 1, rest]]
    for factor in (2, 3):
        if rest % factor == 0:
            shapes += [[batch, factor, rest // factor], [batch, factor, rest // factor, 1]]
    for side in (2, 3, 4):
        if rest % (side * side) == 0 and rest // (side * side) <= 6:
            shapes.append([batch, rest // (side * side), side, side])
    return g.add('Reshape', [x, g.ints(g.new('shape'), g.pick(shapes))])


@op(2, 3, 4)
def Transpose(g, x):
    if g.rank(x) == 2:
        return g.add('Transpose', [x], perm=[1, 0])
    perm = [0, *(int(a) + 1 for a in g.random.permutation(g.rank(x) - 1))]
    return g.add('Transpose', [x], perm=perm)


@op(3, 4)
def Squeeze(g, x):
    axes = [axis for axis in range(1, g.rank(x)) if g.shape(x)[axis] == 1]
    if not axes or g.rank(x) - len(axes) < 2:
        return None
    return g.axes('Squeeze', [x], axes)


@op(2, 3)
def Unsqueeze(g, x):
    return g.axes('Unsqueeze', [x], g.pick([[1], [g.rank(x)], [2]]))


@op(2, 3, 4)
def Flatten(g, x):
    return g.add('Flatten', [x], **({} if g.chance(0.6) else {'axis': 1}))


@op()
def Slice(g, x):
    axis = g.rank(x) - 1
    size = g.shape(x)[axis]
    if size < 3:
        return None
    bounds = [g.ints(g.new('i'), [1]), g.ints(g.new('i'), [size]), g.ints(g.new('i'), [axis])]
    return g.add('Slice', [x, *bounds])


@op(2, 3, 4)
def Split(g, x):
    axis = 1
    size = g.shape(x)[axis]
    if size < 2:
        return None
    first = int(g.random.integers(1, size))
    if g.opset < 13:
        return g.add('Split', [x], 2, axis=axis, split=[first, size - first])
    if size % 2 == 0 and g.chance(0.4):
        return g.add('Split', [x], 2, axis=axis, **({'num_outputs': 2} if g.opset >= 18 else {}))
    return g.add('Split', [x, g.ints(g.new('sizes'), [first, size - first])], 2, axis=axis)


@op(2, 3, 4)
def Pad(g, x):
    rank = g.rank(x)
    pads = [0] * rank + [0] * rank
    pads[rank - 1] = pads[-1] = 1
    mode = g.pick(['constant', 'constant', 'reflect', 'edge'])
    if mode == 'reflect' and g.shape(x)[-1] < 2:
        return None
    inputs = [x, g.ints(g.new('pads'), pads)]
    if mode == 'constant' and g.chance(0.6):
        low, high = float(g.values[x].min()), float(g.values[x].max())
        inputs.append(scalar(g, g.pick([0.0, 0.0, 0.25 if low < 0.25 < high else 0.0])))
    return g.add('Pad', inputs, **({} if mode == 'constant' and g.chance(0.5) else {'mode': mode}))


@op(4)
def Resize(g, x):
    if g.shape(x)[2] > 5:
        return None
    modes = [
        {'mode': 'nearest', 'nearest_mode': 'floor', 'coordinate_transformation_mode': 'asymmetric'},
        {'mode': 'linear', 'coordinate_transformation_mode': 'half_pixel'},
    ]
    roi = '' if g.opset >= 13 else g.constant(g.new('roi'), np.zeros(0), np.float32)
    return g.add('Resize', [x, roi, g.constant(g.new('scales'), [1, 1, 2, 2], np.float32)], **g.pick(modes))


@op(2, 3, 4)
def Concat(g, x):
    axis = 1
    others = [
        t
        for t in activations(g)
        if g.rank(t) == g.rank(x) and np.delete(g.shape(t), axis).tolist() == np.delete(g.shape(x), axis).tolist()
    ]
    inputs = [x, g.pick(others)]
    if g.chance(0.2):
        inputs.append(g.weight(g.new('c'), *g.shape(x)))
    return g.add('Concat', inputs, axis=axis)


@op(2, 3, 4)
def Gather(g, x):
    axis = g.pick([1, g.rank(x) - 1])
    indices = g.random.integers(0, g.shape(x)[axis], 2)
    return g.add('Gather', [x, g.ints(g.new('rows'), indices)], axis=axis)


@op(2, 3)
def GatherElements(g, x):
    indices = g.random.integers(0, g.shape(x)[1], g.shape(x))
    return g.add('GatherElements', [x, g.ints(g.new('places'), indices)], axis=1)


@op(2, 3, 4)
def TopK(g, x):
    size = g.shape(x)[-1]
    if size < 2:
        return None
    values, _ = g.add('TopK', [x, g.ints(g.new('k'), [min(size, 3)])], 2, axis=-1)
    return [values]


@op()
def Where(g, x):
    condition = g.bool_constant(g.new('mask'), g.random.random(g.shape(x)) < 0.5)
    inputs = [x, partner(g, x, -1.0, 1.0, constant=0.4)]
    return g.add('Where', [condition, *(inputs[::-1] if g.chance(0.3) else inputs)])


@op(2, 3)
def Expand(g, x):
    if g.shape(x)[0] != 1:
        return g.add('Expand', [x, g.ints(g.new('shape'), [2, *g.shape(x)])]) if g.rank(x) == 2 else None
    return g.add('Expand', [x, g.ints(g.new('shape'), [2, *g.shape(x)[1:]])])


@op(2, 3, 4)
def Tile(g, x):
    return g.add('Tile', [x, g.ints(g.new('repeats'), [1] * (g.rank(x) - 1) + [2])])


@op(4, since=13)
def DepthToSpace(g, x):
    return g.add('DepthToSpace', [x], blocksize=2) if g.shape(x)[1] % 4 == 0 else None


@op(4, since=13)
def SpaceToDepth(g, x):
    return g.add('SpaceToDepth', [x], blocksize=2) if all(s % 2 == 0 for s in g.shape(x)[2:]) else None


@op(2, 3, 4)
def ArgMax(g, x):
    """Nothing reads it: its result is an index."""
    g.add('ArgMax', [x], axis=1, keepdims=g.pick([0, 1]))
    return []
