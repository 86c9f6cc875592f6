"""Patterns written by hand: what shares parameters, what is removed, what several nodes read.

PATTERNS maps a name to a function that adds nodes to a KitGraph; outputs that nobody reads leave
the graph by themselves.
"""

import numpy as np

PATTERNS = {}
OPSETS = {}


def pattern(since=13):
    def register(build):
        PATTERNS[build.__name__] = build
        OPSETS[build.__name__] = since
        return build

    return register


def opset(name, seed):
    return max(OPSETS[name], (13, 21)[seed % 2])


def image(b, channels=2, size=4):
    return b.input('x', [1, channels, size, size])


def conv(b, x, output, channels=3, kernel=1, **attributes):
    return b.conv(x, output, b.shape(x)[1], channels, kernel=kernel, **attributes)


# --- Parameters that are shared -------------------------------------------------------------------


@pattern()
def chain_to_conv(b):
    h = conv(b, image(b), 'h', 4)
    t = b.node('Transpose', [h], 't', perm=[0, 2, 3, 1])
    r = b.node('Reshape', [t, b.ints('shape', [1, 4, 4, 4])], 'r')
    p = b.node('MaxPool', [r], 'p', kernel_shape=[2, 2])
    a = b.node('AveragePool', [p], 'a', kernel_shape=[2, 2])
    conv(b, a, 'y')


@pattern()
def chain_to_output(b):
    h = conv(b, image(b), 'h', 4)
    s = b.node('Slice', [h, b.ints('from', [0]), b.ints('to', [2]), b.ints('axis', [1])], 's')
    u = b.node('Unsqueeze', [s, b.ints('front', [0])], 'u')
    q = b.node('Squeeze', [u, 'front'], 'q')
    b.node('Flatten', [q], 'y')


@pattern()
def chain_of_input(b):
    """Nothing is quantized before the chain: it stays float, or is forced."""
    x = image(b)
    t = b.node('Transpose', [x], 't', perm=[0, 1, 3, 2])
    p = b.node('MaxPool', [t], 'p', kernel_shape=[2, 2])
    f = b.node('Flatten', [p], 'f')
    b.node('Gemm', [f, b.weight('w', 18, 3), b.weight('b', 3)], 'y')


@pattern()
def chain_read_twice(b):
    h = conv(b, image(b), 'h', 4)
    t = b.node('Transpose', [h], 't', perm=[0, 2, 3, 1])
    r = b.node('Reshape', [t, b.ints('shape', [4, 16])], 'r')
    b.node('Softmax', [r], 's', axis=-1)
    b.node('Transpose', [r], 'rt', perm=[1, 0])
    conv(b, h, 'y')


@pattern()
def chain_output_read_again(b):
    """The middle of a chain is a graph output too."""
    h = conv(b, image(b), 'h', 4)
    t = b.node('Transpose', [h], 't', perm=[0, 2, 3, 1])
    b.output(t)
    r = b.node('Reshape', [t, b.ints('shape', [1, 4, 4, 4])], 'r')
    conv(b, r, 'y')


@pattern()
def split_three(b):
    h = conv(b, image(b), 'h', 6)
    b.node('Split', [h, b.ints('sizes', [1, 2, 3])], ['s1', 's2', 's3'], axis=1)
    conv(b, 's1', 'y1')
    b.node('Relu', ['s2'], 'y2')
    b.output('s3')
    b.node('Sigmoid', ['s3'], 'y3')


@pattern()
def split_of_input(b):
    x = image(b, 4)
    b.node('Split', [x, b.ints('sizes', [2, 2])], ['s1', 's2'], axis=1)
    b.node('Add', ['s1', 's2'], 'y')


@pattern()
def split_concat(b):
    """A shuffle: split, one half through a Conv, back together."""
    h = conv(b, image(b), 'h', 4)
    b.node('Split', [h, b.ints('sizes', [2, 2])], ['left', 'right'], axis=1)
    c = conv(b, 'right', 'c', 2, 3)
    k = b.node('Concat', ['left', c], 'k', axis=1)
    r = b.node('Reshape', [k, b.ints('shape', [1, 2, 2, 4, 4])], 'r')
    t = b.node('Transpose', [r], 't', perm=[0, 2, 1, 3, 4])
    f = b.node('Reshape', [t, b.ints('back', [1, 4, 4, 4])], 'f')
    conv(b, f, 'y')


@pattern()
def gather_rows(b):
    """An embedding table: Gather of a float initializer."""
    table = b.weight('table', 6, 4, low=-0.5, high=2)
    g = b.node('Gather', [table, b.ints('rows', [0, 2, 5])], 'g')
    m = b.node('MatMul', [g, b.weight('w', 4, 5)], 'm')
    b.node('Add', [m, b.input('x', [3, 5])], 'y')


@pattern()
def gather_of_conv(b):
    h = conv(b, image(b), 'h', 4)
    g = b.node('Gather', [h, b.ints('rows', [3, 1])], 'g', axis=1)
    conv(b, g, 'y')


@pattern()
def gather_elements(b):
    m = b.node('MatMul', [b.input('x', [3, 4]), b.weight('w', 4, 5)], 'm')
    g = b.node('GatherElements', [m, b.ints('places', [[0, 4], [1, 1], [2, 0]])], 'g', axis=1)
    b.node('MatMul', [g, b.weight('v', 2, 3)], 'y')


@pattern()
def gather_elements_table(b):
    g = b.node('GatherElements', [b.weight('table', 3, 4), b.ints('places', [[0, 3], [1, 1], [2, 0]])], 'g', axis=1)
    b.node('Add', [g, b.input('x', [3, 2])], 'y')


@pattern()
def pad_modes(b):
    h = conv(b, image(b), 'h')
    pads = b.ints('pads', [0, 0, 1, 1, 0, 0, 1, 1])
    b.node('Pad', [h, pads], 'p1', mode='reflect')
    b.node('Pad', [h, pads], 'p2', mode='edge')
    b.node('Pad', [h, pads, b.constant('zero', 0.0)], 'p3')
    b.node('Pad', [h, pads, b.constant('quarter', 0.25)], 'p4')
    for at in (1, 2, 3, 4):
        conv(b, f'p{at}', f'y{at}', 2)


@pattern()
def where_of_convs(b):
    x = image(b)
    mask = b.bool_constant('mask', b.random.random([1, 3, 4, 4]) < 0.5)
    w = b.node('Where', [mask, conv(b, x, 'p'), conv(b, x, 'q', kernel=3)], 'w')
    conv(b, w, 'y')


@pattern()
def where_constant(b):
    mask = b.bool_constant('mask', b.random.random([1, 3, 4, 4]) < 0.5)
    w = b.node('Where', [mask, conv(b, image(b), 'p'), b.constant('fill', -0.5)], 'w')
    conv(b, w, 'y')


@pattern()
def where_of_inputs(b):
    mask = b.bool_constant('mask', b.random.random([2, 4]) < 0.5)
    w = b.node('Where', [mask, b.input('x', [2, 4]), b.input('z', [2, 4])], 'w')
    b.node('MatMul', [w, b.weight('v', 4, 3)], 'y')


@pattern()
def top_k(b):
    m = b.node('MatMul', [b.input('x', [3, 4]), b.weight('w', 4, 6)], 'm')
    b.node('TopK', [m, b.ints('k', [3])], ['values', 'places'])
    b.output('places')
    b.node('MatMul', ['values', b.weight('v', 3, 3)], 'y')


@pattern()
def slices_of_one(b):
    h = conv(b, image(b), 'h', 4)
    axis = b.ints('axis', [1])
    ends = [b.ints(f'i{i}', [i]) for i in (0, 2, 4)]
    left = b.node('Slice', [h, ends[0], ends[1], axis], 'left')
    right = b.node('Slice', [h, ends[1], ends[2], axis], 'right')
    b.node('Mul', [left, right], 'y')


@pattern()
def resize_between(b):
    h = conv(b, image(b), 'h')
    scales = b.constant('scales', [1, 1, 2, 2], np.float32)
    r = b.node('Resize', [h, '', scales], 'r', mode='nearest', nearest_mode='floor', coordinate_transformation_mode='asymmetric')
    conv(b, r, 'y', 2)


@pattern()
def pools(b):
    h = conv(b, image(b, size=6), 'h', 4)
    m = b.node('MaxPool', [h], 'm', kernel_shape=[2, 2], strides=[2, 2])
    a = b.node('AveragePool', [m], 'a', kernel_shape=[3, 3])
    b.node('GlobalAveragePool', [m], 'g')
    f = b.node('Flatten', [a], 'f')
    b.node('Gemm', [f, b.weight('w', 3, 4), b.weight('b', 3)], 'y', transB=1)


# --- Relu and Clip that go, or stay ---------------------------------------------------------------


@pattern()
def relu_goes(b):
    r = b.node('Relu', [conv(b, image(b), 'c')], 'r')
    conv(b, r, 'y')


@pattern()
def relu_after_add(b):
    x = image(b)
    a = b.node('Add', [conv(b, x, 'l'), conv(b, x, 'm', kernel=3)], 'a')
    r = b.node('Relu', [a], 'r')
    conv(b, r, 'y')


@pattern()
def relu_after_movement(b):
    """The Relu's input shares the parameters of the Conv's output."""
    h = conv(b, image(b), 'h', 4)
    t = b.node('Transpose', [h], 't', perm=[0, 2, 3, 1])
    r = b.node('Relu', [t], 'r')
    conv(b, r, 'y')


@pattern()
def movement_after_relu(b):
    r = b.node('Relu', [conv(b, image(b), 'h', 4)], 'r')
    t = b.node('Transpose', [r], 't', perm=[0, 2, 3, 1])
    conv(b, t, 'y')


@pattern()
def relu_of_input(b):
    r = b.node('Relu', [image(b)], 'r')
    conv(b, r, 'y')


@pattern()
def relu_output_read(b):
    r = b.node('Relu', [conv(b, image(b), 'c')], 'r')
    b.output(r)
    conv(b, r, 'y')


@pattern()
def relu_two_readers(b):
    r = b.node('Relu', [conv(b, image(b), 'c')], 'r')
    b.node('Add', [conv(b, r, 'l'), r], 'y')


@pattern()
def clip_six(b):
    c = b.node('Clip', [conv(b, image(b), 'c'), b.constant('low', 0.0), b.constant('high', 6.0)], 'r')
    d = b.node('Clip', [conv(b, c, 'd', 4), 'low', 'high'], 's')
    conv(b, d, 'y')


@pattern()
def clip_then_relu(b):
    c = b.node('Clip', [conv(b, image(b), 'c'), '', b.constant('high', 0.5)], 'k')
    r = b.node('Relu', [c], 'r')
    conv(b, r, 'y')


@pattern()
def relu_of_split(b):
    h = conv(b, image(b), 'h', 4)
    b.node('Split', [h, b.ints('sizes', [2, 2])], ['s', 't'], axis=1)
    b.node('Add', [b.node('Relu', ['s'], 'r'), 't'], 'y')


@pattern()
def relu_of_concat(b):
    x = image(b)
    k = b.node('Concat', [conv(b, x, 'p', 2), conv(b, x, 'q', 2)], 'k', axis=1)
    conv(b, b.node('Relu', [k], 'r'), 'y')


# --- Weights and biases ---------------------------------------------------------------------------


@pattern()
def shared_conv_weight(b):
    w = b.weight('w', 2, 2, 1, 1)
    h = b.node('Conv', [image(b), w, b.weight('b1', 2)], 'h')
    b.node('Conv', [h, w, b.weight('b2', 2)], 'y')


@pattern()
def shared_matmul_weight(b):
    w = b.weight('w', 4, 4)
    h = b.node('MatMul', [b.input('x', [3, 4]), w], 'h')
    b.node('MatMul', [h, w], 'y')


@pattern()
def shared_bias_qdq(b):
    bias = b.weight('bias', 2)
    h = b.node('Conv', [image(b), b.weight('w1', 2, 2, 1, 1), bias], 'h')
    b.node('Conv', [h, b.weight('w2', 2, 2, 1, 1), bias], 'y')


@pattern()
def constants_of_add_and_mul(b):
    c = b.weight('c', 4, low=-2)
    a = b.node('Add', [b.input('x', [2, 4]), c], 'a')
    m = b.node('Mul', [a, b.weight('d', 1, 4, low=0.25)], 'm')
    b.node('Add', [m, c], 'y')


@pattern()
def large_bias(b):
    """Weights so small beside the bias that the weight's scale is raised."""
    w = b.constant('w', np.round(b.random.uniform(-1, 1, [2, 2, 1, 1]) * 64) * 2.0**-38)
    h = b.node('Conv', [image(b), w, b.constant('bias', [3.5, -20.25])], 'h')
    conv(b, h, 'y')


@pattern()
def dead_channel(b):
    w = b.random.integers(-64, 64, [3, 2, 1, 1]) / 64
    w[1] = 0
    h = b.node('Conv', [image(b), b.constant('w', w), b.weight('bias', 3)], 'h')
    conv(b, h, 'y', 2)


@pattern()
def matmul_bias(b):
    m = b.node('MatMul', [b.input('x', [3, 4]), b.weight('w', 4, 5)], 'm')
    a = b.node('Add', [m, b.weight('bias', 5)], 'a')
    b.node('Relu', [a], 'y')


@pattern()
def attention(b):
    """Two MatMuls of activations around a Softmax."""
    x = b.input('x', [1, 4, 6])
    q, k, v = (b.node('MatMul', [x, b.weight(f'w{name}', 6, 6, low=-0.5, high=0.5)], name) for name in 'qkv')
    kt = b.node('Transpose', [k], 'kt', perm=[0, 2, 1])
    s = b.node('Mul', [b.node('MatMul', [q, kt], 'qk'), b.constant('scale', 0.5)], 's')
    p = b.node('Softmax', [s], 'p', axis=-1)
    o = b.node('MatMul', [p, v], 'o')
    b.node('Add', [b.node('MatMul', [o, b.weight('wo', 6, 6, low=-0.5, high=0.5)], 'm'), x], 'y')


@pattern()
def batch_norm_alone(b):
    h = conv(b, image(b), 'h', bias=False)
    parameters = [b.weight('g', 3, low=0.5), b.weight('s', 3), b.weight('m', 3), b.weight('v', 3, low=0.5, high=2)]
    conv(b, b.node('Relu', [b.node('BatchNormalization', [h, *parameters], 'n')], 'r'), 'y')


@pattern(since=17)
def layer_norm_mlp(b):
    x = b.input('x', [1, 3, 6])
    n = b.node('LayerNormalization', [x, b.weight('g', 6, low=0.5), b.weight('s', 6)], 'n', axis=-1)
    m = b.node('MatMul', [n, b.weight('w', 6, 8)], 'm')
    a = b.node('Add', [m, b.weight('b', 8)], 'a')
    r = b.node('MatMul', [b.node('Relu', [a], 'r'), b.weight('v', 8, 6, low=-0.5, high=0.5)], 'k')
    b.node('Add', [r, x], 'y')


@pattern()
def instance_norm(b):
    h = conv(b, image(b), 'h')
    n = b.node('InstanceNormalization', [h, b.weight('g', 3, low=0.5), b.weight('s', 3)], 'n')
    conv(b, n, 'y')


# --- Several readers, graph outputs, float operators between --------------------------------------


@pattern()
def many_readers(b):
    h = conv(b, image(b), 'h')
    conv(b, h, 'y1', 2)
    b.node('Add', [h, h], 'y2')
    b.node('Sigmoid', [h], 'y3')
    b.node('MaxPool', [h], 'y4', kernel_shape=[2, 2])


@pattern()
def input_is_read_by_all(b):
    x = image(b, 3)
    conv(b, x, 'y1', 2)
    b.node('Mul', [x, b.weight('c', 3, 1, 1, low=0.25)], 'y2')
    b.node('Relu', [x], 'y3')


@pattern()
def outputs_read_again(b):
    h = conv(b, image(b), 'h')
    b.output(h)
    s = b.node('Sigmoid', [h], 's')
    b.output(s)
    b.node('Mul', [h, s], 'y')


@pattern()
def float_between(b):
    h = conv(b, image(b), 'h')
    e = b.node('Exp', [b.node('Neg', [b.node('Abs', [h], 'v')], 'n')], 'e')
    conv(b, e, 'y')


@pattern()
def int_path(b):
    """A shape computed by integer Adds: nothing of it is quantized."""
    h = conv(b, image(b), 'h')
    b.node('Add', [b.ints('p', [0, -2]), b.ints('q', [1, 1])], 'shape')
    r = b.node('Reshape', [h, 'shape'], 'r')
    b.node('MatMul', [r, b.weight('w', 48, 3, low=-0.25, high=0.25)], 'y')


@pattern()
def conv_of_any_length(b):
    """One dimension."""
    x = b.input('x', [1, 2, 6])
    h = b.node('Conv', [x, b.weight('w', 3, 2, 3), b.weight('b', 3)], 'h', pads=[1, 1])
    b.node('Relu', [h], 'y')


@pattern()
def silu_block(b):
    h = conv(b, image(b), 'h', 3)
    s = b.node('Mul', [h, b.node('Sigmoid', [h], 'g')], 's')
    conv(b, s, 'y')


@pattern()
def squeeze_excite(b):
    h = b.node('Relu', [conv(b, image(b), 'h', 4)], 'r')
    p = b.node('GlobalAveragePool', [h], 'p')
    g = b.node('HardSigmoid', [conv(b, p, 'd', 4)], 'g')
    conv(b, b.node('Mul', [h, g], 'm'), 'y')
