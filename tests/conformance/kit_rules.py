"""Error rules: how far a node's outputs may be off, given how far its inputs are.

A rule is a function (case, node) -> an array of errors for each output, or None for one that has no
bound. `case` (Case of kit_error.py) tells the values and errors of the node's inputs. The row of an
op type in kit_ops.py names its rule.
"""

import numpy as np
import onnx
from onnx import helper


def weighted(bias_at):
    """Conv, ConvTranspose: x, weight, bias."""

    def rule(c, node):
        x, w = node.input[0], node.input[1]
        e_x, e_w = c.error(x), c.raised(node, bias_at, x, w, c.error(w, weight=True))
        bare = onnx.NodeProto()
        bare.CopyFrom(node)
        bare.input[:] = node.input[:2]
        wide = c.m.product(bare, [np.abs(c.value(x)) + e_x, np.abs(c.value(w)) + e_w])
        error = wide - c.m.product(bare, [np.abs(c.value(x)), np.abs(c.value(w))])
        error = np.maximum(error, 0) + wide * 2**-20
        if len(node.input) > bias_at and node.input[bias_at]:
            e_b = np.broadcast_to(c.bias_error(node, bias_at, x, w), c.value(node.input[bias_at]).shape)
            error = error + e_b.reshape([-1] + [1] * (error.ndim - 2))
        return [error]

    return rule


def gemm(c, node):
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    x, w = node.input[:2]
    e_x, e_w = c.error(x), c.raised(node, 2, x, w, c.error(w, weight=True))
    turn = [attributes.get('transA', 0), attributes.get('transB', 0)]
    flip = lambda array, at: np.broadcast_to(array, c.value(node.input[at]).shape).T if turn[at] else array
    a, b = flip(np.abs(c.value(x)), 0), flip(np.abs(c.value(w)), 1)
    e_a, e_b = flip(e_x, 0), flip(e_w, 1)
    error = abs(attributes.get('alpha', 1.0)) * ((a + e_a) @ (b + e_b) - a @ b)
    if len(node.input) > 2 and node.input[2]:
        # alpha and beta may be in the scale of the bias, or beta in the bias.
        e_c = c.bias_error(node, 2, x, w) * max(1.0, abs(attributes.get('alpha', 1.0)))
        scale = c.input_step(x) * c.step_of_weight(w) if w in c.m.constants else 0.0
        error = error + np.abs(attributes.get('beta', 1.0)) * e_c + scale / 2
    return [error]


def matmul(c, node):
    x, w = node.input
    a, b = np.abs(c.value(x)), np.abs(c.value(w))
    return [(a + c.error(x, weight=True)) @ (b + c.error(w, weight=True)) - a @ b]


def lipschitz(slope):
    """Element-wise functions of one input; `slope` a number, or a function of the node's
    attributes.
    """

    def rule(c, node):
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        return [c.error(node.input[0]) * (slope(attributes) if callable(slope) else slope)]

    return rule


def added(c, node):
    return [sum(c.error(name) for name in node.input)]


def largest(c, node):
    """Min, Max, Where: one of the inputs."""
    names = [name for name in node.input if c.m.dtypes[name].kind == 'f']
    error = np.zeros(c.value(node.output[0]).shape)
    for name in names:
        error = np.maximum(error, c.error(name))
    return [error]


def multiplied(c, node):
    x, y = (np.abs(c.value(name)) for name in node.input)
    e_x, e_y = (c.error(name) for name in node.input)
    return [x * e_y + y * e_x + e_x * e_y]


def divided(c, node):
    x, y = (np.abs(c.value(name)) for name in node.input)
    e_x, e_y = (c.error(name) for name in node.input)
    least = y - e_y
    return [np.where(least > 0, (x + e_x) / np.maximum(least, 1e-30) - x / y, np.inf)]


def corners(function):
    """Monotone in every input: the function at the ends of each input's interval."""

    def rule(c, node):
        centre = function(*(c.value(name) for name in node.input))
        error = np.zeros(np.shape(centre))
        ends = [(c.value(n) - c.error(n), c.value(n) + c.error(n)) for n in node.input]
        for choice in np.ndindex(*[2] * len(ends)):
            error = np.maximum(error, np.abs(function(*(e[i] for e, i in zip(ends, choice, strict=True))) - centre))
        return [error]

    return rule


def prelu(c, node):
    x, slope = node.input
    e_x, e_s = c.error(x), c.error(slope)
    return [np.maximum(1, np.abs(c.value(slope)) + e_s) * e_x + np.abs(c.value(x)) * e_s]


def softmax(c, node):
    axis = next((a.i for a in node.attribute if a.name == 'axis'), 1 if c.m.opset < 13 else -1)
    e = c.error(node.input[0])
    axes = axis if c.m.opset >= 13 else tuple(range(axis % e.ndim, e.ndim))
    p = c.value(node.output[0])
    return [np.minimum(p * np.expm1(2 * e.max(axis=axes, keepdims=True)), 1.0)]


def moved(c, node):
    """What moves, repeats, pools or interpolates its first input: its error goes the same way."""
    return c.m.moved(node, {node.input[0]: c.error(node.input[0])})


def pad(c, node):
    outputs = c.m.moved(node, {node.input[0]: c.error(node.input[0])})
    if len(node.input) > 2 and node.input[2]:
        # The value is quantized with parameters of its own, or with the input's.
        worst = np.max(c.error(node.input[2])) + c.step(node.input[0])
        outputs = [np.abs(outputs[0]) + worst]
    return outputs


def concatenated(c, node):
    full = {name: np.broadcast_to(c.error(name), c.value(name).shape) for name in node.input}
    return c.m.moved(node, full)


def top_k(c, node):
    e = c.error(node.input[0])
    return [np.full(c.value(node.output[0]).shape, e.max())]


def no_bound(c, node):
    return [None]


def batch_normalization(c, node):
    """scale (x - mean) / sqrt(var) + shift, mean and var float; scale a weight, shift a bias."""
    x, scale, shift, mean, var = node.input
    e = c.error(x)
    shape = [1, -1] + [1] * (e.ndim - 2)
    inverse = 1 / np.sqrt(c.value(var) + 1e-5).reshape(shape)
    e_scale = np.broadcast_to(c.raised(node, 2, x, scale, c.error(scale, weight=True)), c.value(scale).shape)
    e_shift = np.broadcast_to(c.bias_error(node, 2, x, scale), c.value(shift).shape)
    centred = np.abs(c.value(x) - c.value(mean).reshape(shape)) * inverse
    a = np.abs(c.value(scale)).reshape(shape)
    return [a * e * inverse + e_scale.reshape(shape) * (centred + e * inverse) + e_shift.reshape(shape)]


def normalized(x, e, axes, epsilon):
    """(values, errors) of (x - mean) / deviation: the deviation moves at most by the error's root
    mean square.
    """
    mean, deviation = x.mean(axis=axes, keepdims=True), x.std(axis=axes, keepdims=True)
    centred = np.abs(x - mean)
    e_centred = e + e.mean(axis=axes, keepdims=True)
    moves = np.sqrt((e_centred**2).mean(axis=axes, keepdims=True))
    now = np.sqrt(deviation**2 + epsilon)
    least = np.sqrt(np.maximum(deviation - moves, 0) ** 2 + epsilon)
    return centred / now, np.minimum(e_centred / least + centred * (1 / least - 1 / now), 2 * np.sqrt(x.size))


def instance_normalization(c, node):
    x, scale, shift = node.input
    axes = tuple(range(2, c.value(x).ndim))
    return scaled(c, node, axes, [1, -1] + [1] * len(axes))


def layer_normalization(c, node):
    return scaled(c, node, (-1,), [-1])


def scaled(c, node, axes, shape):
    x, scale = node.input[:2]
    z, e_z = normalized(c.value(x), c.error(x), axes, 1e-5)
    e_scale = c.raised(node, 2, x, scale, c.error(scale, weight=True))
    e_scale = np.broadcast_to(e_scale, c.value(scale).shape).reshape(shape)
    a = np.abs(c.value(scale)).reshape(shape)
    error = a * e_z + e_scale * (z + e_z)
    if len(node.input) > 2:
        shift = node.input[2]
        error = error + np.broadcast_to(c.bias_error(node, 2, x, scale), c.value(shift).shape).reshape(shape)
    return [error, None]


def embed_layer_normalization(c, node):
    names = [name for name in node.input[2:7] if name]
    words, positions, gamma, beta = names
    ids = c.value(node.input[0])
    length = ids.shape[1]
    x = c.value(words)[ids] + c.value(positions)[:length]
    e = c.error(words)[ids] + c.error(positions)[:length]
    z, e_z = normalized(x, e, (-1,), 1e-5)
    error = np.abs(c.value(gamma)) * e_z + c.error(gamma) * (z + e_z) + c.error(beta)
    return [error, None]
