"""Where we mean to differ from the reference in the kit's cases: rules on the graph, the parameters
and what the reference wrote. `id` is an entry of docs/differences.md.

Not here: E25 and E26 (scalar scales of biases, 1/256 for Softmax), which concern most cases and are
undone before comparing, tests/js/support/as-reference.ts.

A deviation tells what may differ: the node list, and initializers by pattern. What it gives instead
is held to the error bound like every other output.
"""

import fnmatch

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from kit_ops import BY_DEFAULT

FOUR_BITS = ('QInt4', 'QUInt4')
MOVES = {'Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Flatten', 'MaxPool', 'Resize'}


def attributes_of(node):
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


class Situation:
    """A case: float graph, parameters, and the reference's model or None where it failed."""

    def __init__(self, facts, params, reference):
        self.facts = facts
        self.graph = facts.graph
        self.params = params
        self.extra = params.get('extra_options', {})
        self.qdq = params['quant_format'] == 'QDQ'
        self.reference = reference.graph if reference is not None else None
        if reference is not None:
            self.reference_opset = next(o.version for o in reference.opset_import if o.domain == '')
        self.outputs = {o.name for o in facts.graph.output}

    def wanted(self, node):
        """Is the node among those to quantize?"""
        op_types = self.params.get('op_types_to_quantize') or BY_DEFAULT
        only = self.params.get('nodes_to_quantize')
        if only and node.name not in only:
            return False
        return node.op_type in op_types and node.name not in self.params.get('nodes_to_exclude', [])

    def nodes(self, *op_types):
        return [node for node in self.graph.node if node.op_type in op_types and self.wanted(node)]

    def readers(self, tensor):
        return [node for node in self.graph.node if tensor in node.input]

    def override(self, tensor):
        return (self.extra.get('TensorQuantOverrides', {}).get(tensor) or [{}])[0]


def anything(id_):
    return {'id': id_, 'nodes': True, 'initializers': ['*']}


# --- Rules: each gives a deviation or None --------------------------------------------------------


def gemm_scaling(s):
    """D1: beta is lost, or alpha left out of the bias. With a float bias, beta stays with the node."""
    patterns = []
    float_bias = s.extra.get('QuantizeBias') is False
    for node in s.nodes('Gemm'):
        attributes = attributes_of(node)
        if len(node.input) < 3:
            continue
        alpha, beta = attributes.get('alpha', 1.0), attributes.get('beta', 1.0)
        if beta not in (0.0, 1.0) or (not s.qdq and alpha != 1.0):
            patterns += [f'{node.input[2]}_quantized', f'{node.input[2]}_quantized_scale']
            # The scale of the weight is raised for the bias that is added, beta * C.
            patterns += [f'{node.input[1]}_quantized', f'{node.input[1]}_scale']
    return {'id': 'D1', 'nodes': float_bias, 'initializers': patterns} if patterns else None


def bounds_of(node, constants):
    if node.op_type == 'Relu':
        return 0.0, np.inf
    ends = [constants.get(name) if name else None for name in [*node.input[1:], '', ''][:2]]
    return (-np.inf if ends[0] is None else float(ends[0]), np.inf if ends[1] is None else float(ends[1]))


def quantized_parameters(graph):
    """Quantized tensor of the reference's QOperator model -> (scale, zero point), as names."""
    at = {
        **dict.fromkeys(('QLinearConv', 'QLinearAdd', 'QLinearMul', 'QLinearMatMul'), (6, 7)),
        **dict.fromkeys(('QLinearSigmoid', 'QLinearLeakyRelu', 'QLinearSoftmax'), (3, 4)),
        **dict.fromkeys(('QLinearAveragePool', 'QLinearGlobalAveragePool'), (3, 4)),
        'QGemm': (7, 8),
        'QLinearWhere': (7, 8),
        'QLinearConcat': (0, 1),
        'QuantizeLinear': (1, 2),
    }
    found = {}
    for node in graph.node:
        if node.op_type in at:
            scale, zero_point = (node.input[i] for i in at[node.op_type])
            found[node.output[0]] = (scale, zero_point)
        elif node.input and node.input[0] in found and node.op_type != 'DequantizeLinear':
            for output in node.output:
                found[output] = found[node.input[0]]
    return found


def label_of(node):
    """What a node is found by in the reference's model. Its output may be that of one that is gone."""
    return node.op_type, node.name or node.output[0].removesuffix('_QuantizeLinear_Input')


def removed_activations(s):
    """D2, E8: a Relu or Clip is gone, but the range of what is left reaches past its bounds, or
    nothing quantizes at all.
    """
    if s.reference is None:
        return None
    constants = {t.name: numpy_helper.to_array(t) for t in s.reference.initializer}
    given = {t.name: numpy_helper.to_array(t) for t in s.graph.initializer}
    left = [label_of(n) for n in s.reference.node]
    made = quantized_parameters(s.reference)
    quantizers = {n.name: n for n in s.reference.node if n.op_type == 'QuantizeLinear'}
    sources = {}
    for node in s.nodes('Relu', 'Clip'):
        output = node.output[0]
        if label_of(node) in left:
            continue
        sources[output] = sources.get(node.input[0], node.input[0])
        if s.qdq:
            if read_as_it_is(s, output):
                return anything('E8')
            last = end_of_chain(s, output, left)
            name = next((n for n in (f'{last}_QuantizeLinear', f'{last}_QuantizeLinear_1') if n in quantizers), None)
            if name is None:
                continue
            parameters = tuple(quantizers[name].input[1:3])
        else:
            source = sources[output]
            parameters = made.get(f'{source}_quantized') or made.get(f'{source}quantized')
            if parameters is None:
                continue
        scale, zero_point = (constants[name] for name in parameters)
        if reaches_past(scale, zero_point, bounds_of(node, given)):
            return anything('D2')
    return None


def end_of_chain(s, tensor, left):
    """The output of the last of several Relu and Clip that are gone, one after the other."""
    for node in s.readers(tensor):
        if node.op_type in ('Relu', 'Clip') and node.input[0] == tensor and label_of(node) not in left:
            return end_of_chain(s, node.output[0], left)
    return tensor


def read_as_it_is(s, tensor):
    """Does anything but a QuantizeLinear read the tensor, in the reference's model?"""
    makers = {output: n.op_type for n in s.reference.node for output in n.output}
    if tensor in s.outputs and makers.get(tensor) != 'DequantizeLinear':
        return True
    return makers.get(tensor) != 'DequantizeLinear' and any(
        tensor in n.input and n.op_type != 'QuantizeLinear' for n in s.reference.node
    )


def reaches_past(scale, zero_point, bounds):
    if zero_point.dtype.name.startswith('float8'):
        least, most = -448.0, 448.0
    else:
        info = np.iinfo(zero_point.dtype)
        least, most = info.min, info.max
    ends = [(end - float(zero_point)) * float(scale) for end in (least, most)]
    slack = 2.0**-22 if scale.dtype == np.float32 else 2.0**-9
    return ends[0] < bounds[0] - slack * abs(bounds[0]) or ends[1] > bounds[1] + slack * abs(bounds[1])


def clipped_output(s):
    """E2: a graph output that feeds one Relu or Clip takes the clipped range."""
    for node in s.nodes('Relu', 'Clip'):
        source = node.input[0]
        if source in s.outputs and len(s.readers(source)) == 1:
            return anything('E2')
    return None


def weights_along_k(s):
    """D12: per-channel MatMul weights of any rank but 2, and those on the left."""
    per_channel = s.params['per_channel']
    patterns = []
    for node in s.nodes('MatMul'):
        for index, name in enumerate(node.input):
            weight = s.facts.weights.get(name)
            if weight is not None and per_channel and (weight.ndim != 2 or index == 0):
                patterns += [f'{name}_quantized', f'{name}_scale', f'{name}_zero_point', name]
    return {'id': 'D12', 'nodes': True, 'initializers': patterns} if patterns else None


def forced_movement(s):
    """D13: what moves data is left float, with Q and DQ around it."""
    forced = not s.qdq and s.extra.get('ForceQuantizeNoInputCheck')
    return anything('D13') if forced and s.nodes(*MOVES) else None


def types_of(s):
    types = {s.params['activation_type'], s.params['weight_type']}
    for entries in s.extra.get('TensorQuantOverrides', {}).values():
        for entry in entries:
            types |= {entry.get('quant_type'), entry.get('convert', {}).get('quant_type')}
    return types


def newer_types(s):
    """D16: 4-bit under opset 21 goes to com.microsoft, where we raise the opset. E16: 16-bit raises it although com.microsoft
    was asked for, where we keep it."""
    if s.facts.opset >= 21 or not s.qdq:
        return None
    types, contrib = types_of(s), s.extra.get('UseQDQContribOps')
    wide = types & {'QInt16', 'QUInt16'} or s.extra.get('BlockSize')
    if types & set(FOUR_BITS) and not wide and not contrib:
        return {'id': 'D16', 'nodes': True, 'initializers': [*CONVERTED, *converted_softmax(s)]}
    return {'id': 'E16', 'nodes': True, 'initializers': CONVERTED} if wide and contrib else None


# What opset conversion makes of an attribute: we an initializer, the reference's converter a
# Constant node.
CONVERTED = ['*_axes', '*_split', 'roi*']


def converted_softmax(s):
    """What a Softmax of several axes becomes past opset 12 (Flatten, Softmax, Reshape) shares
    parameters.
    """
    patterns = []
    for node in s.nodes('Softmax'):
        if s.facts.opset < 13:
            patterns += [f'{name}_{end}' for name in (*node.input, *node.output) for end in ('scale', 'zero_point')]
            patterns.append('*_flat_*')
    return patterns


def converted_attributes(s):
    """E19: the opset was raised past one where an attribute became an input, or a default changed.
    """
    if s.reference is None or s.reference_opset == s.facts.opset:
        return None
    for node in s.graph.node:
        attributes = attributes_of(node)
        moved = {'axes', 'split'} & attributes.keys() and node.op_type in ('ReduceMean', 'Split', 'Squeeze', 'Unsqueeze')
        if moved or (node.op_type in ('Softmax', 'Resize') and s.facts.opset < 13):
            return {'id': 'E19', 'nodes': True, 'initializers': [*CONVERTED, *converted_softmax(s)]}
    return None


def nothing_quantized(s):
    """E20: the reference sorts the nodes and raises the opset also where it quantizes nothing."""
    if s.reference is None:
        return None
    quantizing = ('QuantizeLinear', 'DequantizeLinear')
    if any(n.op_type in quantizing or n.op_type.startswith('QLinear') for n in s.reference.node):
        return None
    return {'id': 'E20', 'nodes': True, 'initializers': []}


def sigmoid_for_nnapi(s):
    """E15: zero point 0 of an int8 Sigmoid leaves out the upper half of its range; an override of
    the output wins.
    """
    if not s.extra.get('extra.Sigmoid.nnapi'):
        return None
    overrides = s.extra.get('TensorQuantOverrides', {})
    patterns = []
    for node in s.nodes('Sigmoid'):
        output = node.output[0]
        if s.params['activation_type'] == 'QInt8':
            patterns.append(f'{output}_zero_point')
        if output in overrides:
            patterns += [f'{output}_zero_point', f'{output}_scale']
    return {'id': 'E15', 'nodes': False, 'initializers': patterns} if patterns else None


def shared_scale_of_input(s):
    """E7: a weight's scale is raised for its bias by the range of its input, which shares the scale
    of another tensor.
    """
    patterns = []
    for node in s.nodes(*BIASED):
        makers = [n for n in s.graph.node if node.input[0] in n.output]
        if s.qdq and len(node.input) > 2 and makers and makers[0].op_type in SHARING:
            patterns += [f'{node.input[1]}_quantized', f'{node.input[1]}_scale']
            patterns += [f'{node.input[2]}_quantized', f'{node.input[2]}_quantized_scale']
    wide = types_of(s) & {'QInt16', 'QUInt16'}
    return {'id': 'E7', 'nodes': False, 'initializers': patterns} if patterns and wide else None


SHARING = MOVES | {'AveragePool', 'Slice', 'TopK', 'Gather', 'GatherElements', 'Split', 'Pad'}


def softmax_axis(s):
    """D19: QLinearSoftmax relies on a default axis that is another one."""
    for node in s.nodes('Softmax'):
        if not s.qdq and s.facts.opset < 13 and 'axis' not in attributes_of(node):
            return {'id': 'D19', 'nodes': True, 'initializers': []}
    return None


def shared_bias(s):
    """E1: QOperator gives a second Conv or Gemm the bias that was scaled for the first."""
    biases = [n.input[2] for n in s.nodes('Conv', 'Gemm') if len(n.input) > 2]
    if not s.qdq and len(set(biases)) < len(biases):
        return {'id': 'E1', 'nodes': True, 'initializers': ['*_quantized*']}
    return None


def opset_for_channels(s):
    """D20: per-channel DequantizeLinear needs opset 13; we raise it for per_channel before we know
    of every weight.
    """
    raised = s.qdq and s.params['per_channel'] and s.facts.opset < 13
    return {'id': 'D20', 'nodes': True, 'initializers': CONVERTED} if raised else None


def excluded_where(s):
    """E21: QOperator with ForceQuantizeNoInputCheck quantizes every Where, named or not."""
    forced = not s.qdq and s.extra.get('ForceQuantizeNoInputCheck')
    excluded = [n for n in s.graph.node if n.op_type == 'Where' and not s.wanted(n)]
    return anything('E21') if forced and excluded else None


def float16_concat(s):
    """E14: onnxruntime fuses a float16 Concat between Q/DQ pairs into what it refuses; ours stays
    float.
    """
    return anything('E14') if s.qdq and s.facts.float16 and s.nodes('Concat') else None


def float8_of_one_value(s):
    """E22: a float8 constant whose values are all the same has deviation 0, and so scale 0 and no
    values.
    """
    if s.params['weight_type'] != 'QFLOAT8E4M3FN':
        return None
    same = [name for name, value in s.facts.weights.items() if value.size and np.ptp(value) == 0]
    patterns = [f'{name}_{what}' for name in same for what in ('quantized', 'scale')]
    return {'id': 'E22', 'nodes': False, 'initializers': patterns} if patterns else None


def clipped_bias(s):
    """E23: the reference clips a bias to int32, where we raise the scale of its weight, or leave the
    bias float.
    """
    if s.reference is None:
        return None
    ends = np.iinfo(np.int32)
    clipped = [
        t.name
        for t in s.reference.initializer
        if t.data_type == TensorProto.INT32 and '_quantized' in t.name and 'zero_point' not in t.name
        and np.isin(numpy_helper.to_array(t), (ends.min, ends.max)).any()
    ]
    patterns, computed = [], False
    for node in s.graph.node:
        bias = node.input[2] if len(node.input) > 2 else ''
        if not bias or not any(name.startswith(bias) for name in clipped):
            continue
        weight = node.input[1]
        computed |= weight not in s.facts.weights
        patterns += [f'{bias}*_quantized*', f'{weight}_quantized', f'{weight}_scale']
    # Where the scale is not to be raised, the bias stays float.
    float_bias = computed or bool(s.extra.get('QDQDisableWeightAdjustForInt32Bias'))
    patterns += [bias for bias in s.facts.weights if float_bias and f'{bias}*_quantized*' in patterns]
    return {'id': 'E23', 'nodes': float_bias, 'initializers': patterns} if patterns else None


BIASED = ('Conv', 'ConvTranspose', 'Gemm', 'BatchNormalization', 'InstanceNormalization', 'LayerNormalization')


def behind_softmax(s):
    """E26: what follows from the scale of a Softmax: the biases, and with them the weights, of what
    reads it.
    """
    if not s.qdq:
        return None
    makers = {output: node for node in s.graph.node for output in node.output}
    patterns = []
    for node in s.nodes(*BIASED):
        maker = makers.get(node.input[0]) if len(node.input) > 2 and node.input[2] else None
        while maker is not None and maker.op_type in SHARING | {'Relu', 'Clip'}:
            maker = makers.get(maker.input[0])
        if maker is not None and maker.op_type == 'Softmax' and s.wanted(maker):
            patterns += [f'{node.input[2]}*_quantized*', f'{node.input[1]}_quantized', f'{node.input[1]}_scale']
    return {'id': 'E26', 'nodes': False, 'initializers': patterns} if patterns else None


def range_of_softmax(s):
    """E26: a Softmax that feeds one Relu or Clip has 0 to 1 still, not the range that was seen."""
    patterns = []
    for node in s.nodes('Relu', 'Clip') if s.qdq else []:
        makers = [n for n in s.nodes('Softmax') if node.input[0] in n.output]
        if makers and len(s.readers(node.input[0])) == 1:
            patterns += [f'{node.input[0]}_scale', f'{node.input[0]}_zero_point']
    return {'id': 'E26', 'nodes': False, 'initializers': patterns} if patterns else None


def float_bias_of_tiny_weights(s):
    """E31: onnxruntime quantizes a float bias itself, so the weight's scale is raised for it, too."""
    if not s.qdq or s.extra.get('QuantizeBias') is not False:
        return None
    biased = [node for node in s.nodes(*BIASED) if len(node.input) > 2 and node.input[2]]
    wide = s.params['weight_type'] in ('QInt16', 'QUInt16')
    patterns = [f'{node.input[1]}_{end}' for node in biased for end in ('quantized', 'scale')]
    return {'id': 'E31', 'nodes': False, 'initializers': patterns} if patterns and wide else None


def converted_for_excluded(s):
    """E36: of `recv_nodes`, some are not quantized; the reference compares how many there are."""
    for tensor, entries in s.extra.get('TensorQuantOverrides', {}).items():
        names = set(entries[0].get('convert', {}).get('recv_nodes') or [])
        quantized = {node.name for node in s.readers(tensor) if s.wanted(node)}
        if s.qdq and names - quantized and len(names) == len(quantized):
            return anything('E36')
    return None


def excluded_output_of_gather(s):
    """E28: the output of Gather and its kin is quantized although the op type is excluded."""
    excluded = set(s.extra.get('OpTypesToExcludeOutputQuantization', [])) & {'Gather', 'GatherElements'}
    return anything('E28') if s.qdq and s.nodes(*excluded) else None


RULES = [
    gemm_scaling,
    removed_activations,
    clipped_output,
    weights_along_k,
    forced_movement,
    newer_types,
    converted_attributes,
    nothing_quantized,
    sigmoid_for_nnapi,
    shared_scale_of_input,
    opset_for_channels,
    excluded_where,
    float16_concat,
    float8_of_one_value,
    softmax_axis,
    shared_bias,
    clipped_bias,
    behind_softmax,
    range_of_softmax,
    float_bias_of_tiny_weights,
    converted_for_excluded,
    excluded_output_of_gather,
]


def of(facts, params, reference):
    """The deviations of a case."""
    situation = Situation(facts, params, reference)
    return [found for rule in RULES if (found := rule(situation))]


def names_needed(deviations):
    """Are there initializers that may differ, and others that may not?"""
    patterns = [p for d in deviations for p in d['initializers']]
    return bool(patterns) and not any(fnmatch.fnmatch('any name', p) for p in patterns)
