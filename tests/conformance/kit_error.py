"""How far a quantized model's outputs may be from the float model's: one number an output and case.

The float graph is walked once a case. Every tensor carries a bound on its error, element by
element:

    constants      half a step of their quantization, from their values and the case's types
    operators      what the errors of the inputs can make of the output, on the values observed. Products (Conv, MatMul,
                   Mul, …) take |x| e_w + e_x |w| + e_x e_w, monotone and Lipschitz functions their local slopes,
                   normalizations the change of mean and deviation that the error allows, Softmax p (exp(2e) - 1)
    activations    half a step where the tensor is quantized, plus what its range cuts off. The step is that of the tensor's own
                   range and type, or that of the input whose parameters it shares, if that is wider
    float16        a few roundings an operator
    integers       one step more where an integer kernel computes (QOperator, or QDQ that the runtime fuses): they round
                   their multipliers, tables and averages

Every tensor is counted as quantized, whatever the format leaves float, and per-channel weights by
the widest step, so the bound holds for both sides, where they differ too. It is an upper bound, no
estimate: errors never cancel in it. It holds for tensors that reach a graph output without an index
in between (ArgMax, TopK's places), which have no bound.
"""

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from kit_builder import one_node_session
from kit_ops import ONLY_IN_PATTERNS, OPS

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


def all_values(model, sample):
    """Every tensor of the graph on a sample."""
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
        symmetric = entry.get('symmetric', self.symmetric(weight))
        step = (2 * widest if symmetric else high - low) / levels
        if self.extra.get('ActivationRestrictedAsymmetric') and not weight:  # the zero point in the middle
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
                    ends = float(part.min()), float(part.max()), merged.get('rmin', 0.0), merged.get('rmax', 0.0)
                    widest = max(map(abs, ends))
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
        """The widest step of a weight, a bias's scale being a product of steps; 1 where a channel
        is zero.
        """
        value = self.m.values[name]
        step = 2 * float(self.constant(name, True).max())
        dead = any(not value.take(i, axis).any() for axis in range(value.ndim) for i in range(value.shape[axis]))
        return max(step, 1.0 if dead and value.ndim > 1 else 0.0)

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
            row = OPS.get(node.op_type)
            rule = row.error if row else ONLY_IN_PATTERNS[node.op_type]
            outputs = rule(self, node)
            for name, error in zip(node.output, outputs, strict=False):
                if not name or error is None or self.m.dtypes[name].kind != 'f':
                    continue
                if row and row.shares:
                    self.shared[name] = self.step(node.input[0])
                error = error + np.abs(self.m.values[name]) * (2**-9 if self.m.dtypes[name] == np.float16 else 2**-20)
                error = self.quantized(name, error)
                if self.params['quant_format'] == 'QOperator' or (row and row.fused):
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
        """A bias has the product of two scales: half of it, and what a scale that was raised for it
        adds to the weight.
        """
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
        """A lower bound of a bias's scale: what is beyond 2^31 of it is cut off, where nothing
        raises the weight's scale.
        """
        entries = self.overrides.get(w) or [{}]
        quant_type = entries[0].get('quant_type', self.params['weight_type'])
        # Raised are signed weights with zero point 0.
        symmetric = entries[0].get('symmetric', self.extra.get('WeightSymmetric', True))
        symmetric = symmetric and not any(entry.get('zero_point') for entry in entries)
        disabled = self.extra.get('QDQDisableWeightAdjustForInt32Bias')
        if quant_type in ('QInt8', 'QInt16') and symmetric and not disabled:
            return np.inf
        value = self.value(w)
        channels = [value]
        if self.params['per_channel'] or 'axis' in (self.overrides.get(w) or [{}])[0]:
            channels = [value.take(i, axis) for axis in range(value.ndim) for i in range(value.shape[axis])]
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
        step = self.step(x) if x in self.m.ranges else 1.0
        return np.maximum(e_w, least / step / 2) if step > 0 else e_w
