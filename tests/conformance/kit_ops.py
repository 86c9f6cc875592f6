"""What the kit knows about each op type, a function with its row each:

    @op(error=rules.lipschitz(1))
    def Elu(g, x):
        return g.add('Elu', [x], **({} if g.chance(0.5) else {'alpha': 0.5}))

The function puts the operator on top of tensor x of a KitGraph, with attributes drawn from the
graph's seed, and returns the outputs that others may read, or None where it does not fit the
tensor's rank, opset or values. The row is all else: see Op.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from onnx import TensorProto, helper
from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry

import kit_rules as rules

# What the reference quantizes where op_types_to_quantize is empty.
BY_DEFAULT = {*QLinearOpsRegistry, *QDQRegistry}

# What graphs start with, by rank, and where an operator wants another shape.
SHAPES = {4: [1, 4, 5, 4], 3: [1, 4, 5], 2: [3, 6]}
EVEN = {4: [1, 4, 4, 4]}
ONES = {4: [1, 1, 5, 4], 3: [1, 1, 5]}


@dataclass(frozen=True)
class Op:
    """The row of an op type."""

    op_type: str
    put: Callable  # (graph, tensor) -> outputs that others may read, or None
    ranks: tuple  # of tensors that graphs start with, tried in this order
    error: Callable  # its rule of kit_rules.py
    since: int = 11  # the least opset that it is put into
    fused: bool = False  # between Q and DQ it becomes a QLinear operator, which rounds once more
    shares: bool = False  # its output may take the parameters of its input
    float16: bool = True  # runs in float16
    often: int = 1  # its weight in random graphs
    shapes: dict = field(default_factory=dict)  # by rank, where it needs another than SHAPES
    producer: bool = True  # pairs have every op type on top of it
    whole: bool = False  # `put` makes a graph of its own, inputs too

    @property
    def by_default(self):
        return self.op_type in BY_DEFAULT

    def least_opset(self, wanted, opsets):
        """`wanted`, or the first of `opsets` that has the operator."""
        return wanted if wanted >= self.since else next(opset for opset in opsets if opset >= self.since)


OPS = {}


def op(*ranks, producer=None, **row):
    """Registers a function under the op type that it is named for.

    Producers are those with a rule of their own, that is the ones quantized by default, and a few of
    the others.
    """

    def register(build):
        op_type = build.__name__

        def put(graph, tensor):
            if graph.opset < OPS[op_type].since or (ranks and graph.rank(tensor) not in ranks):
                return None
            return build(graph, tensor)

        produces = op_type in BY_DEFAULT if producer is None else producer
        ordered = tuple(rank for rank in (4, 2, 3) if not ranks or rank in ranks)
        OPS[op_type] = Op(op_type, put, ordered, producer=produces, **row)
        return build

    return register


# What only patterns use: their error rules.
ONLY_IN_PATTERNS = {
    'Abs': rules.lipschitz(1),
    'Exp': rules.corners(np.exp),
    'Identity': rules.moved,
    'Neg': rules.lipschitz(1),
}


# --- Operators with weights -----------------------------------------------------------------------


@op(3, 4, error=rules.weighted(2), often=8)
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


@op(4, error=rules.weighted(2))
def ConvTranspose(g, x):
    channels = g.shape(x)[1]
    out = g.pick([2, 3])
    inputs = [x, g.kernel(g.new('w'), channels, out, 2, 2, fan_in=channels)]
    if g.chance(0.6):
        inputs.append(g.weight(g.new('b'), out, low=-0.5, high=0.5))
    return g.add('ConvTranspose', inputs, **({'strides': [2, 2]} if g.chance(0.3) else {}))


@op(2, error=rules.gemm, often=4)
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


@op(2, 3, error=rules.matmul, often=4)
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


# --- Element-wise ---------------------------------------------------------------------------------


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


@op(error=rules.added, fused=True, often=5)
def Add(g, x):
    return binary(g, 'Add', x, constant=0.35)


@op(error=rules.multiplied, fused=True, often=3)
def Mul(g, x):
    return binary(g, 'Mul', x, 0.25, 1.5)


@op(error=rules.added, producer=True)
def Sub(g, x):
    return binary(g, 'Sub', x)


@op(error=rules.divided)
def Div(g, x):
    return g.add('Div', [x, partner(g, x, 1.0, 2.5, constant=1)])


@op(error=rules.largest, since=13)
def Min(g, x):
    return binary(g, 'Min', x)


@op(error=rules.largest, since=13)
def Max(g, x):
    return binary(g, 'Max', x)


@op(error=rules.prelu)
def PRelu(g, x):
    shape = g.pick([[1], [g.shape(x)[1]] + [1] * (g.rank(x) - 2)]) if g.rank(x) > 1 else [1]
    return g.add('PRelu', [x, g.weight(g.new('slope'), *shape, low=0.1, high=0.4)])


@op(error=rules.corners(np.power), since=13)
def Pow(g, x):
    if g.values[x].min() < 0 or not made_by(g, x, 'Sigmoid', 'Relu', 'HardSigmoid', 'Softmax'):
        x = g.add('Sigmoid', [x])[0]
    return g.add('Pow', [x, g.constant(g.new('e'), g.pick([0.5, 2.0, 3.0]))])


@op(error=rules.corners(lambda x: np.sqrt(np.maximum(x, 0))))
def Sqrt(g, x):
    if g.values[x].min() < 0 or not made_by(g, x, 'Sigmoid', 'Relu', 'HardSigmoid', 'Softmax'):
        x = g.add('Sigmoid', [x])[0]
    return g.add('Sqrt', [x])


def made_by(g, x, *op_types):
    return any(x in node.output and node.op_type in op_types for node in g.nodes)


@op(error=rules.lipschitz(1), often=5)
def Relu(g, x):
    return g.add('Relu', [x])


def scalar(g, value):
    """A scalar initializer, shared by all that want the same."""
    name = f'k{value}'.replace('-', 'm').replace('.', 'd')
    return name if name in g.values else g.constant(name, value)


@op(error=rules.lipschitz(1), often=3)
def Clip(g, x):
    low, high = g.pick([(0.0, 6.0), (0.0, 6.0), (0.0, None), (0.0, 1.0), (-1.0, 1.0), (-0.375, 0.625), (None, 0.75)])
    inputs = [x, '' if low is None else scalar(g, low)]
    if high is not None:
        inputs.append(scalar(g, high))
    return g.add('Clip', inputs)


@op(error=rules.lipschitz(1), fused=True)
def LeakyRelu(g, x):
    return g.add('LeakyRelu', [x], **({} if g.chance(0.3) else {'alpha': g.pick([0.1, 0.25])}))


@op(error=rules.lipschitz(0.25), fused=True)
def Sigmoid(g, x):
    return g.add('Sigmoid', [x])


@op(error=rules.lipschitz(1), producer=True)
def Tanh(g, x):
    return g.add('Tanh', [x])


@op(error=rules.lipschitz(lambda a: a.get('alpha', 0.2)))
def HardSigmoid(g, x):
    return g.add('HardSigmoid', [x], **({} if g.chance(0.5) else {'alpha': 0.25, 'beta': 0.5}))


@op(error=rules.lipschitz(1.5), since=14)
def HardSwish(g, x):
    return g.add('HardSwish', [x])


@op(error=rules.lipschitz(1.13), since=20)
def Gelu(g, x):
    return g.add('Gelu', [x], **({'approximate': 'tanh'} if g.chance(0.3) else {}))


@op(error=rules.softmax, fused=True)
def Softmax(g, x):
    if g.rank(x) < 2 or g.shape(x)[-1] < 2:
        return None
    return g.add('Softmax', [x], **g.pick([{}, {'axis': -1}, {'axis': 1}]))


# --- Pools and normalizations ---------------------------------------------------------------------


def pool(g, x):
    if min(g.shape(x)[2:]) < 3:
        return None
    attributes = {'kernel_shape': [2, 2]}
    if g.chance(0.5):
        attributes['strides'] = [2, 2]
    if g.chance(0.2):
        attributes |= {'kernel_shape': [3, 3], 'pads': [1, 1, 1, 1]}
    return attributes


@op(4, error=rules.moved, since=12, shares=True, often=2)
def MaxPool(g, x):
    attributes = pool(g, x)
    return attributes and g.add('MaxPool', [x], **attributes)


@op(4, error=rules.moved, fused=True, shares=True)
def AveragePool(g, x):
    attributes = pool(g, x)
    if attributes and 'pads' in attributes and g.chance(0.5):
        attributes['count_include_pad'] = 1
    return attributes and g.add('AveragePool', [x], **attributes)


@op(4, error=rules.moved, fused=True, shares=True)
def GlobalAveragePool(g, x):
    return g.add('GlobalAveragePool', [x])


@op(2, 3, 4, error=rules.batch_normalization)
def BatchNormalization(g, x):
    channels = g.shape(x)[1]
    parameters = [
        g.weight(g.new('scale'), channels, low=0.5),
        g.weight(g.new('shift'), channels),
        g.weight(g.new('mean'), channels),
        g.weight(g.new('var'), channels, low=0.5, high=2),
    ]
    return g.add('BatchNormalization', [x, *parameters])


@op(3, 4, error=rules.instance_normalization)
def InstanceNormalization(g, x):
    channels = g.shape(x)[1]
    if np.prod(g.shape(x)[2:]) < 4:
        return None
    return g.add('InstanceNormalization', [x, g.weight(g.new('scale'), channels, low=0.5), g.weight(g.new('shift'), channels)])


@op(2, 3, error=rules.layer_normalization, since=17)
def LayerNormalization(g, x):
    size = g.shape(x)[-1]
    if size < 3:
        return None
    inputs = [x, g.weight(g.new('scale'), size, low=0.5)]
    if g.chance(0.7):
        inputs.append(g.weight(g.new('shift'), size))
    return g.add('LayerNormalization', inputs, axis=-1)


@op(2, 3, 4, error=rules.moved, producer=True)
def ReduceMean(g, x):
    axes = g.pick([[-1], [1], list(range(1, g.rank(x)))])
    return g.axes('ReduceMean', [x], axes, since=18, keepdims=g.pick([1, 1, 0]) if g.rank(x) > 2 else 1)


@op(error=rules.moved, float16=False)
def CumSum(g, x):
    return g.add('CumSum', [x, g.ints(g.new('axis'), g.rank(x) - 1)])


# --- Movement of data -----------------------------------------------------------------------------


@op(error=rules.moved, shares=True, often=2)
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


@op(2, 3, 4, error=rules.moved, shares=True)
def Transpose(g, x):
    if g.rank(x) == 2:
        return g.add('Transpose', [x], perm=[1, 0])
    perm = [0, *(int(a) + 1 for a in g.random.permutation(g.rank(x) - 1))]
    return g.add('Transpose', [x], perm=perm)


@op(3, 4, error=rules.moved, shares=True, shapes=ONES)
def Squeeze(g, x):
    axes = [axis for axis in range(1, g.rank(x)) if g.shape(x)[axis] == 1]
    if not axes or g.rank(x) - len(axes) < 2:
        return None
    return g.axes('Squeeze', [x], axes)


@op(2, 3, error=rules.moved, shares=True)
def Unsqueeze(g, x):
    return g.axes('Unsqueeze', [x], g.pick([[1], [g.rank(x)], [2]]))


@op(2, 3, 4, error=rules.moved, shares=True)
def Flatten(g, x):
    return g.add('Flatten', [x], **({} if g.chance(0.6) else {'axis': 1}))


@op(error=rules.moved, shares=True)
def Slice(g, x):
    axis = g.rank(x) - 1
    size = g.shape(x)[axis]
    if size < 3:
        return None
    bounds = [g.ints(g.new('i'), [1]), g.ints(g.new('i'), [size]), g.ints(g.new('i'), [axis])]
    return g.add('Slice', [x, *bounds])


@op(2, 3, 4, error=rules.moved, shares=True)
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


@op(2, 3, 4, error=rules.pad, shares=True)
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


@op(4, error=rules.moved, shares=True)
def Resize(g, x):
    if g.shape(x)[2] > 5:
        return None
    modes = [
        {'mode': 'nearest', 'nearest_mode': 'floor', 'coordinate_transformation_mode': 'asymmetric'},
        {'mode': 'linear', 'coordinate_transformation_mode': 'half_pixel'},
    ]
    roi = '' if g.opset >= 13 else g.constant(g.new('roi'), np.zeros(0), np.float32)
    return g.add('Resize', [x, roi, g.constant(g.new('scales'), [1, 1, 2, 2], np.float32)], **g.pick(modes))


@op(2, 3, 4, error=rules.concatenated, fused=True, often=3)
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


@op(2, 3, 4, error=rules.moved, shares=True)
def Gather(g, x):
    axis = g.pick([1, g.rank(x) - 1])
    indices = g.random.integers(0, g.shape(x)[axis], 2)
    return g.add('Gather', [x, g.ints(g.new('rows'), indices)], axis=axis)


@op(2, 3, error=rules.moved, shares=True, float16=False)
def GatherElements(g, x):
    indices = g.random.integers(0, g.shape(x)[1], g.shape(x))
    return g.add('GatherElements', [x, g.ints(g.new('places'), indices)], axis=1)


@op(2, 3, 4, error=rules.top_k, shares=True)
def TopK(g, x):
    size = g.shape(x)[-1]
    if size < 2:
        return None
    values, _ = g.add('TopK', [x, g.ints(g.new('k'), [min(size, 3)])], 2, axis=-1)
    return [values]


@op(error=rules.largest, fused=True)
def Where(g, x):
    condition = g.bool_constant(g.new('mask'), g.random.random(g.shape(x)) < 0.5)
    inputs = [x, partner(g, x, -1.0, 1.0, constant=0.4)]
    return g.add('Where', [condition, *(inputs[::-1] if g.chance(0.3) else inputs)])


@op(2, 3, error=rules.moved, shapes=ONES)
def Expand(g, x):
    if g.shape(x)[0] != 1:
        return g.add('Expand', [x, g.ints(g.new('shape'), [2, *g.shape(x)])]) if g.rank(x) == 2 else None
    return g.add('Expand', [x, g.ints(g.new('shape'), [2, *g.shape(x)[1:]])])


@op(2, 3, 4, error=rules.moved)
def Tile(g, x):
    return g.add('Tile', [x, g.ints(g.new('repeats'), [1] * (g.rank(x) - 1) + [2])])


@op(4, error=rules.moved, since=13, shapes=EVEN)
def DepthToSpace(g, x):
    return g.add('DepthToSpace', [x], blocksize=2) if g.shape(x)[1] % 4 == 0 else None


@op(4, error=rules.moved, since=13, shapes=EVEN)
def SpaceToDepth(g, x):
    return g.add('SpaceToDepth', [x], blocksize=2) if all(s % 2 == 0 for s in g.shape(x)[2:]) else None


@op(2, 3, 4, error=rules.no_bound, producer=False)
def ArgMax(g, x):
    """Nothing reads it: its result is an index."""
    g.add('ArgMax', [x], axis=1, keepdims=g.pick([0, 1]))
    return []


# --- The one op type of the registries in com.microsoft -------------------------------------------


@op(error=rules.embed_layer_normalization, since=17, whole=True, producer=False)
def EmbedLayerNormalization(g, _):
    hidden, length = 8, 4
    g.inputs.append(helper.make_tensor_value_info('ids', TensorProto.INT32, [1, length]))
    inputs = [
        'ids',
        '',
        g.weight('words', 6, hidden, low=-0.5, high=1),
        g.weight('positions', length, hidden, low=-0.25, high=0.25),
        '',
        g.weight('gamma', hidden, low=0.5, high=1),
        g.weight('beta', hidden),
    ]
    g.nodes.append(
        helper.make_node(
            'EmbedLayerNormalization', inputs, ['h', 'm'], 'embed', domain='com.microsoft', epsilon=1e-5
        )
    )
    g.values |= {'h': np.zeros([1, length, hidden], np.float32), 'm': np.zeros([1], np.int32)}
    g.nodes.append(helper.make_node('MatMul', ['h', g.weight('w', hidden, 3)], ['y'], 'matmul'))
    g.values['y'] = np.zeros([1, length, 3], np.float32)
    g.read.update(['ids', 'h', 'm'])
    return []
