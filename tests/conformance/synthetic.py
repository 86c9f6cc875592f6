"""The small models of the conformance tests, each operator alone and in the patterns of image models.

GRAPHS maps a name to a function that adds nodes to a GraphBuilder. What is quantized, and with which
options, is in cases.py.
"""

import numpy as np

from graph_builder import GraphBuilder

GRAPHS = {}


def graph(opset=13, dtype=np.float32):
    """Registers a function under its name; the seed is its place in this file."""

    def register(build):
        seed = len(GRAPHS)

        def make():
            builder = GraphBuilder(seed, opset, dtype)
            build(builder)
            return builder.model()

        GRAPHS[build.__name__] = make
        return build

    return register


# --- Operators with weights -------------------------------------------------------------------------


@graph()
def conv(b):
    b.output(b.conv(b.input('x', [1, 3, 6, 6]), 'y', 3, 4))


@graph()
def conv_without_bias(b):
    b.output(b.conv(b.input('x', [1, 3, 6, 6]), 'y', 3, 4, bias=False, strides=[2, 2]))


@graph()
def conv_depthwise(b):
    b.output(b.conv(b.input('x', [1, 4, 6, 6]), 'y', 4, 4, group=4))


@graph()
def conv_dynamic_weight(b):
    x = b.input('x', [1, 2, 6, 6])
    w = b.input('w', [3, 2, 3, 3])
    b.output(b.node('Conv', [x, w], 'y'))


@graph()
def conv_zero_channel(b):
    """One output channel of nothing but zeros: its scale is 1."""
    w = b.random.uniform(-1, 1, (3, 2, 3, 3))
    w[1] = 0
    b.output(b.node('Conv', [b.input('x', [1, 2, 6, 6]), b.constant('w', w), b.weight('b', 3)], 'y'))


@graph()
def conv_one_sided_weights(b):
    """Weights of one sign, and a bias much larger than they are."""
    w = b.weight('w', 3, 2, 3, 3, low=0.25, high=1.5)
    v = b.weight('v', 2, 3, 1, 1, low=-2.0, high=-0.5)
    h = b.node('Conv', [b.input('x', [1, 2, 6, 6]), w, b.weight('wb', 3, low=50, high=90)], 'h')
    b.output(b.node('Conv', [h, v, b.weight('vb', 2)], 'y'))


@graph()
def conv_transpose(b):
    w = b.weight('w', 3, 4, 3, 3)
    x = b.input('x', [1, 3, 5, 5])
    b.output(b.node('ConvTranspose', [x, w, b.weight('b', 4)], 'y', strides=[2, 2]))


@graph()
def conv_transpose_without_bias(b):
    x = b.input('x', [1, 4, 5, 5])
    b.output(b.node('ConvTranspose', [x, b.weight('w', 4, 2, 2, 2)], 'y', group=2))


def gemm_on(b, weight_shape, bias=(4,), **attributes):
    shape = [5, 2] if attributes.get('transA') else [2, 5]
    inputs = [b.input('x', shape), b.weight('w', *weight_shape)]
    if bias is not None:
        inputs.append(b.weight('b', *bias))
    b.output(b.node('Gemm', inputs, 'y', **attributes))


@graph()
def gemm(b):
    gemm_on(b, (5, 4))


@graph()
def gemm_transposed(b):
    gemm_on(b, (4, 5), transB=1)


@graph()
def gemm_without_bias(b):
    gemm_on(b, (5, 4), bias=None)


@graph()
def gemm_transposed_input(b):
    gemm_on(b, (5, 4), transA=1)


@graph()
def gemm_explicit_defaults(b):
    gemm_on(b, (4, 5), alpha=1.0, beta=1.0, transB=1)


@graph()
def gemm_alpha_without_bias(b):
    gemm_on(b, (5, 4), bias=None, alpha=0.5)


@graph()
def gemm_beta_zero(b):
    gemm_on(b, (5, 4), beta=0.0)


@graph()
def gemm_beta(b):
    gemm_on(b, (5, 4), beta=0.5)


@graph()
def gemm_alpha(b):
    gemm_on(b, (5, 4), alpha=0.25)


@graph()
def gemm_dynamic_bias(b):
    x = b.input('x', [2, 5])
    c = b.input('c', [2, 4])
    b.output(b.node('Gemm', [x, b.weight('w', 5, 4), c], 'y'))


@graph()
def gemm_relu_gemm(b):
    h = b.node('Gemm', [b.input('x', [2, 5]), b.weight('w', 6, 5), b.weight('wb', 6)], 'h', transB=1)
    r = b.node('Relu', [h], 'r')
    b.output(b.node('Gemm', [r, b.weight('v', 6, 3), b.weight('vb', 3)], 'y'))


@graph()
def matmul(b):
    b.output(b.node('MatMul', [b.input('x', [2, 5]), b.weight('w', 5, 4)], 'y'))


@graph()
def matmul_constant_left(b):
    b.output(b.node('MatMul', [b.weight('w', 3, 5), b.input('x', [5, 4])], 'y'))


@graph()
def matmul_dynamic(b):
    b.output(b.node('MatMul', [b.input('x', [2, 5]), b.input('z', [5, 4])], 'y'))


@graph()
def matmul_rank3(b):
    b.output(b.node('MatMul', [b.input('x', [2, 3, 5]), b.weight('w', 2, 5, 4)], 'y'))


@graph()
def matmul_vector(b):
    b.output(b.node('MatMul', [b.input('x', [3, 5]), b.weight('w', 5)], 'y'))


@graph()
def matmul_add(b):
    h = b.node('MatMul', [b.input('x', [2, 5]), b.weight('w', 5, 4)], 'h')
    b.output(b.node('Add', [h, b.weight('b', 4)], 'y'))


# --- Element-wise -----------------------------------------------------------------------------------


@graph()
def add(b):
    b.output(b.node('Add', [b.input('x', [2, 4]), b.input('z', [2, 4])], 'y'))


@graph()
def add_constant(b):
    b.output(b.node('Add', [b.input('x', [2, 4]), b.weight('c', 4, low=-2, high=1)], 'y'))


@graph()
def add_to_itself(b):
    x = b.input('x', [2, 4])
    b.output(b.node('Add', [x, x], 'y'))


@graph()
def mul(b):
    b.output(b.node('Mul', [b.input('x', [2, 4]), b.input('z', [2, 4])], 'y'))


@graph()
def mul_constant(b):
    b.output(b.node('Mul', [b.weight('c', 2, 1, low=0.1, high=3), b.input('x', [2, 4])], 'y'))


@graph()
def add_integers(b):
    """An Add of shapes beside the float one: integer tensors stay as they are."""
    x = b.input('x', [2, 6])
    b.node('Add', [b.ints('s', [1, 1]), b.ints('t', [2, 3])], 'shape')
    r = b.node('Reshape', [x, 'shape'], 'r')
    b.output(b.node('Mul', [r, b.weight('c', 4)], 'y'), shape=[3, 4])


@graph()
def relu_alone(b):
    b.output(b.node('Relu', [b.input('x', [2, 4])], 'y'))


@graph()
def clip_alone(b):
    x = b.input('x', [2, 4])
    b.output(b.node('Clip', [x, b.constant('low', -0.5), b.constant('high', 0.5)], 'y'))


@graph()
def leaky_relu(b):
    b.output(b.node('LeakyRelu', [b.input('x', [2, 4])], 'y', alpha=0.125))


@graph()
def sigmoid(b):
    b.output(b.node('Sigmoid', [b.input('x', [2, 4])], 'y'))


@graph()
def silu(b):
    h = b.conv(b.input('x', [1, 2, 6, 6]), 'h', 2, 3)
    s = b.node('Sigmoid', [h], 's')
    b.output(b.node('Mul', [h, s], 'y'))


@graph()
def softmax(b):
    b.output(b.node('Softmax', [b.input('x', [2, 5])], 'y'))


@graph()
def softmax_axis(b):
    h = b.node('Softmax', [b.input('x', [2, 5, 3])], 'h', axis=1)
    b.output(b.node('Mul', [h, b.weight('c', 3)], 'y'))


# --- Pools, movement of data ------------------------------------------------------------------------


@graph()
def max_pool_alone(b):
    b.output(b.node('MaxPool', [b.input('x', [1, 2, 6, 6])], 'y', kernel_shape=[2, 2]))


@graph()
def conv_max_pool(b):
    h = b.conv(b.input('x', [1, 2, 6, 6]), 'h', 2, 3)
    b.output(b.node('MaxPool', [h], 'y', kernel_shape=[2, 2], strides=[2, 2]))


@graph()
def average_pool(b):
    x = b.input('x', [1, 2, 6, 6])
    attributes = {'kernel_shape': [3, 3], 'pads': [1, 1, 1, 1], 'count_include_pad': 1}
    b.output(b.node('AveragePool', [x], 'y', **attributes))


@graph()
def conv_average_pool(b):
    h = b.conv(b.input('x', [1, 2, 6, 6]), 'h', 2, 3)
    b.output(b.node('AveragePool', [h], 'y', kernel_shape=[2, 2], strides=[2, 2]))


@graph()
def global_average_pool_alone(b):
    b.output(b.node('GlobalAveragePool', [b.input('x', [1, 2, 4, 4])], 'y'))


@graph()
def conv_global_average_pool(b):
    h = b.conv(b.input('x', [1, 2, 6, 6]), 'h', 2, 3)
    b.output(b.node('GlobalAveragePool', [h], 'y'))


@graph()
def concat(b):
    x = b.input('x', [1, 2, 4])
    z = b.input('z', [1, 3, 4])
    b.output(b.node('Concat', [x, z, x, b.weight('c', 1, 1, 4)], 'y', axis=1))


@graph()
def concat_of_convs(b):
    x = b.input('x', [1, 2, 6, 6])
    left = b.node('Relu', [b.conv(x, 'l', 2, 2, kernel=1)], 'lr')
    right = b.node('Relu', [b.conv(x, 'r', 2, 3)], 'rr')
    c = b.node('Concat', [left, right], 'c', axis=1)
    b.output(b.conv(c, 'y', 5, 2, kernel=1))


@graph()
def concat_unnamed(b):
    x = b.input('x', [1, 2, 4])
    b.output(b.node('Concat', [x, x], 'y', '', axis=-1))


@graph()
def split(b):
    x = b.input('x', [2, 6])
    b.node('Split', [x, b.ints('sizes', [2, 4])], ['s', 't'], axis=1)
    b.output(b.node('Mul', ['s', b.weight('c', 2)], 'y'), 't')


@graph()
def conv_split(b):
    h = b.conv(b.input('x', [1, 2, 4, 4]), 'h', 2, 4)
    b.node('Split', [h], ['s', 't'], axis=1)
    b.output(b.node('Add', ['s', 't'], 'y'))


@graph(opset=18)
def split_num_outputs(b):
    h = b.conv(b.input('x', [1, 2, 4, 4]), 'h', 2, 4)
    b.node('Split', [h], ['s', 't'], 'sp', axis=1, num_outputs=2)
    b.output(b.node('Mul', ['s', 't'], 'y'))


@graph()
def pad_alone(b):
    x = b.input('x', [1, 2, 4, 4])
    b.output(b.node('Pad', [x, b.ints('pads', [0, 0, 1, 1, 0, 0, 1, 1])], 'y'))


def conv_pad_on(b, value=None, **attributes):
    h = b.conv(b.input('x', [1, 2, 4, 4]), 'h', 2, 3)
    inputs = [h, b.ints('pads', [0, 0, 1, 1, 0, 0, 1, 1])]
    if value is not None:
        inputs.append(value)
    p = b.node('Pad', inputs, 'p', **attributes)
    b.output(b.conv(p, 'y', 3, 2, pads=[0, 0, 0, 0]))


@graph()
def conv_pad(b):
    conv_pad_on(b)


@graph()
def conv_pad_empty_value(b):
    conv_pad_on(b, '', mode='constant')


@graph()
def conv_pad_zero(b):
    conv_pad_on(b, b.constant('value', 0.0), mode='constant')


@graph()
def conv_pad_constant(b):
    conv_pad_on(b, b.constant('value', 0.75))


@graph()
def conv_pad_dynamic(b):
    conv_pad_on(b, b.input('value', []))


@graph()
def conv_pad_reflect(b):
    conv_pad_on(b, mode='reflect')


@graph()
def conv_pad_edge(b):
    conv_pad_on(b, mode='edge')


@graph()
def resize(b):
    h = b.conv(b.input('x', [1, 2, 4, 4]), 'h', 2, 3)
    scales = b.constant('scales', [1, 1, 2, 2])
    attributes = {'mode': 'nearest', 'nearest_mode': 'floor', 'coordinate_transformation_mode': 'asymmetric'}
    b.output(b.node('Resize', [h, '', scales], 'y', **attributes))


@graph()
def resize_roi(b):
    h = b.conv(b.input('x', [1, 2, 4, 4]), 'h', 2, 3)
    roi = b.constant('roi', [])
    scales = b.constant('scales', [])
    sizes = b.ints('sizes', [1, 3, 7, 7])
    b.output(b.node('Resize', [h, roi, scales, sizes], 'y', mode='linear'))


@graph()
def reshape_chain(b):
    """Every operator that only moves data, one after the other, between two Convs."""
    h = b.conv(b.input('x', [1, 2, 4, 4]), 'h', 2, 4)
    t = b.node('Transpose', [h], 't', perm=[0, 2, 3, 1])
    u = b.node('Unsqueeze', [t, b.ints('axes', [0])], 'u')
    s = b.node('Squeeze', [u, 'axes'], 's')
    r = b.node('Reshape', [s, b.ints('shape', [1, 4, 4, 4])], 'r')
    b.output(b.conv(r, 'y', 4, 2, kernel=1))


@graph()
def movement_of_input(b):
    """Data movement before anything is quantized stays float."""
    t = b.node('Transpose', [b.input('x', [1, 4, 4, 2])], 't', perm=[0, 3, 1, 2])
    b.output(b.conv(t, 'y', 2, 3))


@graph()
def movement_to_output(b):
    h = b.conv(b.input('x', [1, 2, 4, 4]), 'h', 2, 4)
    b.output(b.node('Flatten', [h], 'y'))


@graph()
def flatten_gemm(b):
    h = b.node('GlobalAveragePool', [b.conv(b.input('x', [1, 2, 4, 4]), 'c', 2, 4)], 'h')
    f = b.node('Flatten', [h], 'f')
    b.output(b.node('Gemm', [f, b.weight('w', 3, 4), b.weight('b', 3)], 'y', transB=1))


@graph()
def argmax(b):
    h = b.conv(b.input('x', [1, 2, 4, 4]), 'h', 2, 4)
    b.output(b.node('ArgMax', [h], 'y', axis=1, keepdims=0), dtype=np.int64)


@graph()
def argmax_alone(b):
    b.output(b.node('ArgMax', [b.input('x', [2, 5])], 'y', axis=1), dtype=np.int64)


@graph()
def gather_table(b):
    """An embedding: Gather starts by itself on a float initializer."""
    table = b.weight('table', 6, 4, low=-0.5, high=2)
    g = b.node('Gather', [table, b.ints('rows', [0, 2, 5])], 'g')
    b.output(b.node('Add', [g, b.input('x', [3, 4])], 'y'))


@graph()
def gather_activation(b):
    h = b.conv(b.input('x', [1, 2, 4, 4]), 'h', 2, 4)
    b.output(b.node('Gather', [h, b.ints('rows', [1, 0])], 'y', axis=1))


# --- Patterns ---------------------------------------------------------------------------------------


@graph()
def conv_relu(b):
    r = b.node('Relu', [b.conv(b.input('x', [1, 2, 6, 6]), 'c', 2, 3)], 'r')
    b.output(b.conv(r, 'y', 3, 2, kernel=1))


@graph()
def conv_relu_to_output(b):
    b.output(b.node('Relu', [b.conv(b.input('x', [1, 2, 6, 6]), 'c', 2, 3)], 'y'))


@graph()
def conv_clip6(b):
    c = b.conv(b.input('x', [1, 2, 6, 6]), 'c', 2, 3)
    r = b.node('Clip', [c, b.constant('low', 0), b.constant('high', 6)], 'r')
    b.output(b.conv(r, 'y', 3, 2, kernel=1))


@graph()
def conv_clip_narrow(b):
    """Bounds within the range of the data, so that the range is exactly theirs."""
    c = b.conv(b.input('x', [1, 2, 6, 6]), 'c', 2, 3)
    r = b.node('Clip', [c, b.constant('low', -0.375), b.constant('high', 0.625)], 'r')
    b.output(b.conv(r, 'y', 3, 2, kernel=1))


@graph()
def conv_clip_low_only(b):
    c = b.conv(b.input('x', [1, 2, 6, 6]), 'c', 2, 3)
    r = b.node('Clip', [c, b.constant('low', 0)], 'r')
    b.output(b.conv(r, 'y', 3, 2, kernel=1))


@graph()
def conv_relu_two_readers(b):
    """The Conv's output is read past the Relu too, so the Relu cannot go."""
    c = b.conv(b.input('x', [1, 2, 6, 6]), 'c', 2, 2)
    r = b.node('Relu', [c], 'r')
    b.output(b.node('Add', [c, r], 'y'))


@graph()
def relu_input_is_output(b):
    c = b.conv(b.input('x', [1, 2, 6, 6]), 'c', 2, 2)
    b.output(b.node('Relu', [c], 'y'), c)


@graph()
def relu_relu(b):
    c = b.conv(b.input('x', [1, 2, 6, 6]), 'c', 2, 2)
    r = b.node('Relu', [c], 'r')
    b.output(b.node('Clip', [r, '', b.constant('high', 0.5)], 'y'))


@graph()
def output_is_read(b):
    """A graph output that goes on: its readers get the dequantized value too."""
    h = b.conv(b.input('x', [1, 2, 6, 6]), 'h', 2, 3)
    b.output(h, b.conv(h, 'y', 3, 2, kernel=1))


@graph()
def conv_batch_norm(b):
    c = b.conv(b.input('x', [1, 2, 6, 6]), 'c', 2, 3, bias=False)
    statistics = [b.weight('scale', 3, low=0.5), b.weight('bias', 3), b.weight('mean', 3)]
    n = b.node('BatchNormalization', [c, *statistics, b.weight('var', 3, low=0.5, high=2)], 'n')
    b.output(b.node('Relu', [n], 'y'))


@graph()
def residual(b):
    x = b.input('x', [1, 2, 6, 6])
    stem = b.node('Relu', [b.conv(x, 's', 2, 3)], 'sr')
    left = b.node('Relu', [b.conv(stem, 'l', 3, 3)], 'lr')
    left = b.conv(left, 'm', 3, 3, kernel=1)
    total = b.node('Add', [left, stem], 'a')
    b.output(b.conv(b.node('Relu', [total], 'ar'), 'y', 3, 2, kernel=1))


@graph()
def shared_weight(b):
    w = b.weight('w', 2, 2, 3, 3)
    pads = [1, 1, 1, 1]
    h = b.node('Conv', [b.input('x', [1, 2, 6, 6]), w, b.weight('b1', 2)], 'h', pads=pads)
    b.output(b.node('Conv', [h, w, b.weight('b2', 2)], 'y', pads=pads))


@graph()
def shared_bias(b):
    bias = b.weight('bias', 2)
    h = b.node('Conv', [b.input('x', [1, 2, 6, 6]), b.weight('w1', 2, 2, 3, 3), bias], 'h')
    h = b.node('Conv', [h, b.weight('w2', 2, 2, 1, 1), bias], 'g')
    b.output(b.node('Conv', [h, b.weight('w3', 2, 2, 1, 1), bias], 'y'))


@graph()
def shared_bias_numbered(b):
    """Copies of a bias are numbered above the largest number after its name."""
    bias = b.weight('b', 2)
    other = b.weight('b7', 2)
    h = b.node('Conv', [b.input('x', [1, 2, 6, 6]), b.weight('w1', 2, 2, 3, 3), bias], 'h')
    h = b.node('Conv', [h, b.weight('w2', 2, 2, 1, 1), other], 'g')
    b.output(b.node('Conv', [h, b.weight('w3', 2, 2, 1, 1), bias], 'y'))


@graph()
def tiny_bias_scale(b):
    """Weights so small beside the bias that it would not fit int32: the weight scale is raised."""
    w = b.weight('w', 3, 2, 3, 3, low=-1e-9, high=1e-9)
    b.output(b.node('Conv', [b.input('x', [1, 2, 6, 6]), w, b.constant('b', [4.0, -25.0, 1e-4])], 'y'))


@graph()
def tiny_bias_scale_gemm(b):
    w = b.weight('w', 5, 3, low=-1e-9, high=1e-9)
    b.output(b.node('Gemm', [b.input('x', [2, 5]), w, b.constant('b', [4.0, -25.0, 1e-4])], 'y'))


@graph()
def tiny_bias_scale_matmul(b):
    w = b.weight('w', 5, 3, low=-1e-9, high=1e-9)
    h = b.node('MatMul', [b.input('x', [2, 5]), w], 'h')
    b.output(b.node('Add', [h, b.constant('b', [4.0, -25.0, 1e-4])], 'y'))


@graph()
def unnamed_nodes(b):
    x = b.input('x', [1, 2, 6, 6])
    r = b.node('Relu', [b.conv(x, 'c', 2, 3, name='')], 'r', '')
    p = b.node('MaxPool', [r], 'p', '', kernel_shape=[2, 2])
    s = b.node('Sigmoid', [p], 's', '')
    g = b.node('GlobalAveragePool', [s], 'g', '')
    f = b.node('Flatten', [g], 'f', '')
    b.output(b.node('Gemm', [f, b.weight('w', 3, 4), b.weight('b', 4)], 'y', ''))


@graph()
def other_operators_between(b):
    """Operators that are not quantized by default read and write dequantized values."""
    h = b.conv(b.input('x', [1, 2, 6, 6]), 'h', 2, 3)
    e = b.node('Tanh', [h], 'e')
    d = b.node('Sub', [e, h], 'd')
    b.output(b.conv(d, 'y', 3, 2, kernel=1))


@graph()
def several_inputs_and_outputs(b):
    """Names whose alphabetical order differs from the order in the file."""
    second = b.input('b_in', [1, 2, 4, 4])
    first = b.input('a_in', [1, 2, 4, 4])
    z = b.conv(second, 'z_out', 2, 2, kernel=1)
    y = b.conv(first, 'm_out', 2, 2, kernel=1)
    b.output(b.node('Add', [z, y], 'k_out'), z)
    b.output(b.node('Mul', [y, second], 'a_out'))


@graph()
def network(b):
    """A classifier in small: what the option cases run on."""
    x = b.input('x', [1, 3, 8, 8])
    stem = b.node('Relu', [b.conv(x, 'stem', 3, 4, strides=[2, 2])], 'stem_relu')
    deep = b.conv(stem, 'depth', 4, 4, group=4)
    deep = b.node('Clip', [deep, b.constant('zero', 0), b.constant('six', 6)], 'depth_clip')
    deep = b.conv(deep, 'point', 4, 4, kernel=1, bias=False)
    total = b.node('Add', [deep, stem], 'sum')
    pooled = b.node('MaxPool', [total], 'pool', kernel_shape=[2, 2], strides=[2, 2])
    squeezed = b.node('GlobalAveragePool', [pooled], 'gap')
    excited = b.node('Sigmoid', [b.conv(squeezed, 'gate', 4, 4, kernel=1)], 'gate_sigmoid')
    scaled = b.node('Mul', [pooled, excited], 'scaled')
    flat = b.node('Reshape', [scaled, b.ints('flat_shape', [1, -1])], 'flat')
    logits = b.node('Gemm', [flat, b.weight('fc_w', 5, 16), b.weight('fc_b', 5)], 'logits', transB=1)
    b.output(b.node('Softmax', [logits], 'probabilities', axis=1))


# --- float16 ----------------------------------------------------------------------------------------


@graph(opset=19, dtype=np.float16)
def conv_float16(b):
    r = b.node('Relu', [b.conv(b.input('x', [1, 3, 6, 6]), 'c', 3, 4)], 'r')
    b.output(b.conv(r, 'y', 4, 2, kernel=1, bias=False))


@graph(opset=19, dtype=np.float16)
def gemm_float16(b):
    h = b.node('Gemm', [b.input('x', [2, 5]), b.weight('w', 6, 5), b.weight('wb', 6)], 'h', transB=1)
    h = b.node('LeakyRelu', [h], 'l', alpha=0.25)
    b.output(b.node('MatMul', [h, b.weight('v', 6, 3)], 'y'))


@graph(opset=19, dtype=np.float16)
def tiny_bias_scale_float16(b):
    w = b.weight('w', 3, 2, 3, 3, low=-1e-3, high=1e-3)
    b.output(b.node('Conv', [b.input('x', [1, 2, 6, 6]), w, b.constant('b', [4.0, -25.0, 1e-4])], 'y'))


@graph(opset=19, dtype=np.float16)
def small_values_float16(b):
    """Scales near the smallest float16, normal and subnormal."""
    w = b.weight('w', 3, 2, 1, 1, low=-2e-5, high=2e-5)
    h = b.node('Conv', [b.input('x', [1, 2, 4, 4]), w], 'h')
    b.output(b.node('Mul', [h, b.constant('c', [3e-7])], 'y'))


@graph(opset=19, dtype=np.float16)
def small_bias_float16(b):
    """The product of two float16 scales is no float16: the bias is dequantized in float and cast."""
    w = b.weight('w', 3, 2, 1, 1, low=-2e-5, high=2e-5)
    b.output(b.node('Conv', [b.input('x', [1, 2, 4, 4]), w, b.constant('b', [1e-6, 0.0, -2e-6])], 'y'))
