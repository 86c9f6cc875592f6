"""How far a quantized model's outputs may be from the float model's: one number an output and case.

The float graph is walked once a case. Every tensor carries a bound on its error, element by element:

    constants      half a step of their quantization, from their values and the case's types
    operators      what the errors of the inputs can make of the output, on the values observed. Products (Conv, MatMul,
                   Mul, …) take |x| e_w + e_x |w| + e_x e_w, monotone and Lipschitz functions their local slopes,
                   normalizations the change of mean and deviation that the error allows, Softmax p (exp(2e) - 1)
    activations    half a step where the tensor is quantized, plus what its range cuts off. The step is that of the tensor's own
                   range and type, or that of the input whose parameters it shares, if that is wider
    float16        one rounding an operator
    QOperator      one step an operator more: integer kernels round their multipliers, tables and averages

Every tensor is counted as quantized, whatever the format leaves float, and per-channel weights by the widest step, so the
bound holds for both sides, where they differ too. It is an upper bound, no estimate: errors never cancel in it. It holds
for tensors that reach a graph output without an index in between (ArgMax, TopK's places), which have no bound.
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper

from kit_ops import one_node_session

LEVELS = {'QInt8': 254, 'QUInt8': 255, 'QInt16': 65534, 'QUInt16': 65535, 'QInt4': 15, 'QUInt4': 15}
REDUCED = {'QInt8': 128, 'QUInt8': 127, 'QInt16': 32768, 'QUInt16': 32767, 'QInt4': 7, 'QUInt4': 7}
LIMITS = {
    'QInt8': (-128, 127),
    'QUInt8': (0, 255),
    'QInt16': (-32768, 32767),
    'QUInt16': (0, 65535),
    'QInt4': (-8, 7),
    'QUInt4': (0, 15),
}
FLOAT8 = 'QFLOAT8E4M3FN'
FLOAT_KINDS = ('f',)


def all_values(model, sample):
    """Every tensor of the graph on a sample."""
    import onnxruntime

    extended = onnx.ModelProto()
    extended.CopyFrom(model)
    outputs = {o.name for o in model.graph.output}
    for node in model.graph.node:
        for name in node.output:
            if name and name not in outputs:
                extended.graph.output.append(helper.make_empty_tensor_value_info(name))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(extended.SerializeToString(), options, ['CPUExecutionProvider'])
    names = [o.name for o in session.get_outputs()]
    values = dict(zip(names, session.run(names, sample), strict=True)) | sample
    values |= {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    return values


class ErrorModel:
    """Bounds for one graph on one sample."""

    def __init__(self, model, values, ranges):
        self.graph = model.graph
        self.opset = next(o.version for o in model.opset_import if o.domain == '')
        self.values = {
            name: value.astype(np.float64) if value.dtype.kind == 'f' else value for name, value in values.items()
        }
        self.dtypes = {name: value.dtype for name, value in values.items()}
        self.ranges = ranges
        self.constants = {t.name for t in model.graph.initializer}
        self.sessions = {}

    def bounds(self, params, spread):
        """{output: bound}, rounded up to three digits; without those that have none."""
        case = Case(self, params, spread)
        with np.errstate(all='ignore'):
            errors = case.run()
        result = {}
        for output in self.graph.output:
            if errors.get(output.name) is not None:
                worst = float(np.max(errors[output.name], initial=0.0))
                result[output.name] = float(f'{worst * 1.005 + 1e-6:.3g}') if np.isfinite(worst) else None
        return result

    def product(self, node, factors):
        """The node on absolute values: what a bilinear operator can make at most of them."""
        key = node.output[0]
        feeds = {name: value for name, value in zip(node.input, factors, strict=True) if name}
        feeds = {name: np.ascontiguousarray(value, np.float32) for name, value in feeds.items()}
        if key not in self.sessions:
            self.sessions[key] = one_node_session(node, feeds, self.opset)
        return self.sessions[key].run(None, feeds)[0].astype(np.float64)

    def moved(self, node, errors):
        """The node on the errors of its first input: for what moves, copies, pools or averages."""
        key = (node.output[0], 'moved')
        feeds = {name: self.values[name] for name in node.input if name}
        feeds = {name: v.astype(self.dtypes[name]) for name, v in feeds.items()}
        for name, error in errors.items():
            feeds[name] = np.ascontiguousarray(error, np.float32)
        for name, v in feeds.items():
            if v.dtype == np.float16:
                feeds[name] = v.astype(np.float32)
        if key not in self.sessions:
            self.sessions[key] = one_node_session(node, feeds, self.opset)
        return [np.asarray(o, np.float64) if o.dtype.kind == 'f' else None for o in self.sessions[key].run(None, feeds)]


class Case:
    """One walk through the graph, with the parameters of one case."""

    def __init__(self, model, params, spread):
        self.m = model
        self.params = params
        self.spread = spread
        self.extra = params.get('extra_options', {})
        self.overrides = self.extra.get('TensorQuantOverrides', {})
        self.errors = {}
        self.shared = {}  # tensor -> the widest step of the tensors whose parameters it may share

    # Steps of quantization

    def scales(self, low, high, quant_type, entry, weight):
        """(step, lowest, highest) of a range under a type and the case's options."""
        if 'scale' in entry:
            least, most = LIMITS[quant_type]
            step, zero = entry['scale'], entry['zero_point']
            return step, (least - zero) * step, (most - zero) * step
        low, high = min(entry.get('rmin', low), 0.0), max(entry.get('rmax', high), 0.0)
        high = max(high, low + (self.extra.get('MinimumRealRange') or 0.0))
        reduced = entry.get('reduce_range', weight and self.params.get('reduce_range', False))
        levels = (REDUCED if reduced else LEVELS)[quant_type]
        widest = max(-low, high)
        # Symmetric or not, the step is at most that of the symmetric range; restricted asymmetric doubles nothing more.
        symmetric = entry.get('symmetric', self.symmetric(weight))
        step = (2 * widest if symmetric else high - low) / levels
        if self.extra.get('ActivationRestrictedAsymmetric') and not weight:
            step = 2 * widest / (levels - 1)
        if symmetric:
            low, high = -widest, widest
        if step == 0:
            return 1.0, -1.0, 1.0
        return step, low - step / 2, high + step / 2

    def symmetric(self, weight):
        if not weight:
            return self.extra.get('ActivationSymmetric', False)
        return True  # the wider of the two

    def quantized(self, name, error):
        """A tensor's error after it was quantized and dequantized."""
        entry = (self.overrides.get(name) or [{}])[0]
        error = self.rounded(name, error, entry, self.params['activation_type'])
        if 'convert' in entry:
            error = self.rounded(name, error, entry['convert'], self.params['activation_type'])
        return error

    def rounded(self, name, error, entry, default_type):
        value = self.m.values[name]
        quant_type = entry.get('quant_type', default_type)
        if quant_type == FLOAT8:
            return error + self.float8(value, error, self.spread[name][1])
        low, high = self.m.ranges.get(name, (float(value.min()), float(value.max())))
        if self.pinned.get(name) == 'Softmax':
            low, high = min(low, 0.0), max(high, 1.0)
        elif self.pinned.get(name):
            entry = {'scale': 1 / 256, 'zero_point': 0}
        step, low, high = self.scales(low, high, quant_type, entry, False)
        step = max(step, self.shared.get(name, 0.0)) * (1 + 1 / self.exactness(name))
        cut = np.maximum(np.maximum(value - high, low - value), 0)
        half = np.minimum(step / 2, error) if low == -1.0 and high == 1.0 and not value.any() else step / 2
        return error + half + cut

    def float8(self, value, error, std):
        """Three bits of mantissa; a value beyond 448 scales saturates."""
        scale = std / 100.05772
        reach = np.abs(value) + error
        return np.maximum(reach / 16, scale * 2**-9) + np.maximum(reach - 448 * scale, 0)

    def exactness(self, name):
        """How exactly a scale is stored: 2^-11 of it in float16, over 255 steps."""
        return 8 if self.m.dtypes[name] == np.float16 else 1e4

    def constant(self, name, weight):
        """A float initializer's error."""
        value = self.m.values[name]
        entries = self.overrides.get(name) or [{}]
        worst = np.zeros(value.shape)
        if value.size == 0:
            return worst
        default = self.params['weight_type' if weight else 'activation_type']
        axis = entries[0].get('axis')
        for at, entry in enumerate(entries if len(entries) > 1 else entries[:1]):
            merged = {k: v for k, v in entries[0].items() if k in ('quant_type', 'symmetric', 'reduce_range')} | entry
            part = value if axis is None or len(entries) == 1 else value.take(at, axis)
            quant_type = merged.get('quant_type', default)
            if quant_type == FLOAT8:
                error = self.float8(part, 0.0, max(float(value.std()), 1e-6))
            else:
                # An activation-typed constant may be symmetric or not: the wider step.
                step, low, high = self.scales(float(part.min()), float(part.max()), quant_type, merged, weight)
                if 'scale' not in merged:
                    widest = max(abs(float(part.min())), abs(float(part.max())), abs(merged.get('rmin', 0.0)), abs(merged.get('rmax', 0.0)))
                    reduced = merged.get('reduce_range', self.params.get('reduce_range', False))
                    step = max(step, 2 * widest / (REDUCED if reduced else LEVELS)[quant_type])
                    low, high = min(low, -widest), max(high, widest)
                    if merged.get('symmetric') is False or 'rmin' in merged:
                        low = min(merged.get('rmin', float(part.min())), 0.0) - step / 2
                        high = max(merged.get('rmax', float(part.max())), 0.0) + step / 2
                step *= 1 + 1 / self.exactness(name)
                error = step / 2 + np.maximum(np.maximum(part - high, low - part), 0)
            if axis is None or len(entries) == 1:
                worst = np.broadcast_to(error, value.shape).copy()
            else:
                index = [slice(None)] * value.ndim
                index[axis] = at
                worst[tuple(index)] = error
        return worst

    def step_of_weight(self, name):
        """The widest step of a weight, a bias's scale being a product of steps; 1 where a channel is zero."""
        value = self.m.values[name]
        error = 2 * float(self.constant(name, True).max())
        axes = tuple(range(1, value.ndim)) if value.ndim > 1 else ()
        dead = value.ndim > 1 and any(
            not np.any(value.take(i, axis)) for axis in range(value.ndim) for i in range(value.shape[axis])
        )
        del axes
        return max(error, 1.0 if dead else 0.0)

    # The walk

    def run(self):
        graph = self.m.graph
        nnapi = ('Sigmoid',) if self.extra.get('extra.Sigmoid.nnapi') else ()
        self.pinned = {n.output[0]: n.op_type for n in graph.node if n.op_type in ('Softmax', *nnapi)}
        for value in graph.input:
            name = value.name
            if self.m.dtypes[name].kind == 'f':
                self.errors[name] = self.quantized(name, np.zeros(self.m.values[name].shape))
        for node in graph.node:
            outputs = RULES[node.op_type](self, node)
            for name, error in zip(node.output, outputs, strict=False):
                if not name or error is None or self.m.dtypes[name].kind != 'f':
                    continue
                if node.op_type in SHARING:
                    self.shared[name] = self.step(node.input[0])
                error = error + np.abs(self.m.values[name]) * (2**-10 if self.m.dtypes[name] == np.float16 else 2**-20)
                error = self.quantized(name, error)
                if self.params['quant_format'] == 'QOperator':
                    error = error + self.step(name)
                self.errors[name] = error
        return self.errors

    def step(self, name):
        """The widest step that an activation may be quantized with, its own or one it shares."""
        entry = (self.overrides.get(name) or [{}])[0]
        low, high = self.m.ranges.get(name, (-1.0, 1.0))
        if self.pinned.get(name):
            low, high = min(low, 0.0), max(high, 1.0)
        quant_type = entry.get('quant_type', self.params['activation_type'])
        if quant_type == FLOAT8:
            return 0.0
        return max(self.scales(low, high, quant_type, entry, False)[0], self.shared.get(name, 0.0))

    def value(self, name):
        return self.m.values[name]

    def error(self, name, weight=False):
        """The error of a node's input. Raises where it has no bound."""
        if name in self.m.constants:
            return self.constant(name, weight) if self.m.dtypes[name].kind == 'f' else 0.0
        return self.errors[name]

    def bias_error(self, node, at, x, w):
        """A bias has the product of two scales: half of it, and what a scale that was raised for it adds to the weight."""
        name = node.input[at]
        if name not in self.m.constants:
            return self.error(name)
        if self.overrides.get(name):
            return self.constant(name, True)
        if FLOAT8 in (self.params['weight_type'], self.params['activation_type']):
            return np.zeros(self.value(name).shape)
        scale = self.input_step(x) * self.step_of_weight(w)
        bias = np.abs(self.value(name))
        exact = 2**-10 if self.m.dtypes[name] == np.float16 else 2**-20
        return scale / 2 + bias * exact + np.maximum(bias - 2**31 * self.least_bias_scale(x, w), 0)

    def least_bias_scale(self, x, w):
        """A lower bound of a bias's scale: what is beyond 2^31 of it is cut off, where nothing raises the weight's scale."""
        quant_type = (self.overrides.get(w) or [{}])[0].get('quant_type', self.params['weight_type'])
        if quant_type in ('QInt8', 'QInt16') and not self.extra.get('QDQDisableWeightAdjustForInt32Bias'):
            return np.inf
        value = self.value(w)
        channels = [value] if not self.params['per_channel'] and 'axis' not in (self.overrides.get(w) or [{}])[0] else [
            value.take(i, axis) for axis in range(value.ndim) for i in range(value.shape[axis])
        ]
        widths = [float(max(c.max(), 0) - min(c.min(), 0)) for c in channels]
        return min((width / LEVELS[quant_type] for width in widths if width > 0), default=1.0) * self.step(x)

    def input_step(self, x):
        """The largest scale that x may be quantized with, its own or one it shares."""
        return max(2 * float(np.max(self.error(x, False))), self.step(x) if x in self.m.ranges else 0.0)

    def raised(self, node, at, x, w, e_w):
        """The weight's error where its scale is raised so that the bias fits int32."""
        if len(node.input) <= at or not node.input[at] or node.input[at] not in self.m.constants:
            return e_w
        least = 1.0001 * np.abs(self.value(node.input[at])).max() / (2**31 - 1)
        # The smallest scale of the input is what raises most.
        step = min(s for s in (self.step(x) if x in self.m.ranges else 1.0, 1.0) if s > 0)
        return np.maximum(e_w, least / step / 2)


# --- Rules ------------------------------------------------------------------------------------------


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
        # alpha and beta may be in the scale of the bias.
        e_c = c.bias_error(node, 2, x, w) * max(1.0, abs(attributes.get('alpha', 1.0)))
        error = error + np.abs(attributes.get('beta', 1.0)) * e_c + c.input_step(x) * c.step_of_weight(w) / 2 if w in c.m.constants else error + e_c
    return [error]


def matmul(c, node):
    x, w = node.input
    a, b = np.abs(c.value(x)), np.abs(c.value(w))
    return [(a + c.error(x, weight=True)) @ (b + c.error(w, weight=True)) - a @ b]


def lipschitz(slope):
    """Element-wise functions of one input; `slope` a number, or a function of the node's attributes."""

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


def max_pool(c, node):
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


def reduce_mean(c, node):
    return c.m.moved(node, {node.input[0]: c.error(node.input[0])})


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
    """(values, errors) of (x - mean) / deviation: the deviation moves at most by the error's root mean square."""
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
    e_scale = np.broadcast_to(c.raised(node, 2, x, scale, c.error(scale, weight=True)), c.value(scale).shape).reshape(shape)
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


SHARING = {
    *('Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Flatten', 'Slice', 'Split', 'Resize', 'Gather', 'Pad'),
    *('GatherElements', 'MaxPool', 'AveragePool', 'GlobalAveragePool', 'TopK'),
}

RULES = {
    'Conv': weighted(2),
    'ConvTranspose': weighted(2),
    'Gemm': gemm,
    'MatMul': matmul,
    'Add': added,
    'Sub': added,
    'Mul': multiplied,
    'Div': divided,
    'Min': largest,
    'Max': largest,
    'Where': largest,
    'PRelu': prelu,
    'Pow': corners(np.power),
    'Sqrt': corners(lambda x: np.sqrt(np.maximum(x, 0))),
    'Exp': corners(np.exp),
    'Relu': lipschitz(1),
    'Clip': lipschitz(1),
    'Abs': lipschitz(1),
    'Neg': lipschitz(1),
    'LeakyRelu': lipschitz(1),
    'Sigmoid': lipschitz(0.25),
    'Tanh': lipschitz(1),
    'HardSigmoid': lipschitz(lambda a: a.get('alpha', 0.2)),
    'HardSwish': lipschitz(1.5),
    'Gelu': lipschitz(1.13),
    'Softmax': softmax,
    'CumSum': moved,
    'ReduceMean': reduce_mean,
    'MaxPool': max_pool,
    'AveragePool': moved,
    'GlobalAveragePool': moved,
    'BatchNormalization': batch_normalization,
    'InstanceNormalization': instance_normalization,
    'LayerNormalization': layer_normalization,
    'EmbedLayerNormalization': embed_layer_normalization,
    'Concat': concatenated,
    'Pad': pad,
    'TopK': top_k,
    'ArgMax': no_bound,
    **{
        name: moved
        for name in (
            *('Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Flatten', 'Slice', 'Split', 'Resize', 'Gather'),
            *('GatherElements', 'Expand', 'Tile', 'DepthToSpace', 'SpaceToDepth', 'Identity'),
        )
    },
}
