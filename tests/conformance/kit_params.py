"""What the kit's graphs are quantized with: parameters drawn from a seed, within what the model and
the format allow.

Parameters are JSON, as our command takes them; `for_reference` turns them into what quantize_static
takes.
"""

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnxruntime.quantization import CalibrationMethod, QuantType

from kit_ops import BY_DEFAULT

QDQ_TYPES = [
    *[('QUInt8', 'QInt8')] * 5,
    *[('QUInt8', 'QUInt8')] * 4,
    *[('QInt8', 'QInt8')] * 4,
    *[('QUInt16', 'QUInt8'), ('QUInt16', 'QInt16'), ('QUInt16', 'QUInt16'), ('QInt16', 'QInt8'), ('QInt16', 'QInt16')],
    *[('QUInt8', 'QInt4'), ('QUInt8', 'QUInt4'), ('QInt8', 'QInt4'), ('QUInt16', 'QInt4')],
]
QOPERATOR_TYPES = [('QUInt8', 'QInt8'), ('QUInt8', 'QUInt8'), ('QInt8', 'QInt8')]
FLOAT8 = ('QFLOAT8E4M3FN', 'QFLOAT8E4M3FN')
LIMITS = {
    'QInt8': (-128, 127),
    'QUInt8': (0, 255),
    'QInt16': (-32768, 32767),
    'QUInt16': (0, 65535),
    'QInt4': (-8, 7),
    'QUInt4': (0, 15),
}


class ModelFacts:
    """What drawing needs to know of a model and its ranges."""

    def __init__(self, model, ranges):
        self.graph = model.graph
        self.opset = model.opset_import[0].version
        self.ranges = ranges
        self.weights = {
            t.name: numpy_helper.to_array(t)
            for t in model.graph.initializer
            if t.data_type in (TensorProto.FLOAT, TensorProto.FLOAT16)
        }
        self.float16 = any(i.type.tensor_type.elem_type == TensorProto.FLOAT16 for i in model.graph.input)
        self.op_types = sorted({node.op_type for node in model.graph.node})
        self.node_names = [node.name for node in model.graph.node if node.name]

    def readers(self, tensor):
        return [node.name for node in self.graph.node if tensor in node.input]

    def activations(self):
        return sorted(self.ranges)

    def weights_of(self, *op_types):
        names = {node.input[1] for node in self.graph.node if node.op_type in op_types and len(node.input) > 1}
        return sorted(names & self.weights.keys())


def draw(seed, facts):
    """One set of parameters."""
    random = np.random.default_rng(seed)
    return Draw(random, facts).params()


class Draw:
    def __init__(self, random, facts):
        self.random = random
        self.facts = facts

    def chance(self, probability):
        return bool(self.random.random() < probability)

    def pick(self, choices):
        return choices[self.random.integers(len(choices))]

    def some(self, choices, most):
        count = min(len(choices), int(self.random.integers(1, most + 1)))
        return [choices[i] for i in sorted(self.random.choice(len(choices), count, replace=False))]

    def params(self):
        facts = self.facts
        quant_format = 'QDQ' if facts.float16 or self.chance(0.65) else 'QOperator'
        types = self.pick(QDQ_TYPES if quant_format == 'QDQ' else QOPERATOR_TYPES)
        if quant_format == 'QDQ' and 'Softmax' not in facts.op_types and self.chance(0.04):
            types = FLOAT8
        self.format, self.activation, self.weight = quant_format, *types
        params = {
            'quant_format': quant_format,
            'activation_type': types[0],
            'weight_type': types[1],
            'per_channel': self.chance(0.5),
        }
        named = set(facts.op_types) - BY_DEFAULT
        if named and self.chance(0.8):
            params['op_types_to_quantize'] = facts.op_types
        elif len(facts.op_types) > 2 and self.chance(0.08):
            params['op_types_to_quantize'] = self.some(facts.op_types, len(facts.op_types) - 1)
        if types == FLOAT8:
            return params | {'per_channel': False}
        if self.chance(0.12):
            params['reduce_range'] = True
        if len(facts.node_names) > 2:
            if self.chance(0.08):
                params['nodes_to_exclude'] = self.some(facts.node_names, 2)
            elif self.chance(0.05):
                params['nodes_to_quantize'] = self.some(facts.node_names, len(facts.node_names) - 1)
        extra = self.extra_options(params)
        if extra:
            params['extra_options'] = extra
        return params

    def extra_options(self, params):
        if self.chance(0.4):
            return {}
        extra = {}
        for _ in range(self.pick([1, 1, 2])):
            options = self.common() if self.format == 'QOperator' or self.chance(0.35) else self.qdq_only(params)
            name = self.pick(sorted(options))
            value = options[name]()
            if value is not None:
                extra[name] = value
        if self.chance(0.3):
            overrides = self.overrides()
            if overrides:
                extra['TensorQuantOverrides'] = overrides
                converts = any('convert' in entry[0] for entry in overrides.values())
                if converts:
                    extra.pop('DedicatedQDQPair', None)
        return extra

    def common(self):
        always = {
            'ActivationSymmetric': lambda: True,
            'WeightSymmetric': lambda: self.chance(0.5),
            'ForceQuantizeNoInputCheck': lambda: True,
            'MinimumRealRange': lambda: self.pick([0.001, 0.25, 3.0]),
        }
        if self.activation == 'QUInt8':
            always['ActivationRestrictedAsymmetric'] = lambda: True
        if self.format == 'QOperator':
            always['MatMulConstBOnly'] = lambda: True
            if 'Sigmoid' in self.facts.op_types:
                always['extra.Sigmoid.nnapi'] = lambda: True
        return always

    def qdq_only(self, params):
        facts = self.facts
        options = {
            'AddQDQPairToWeight': lambda: True,
            'OpTypesToExcludeOutputQuantization': lambda: self.some(facts.op_types, 2),
            'DedicatedQDQPair': lambda: True,
            'QuantizeBias': lambda: False,
            'UseQDQContribOps': lambda: True,
            'QDQKeepRemovableActivations': lambda: True,
            'QDQDisableWeightAdjustForInt32Bias': lambda: True,
        }
        if params['per_channel'] and 'MatMul' in facts.op_types:
            options['QDQOpTypePerChannelSupportToAxis'] = lambda: {'MatMul': self.pick([0, 1, -1])}
        if facts.weights_of('MatMul') and not facts.weights_of('Conv', 'ConvTranspose', 'Gemm'):
            options['BlockSize'] = lambda: self.pick([2, 3, 4, 16])
        return options

    # TensorQuantOverrides

    def overrides(self):
        found = {}
        for _ in range(self.pick([1, 1, 2, 3])):
            name, entries = self.override()
            if entries is not None:
                found.setdefault(name, entries)
        return found

    def override(self):
        facts = self.facts
        weights = facts.weights_of('Conv', 'ConvTranspose', 'Gemm', 'MatMul')
        if weights and self.chance(0.4):
            name = self.pick(weights)
            per_channel = self.format == 'QDQ' and facts.weights[name].ndim > 1 and self.chance(0.4)
            return name, self.channels(name) if per_channel else [self.weight_entry(facts.weights[name])]
        name = self.pick(facts.activations())
        low, high = facts.ranges[name]
        entry = self.parameters(low, high, self.activation, self.format == 'QDQ')
        if self.format == 'QDQ' and self.chance(0.35):
            entry['convert'] = self.convert(name, entry.get('quant_type', self.activation))
        return name, [entry] if entry else None

    def parameters(self, low, high, quant_type, may_change_type):
        entry = {}
        if may_change_type and self.chance(0.5):
            entry['quant_type'] = quant_type = self.pick(['QUInt8', 'QInt8', 'QUInt16', 'QInt16'])
        choice = self.random.integers(4)
        if choice == 0:
            entry |= self.scale_and_zero_point(low, high, quant_type)
        elif choice == 1:
            entry['symmetric'] = self.chance(0.6)
        elif choice == 2:
            entry |= {'rmin': self.number(low * 1.125 - 0.125), 'rmax': self.number(high * 1.25 + 0.125)}
        return entry

    def number(self, value):
        """What the tensor's type can hold, so that JSON says exactly that."""
        rounded = np.float16(value) if self.facts.float16 else value
        return float(str(np.float32(rounded)))

    def scale_and_zero_point(self, low, high, quant_type):
        least, most = LIMITS[quant_type]
        low, high = min(low, 0.0), max(high, 0.0)
        scale = self.number(1.125 * (high - low) / (most - least) + 1e-5)
        zero_point = int(np.clip(round(least - low / scale), least, most))
        return {'scale': scale, 'zero_point': zero_point}

    def convert(self, name, original):
        low, high = self.facts.ranges[name]
        quant_type = self.pick([t for t in ('QUInt8', 'QInt8', 'QUInt16', 'QInt16') if t != original])
        entry = {'quant_type': quant_type} | self.parameters(low, high, quant_type, False)
        readers = [reader for reader in self.facts.readers(name) if reader]
        if readers and self.chance(0.5):
            entry['recv_nodes'] = self.some(readers, len(readers))
        return entry

    def weight_entry(self, weight):
        entry = self.parameters(float(weight.min()), float(weight.max()), self.weight, False)
        if 'scale' not in entry:
            if self.format == 'QDQ' and self.chance(0.4):
                entry['quant_type'] = self.pick(['QUInt8', 'QInt8', 'QInt16', 'QUInt16', 'QInt4', 'QUInt4'])
            if self.chance(0.3):
                entry['reduce_range'] = True
        return entry or {'symmetric': True}

    def channels(self, name):
        weight = self.facts.weights[name]
        axis = int(self.random.integers(weight.ndim))
        count = weight.shape[axis]
        first = {'axis': axis if self.chance(0.7) else axis - weight.ndim}
        if self.chance(0.4):
            first['quant_type'] = self.pick(['QInt8', 'QInt16', 'QUInt8', 'QInt4'])
        quant_type = first.get('quant_type', self.weight)
        choice = self.random.integers(4)
        if choice == 0:
            entries = []
            for i in range(count):
                channel = weight.take(i, axis)
                entries.append(self.scale_and_zero_point(float(channel.min()), float(channel.max()), quant_type))
            return [first | entries[0], *entries[1:]]
        if choice == 1:
            entries = [
                {'rmin': self.number(weight.take(i, axis).min() - 0.25), 'rmax': self.number(weight.take(i, axis).max() + 0.125)}
                for i in range(count)
            ]
            return [first | entries[0], *entries[1:]]
        if choice == 2:
            first['symmetric'] = self.chance(0.7)
        else:
            first['reduce_range'] = True
        return [first]


# --- For the reference ----------------------------------------------------------------------------


def numpy_dtype(quant_type):
    return np.dtype(
        {'QInt8': 'i1', 'QUInt8': 'u1', 'QInt16': 'i2', 'QUInt16': 'u2', 'QInt4': 'i1', 'QUInt4': 'u1'}[quant_type]
    )


def override_for_reference(entry, default_type, dtype):
    """Its overrides want numpy scalars, QuantType members and sets (D8)."""
    result = {}
    quant_type = entry.get('quant_type', default_type)
    for key, value in entry.items():
        if key == 'quant_type':
            value = QuantType[value]
        elif key in ('scale', 'rmin', 'rmax'):
            value = np.array(value, dtype)
        elif key == 'zero_point':
            value = np.array(value, numpy_dtype(quant_type))
        elif key == 'recv_nodes':
            value = set(value)
        elif key == 'convert':
            value = override_for_reference(value, default_type, dtype)
        result[key] = value
    return result


def for_reference(params, model):
    """The keyword arguments of quantize_static, but for format, types and ranges."""
    params = dict(params)
    extra = dict(params.get('extra_options', {}))
    if 'TensorQuantOverrides' in extra:
        weights = {t.name for t in model.graph.initializer}
        of = onnx.TensorProto.FLOAT16
        float16 = any(i.type.tensor_type.elem_type == of for i in model.graph.input)
        dtype = np.float16 if float16 else np.float32
        extra['TensorQuantOverrides'] = {
            name: [
                override_for_reference(
                    entry,
                    entries[0].get('quant_type', params['weight_type' if name in weights else 'activation_type']),
                    dtype,
                )
                for entry in entries
            ]
            for name, entries in extra['TensorQuantOverrides'].items()
        }
        params['extra_options'] = extra
    if params['activation_type'] == 'QFLOAT8E4M3FN':
        params['calibrate_method'] = CalibrationMethod.Distribution
    return params
