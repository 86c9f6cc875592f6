"""Where we mean to differ from the reference in the kit's cases: rules on the graph, the parameters and what the reference
wrote. `id` is an entry of docs/differences.md.

A deviation tells what may differ: the node list, and initializers by pattern. What it gives instead is held to the error
bound like every other output.
"""

import fnmatch

import numpy as np
from onnx import helper, numpy_helper

FOUR_BITS = ('QInt4', 'QUInt4')
MOVES = {'Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Flatten', 'MaxPool', 'Resize'}
DEFAULT_OP_TYPES = {
    *('Add', 'ArgMax', 'AveragePool', 'BatchNormalization', 'Clip', 'Concat', 'Conv', 'ConvTranspose', 'CumSum'),
    *('EmbedLayerNormalization', 'Flatten', 'Gather', 'GatherElements', 'Gemm', 'GlobalAveragePool'),
    *('InstanceNormalization', 'LayerNormalization', 'LeakyRelu', 'MatMul', 'MaxPool', 'Mul', 'Pad', 'Relu', 'Reshape'),
    *('Resize', 'Sigmoid', 'Slice', 'Softmax', 'Split', 'Squeeze', 'TopK', 'Transpose', 'Unsqueeze', 'Where'),
}


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
        self.outputs = {o.name for o in facts.graph.output}

    def wanted(self, node):
        """Is the node among those to quantize?"""
        op_types = self.params.get('op_types_to_quantize') or DEFAULT_OP_TYPES
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


# --- Rules: each gives a deviation or None ----------------------------------------------------------


def gemm_scaling(s):
    """D1: beta is lost, or alpha left out of the bias."""
    patterns = []
    for node in s.nodes('Gemm'):
        attributes = attributes_of(node)
        if len(node.input) < 3:
            continue
        alpha, beta = attributes.get('alpha', 1.0), attributes.get('beta', 1.0)
        if beta not in (0.0, 1.0) or (not s.qdq and alpha != 1.0):
            patterns += [f'{node.input[2]}_quantized', f'{node.input[2]}_quantized_scale']
    return {'id': 'D1', 'nodes': False, 'initializers': patterns} if patterns else None


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


def removed_activations(s):
    """D2, E8: a Relu or Clip is gone, but the range of what is left reaches past its bounds, or nothing quantizes at all."""
    if s.reference is None:
        return None
    constants = {t.name: numpy_helper.to_array(t) for t in s.reference.initializer}
    given = {t.name: numpy_helper.to_array(t) for t in s.graph.initializer}
    left = [(n.op_type, n.output[0].removesuffix('_QuantizeLinear_Input')) for n in s.reference.node]
    made = quantized_parameters(s.reference)
    quantizers = {n.name: n for n in s.reference.node if n.op_type == 'QuantizeLinear'}
    sources = {}
    for node in s.nodes('Relu', 'Clip'):
        output = node.output[0]
        if (node.op_type, output) in left:
            continue
        sources[output] = sources.get(node.input[0], node.input[0])
        if s.qdq:
            name = next((n for n in (f'{output}_QuantizeLinear', f'{output}_QuantizeLinear_1') if n in quantizers), None)
            if name is None:
                if consumed_by_removed(s, output, left):
                    continue
                return anything('E8')
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


def consumed_by_removed(s, tensor, left):
    """Does another Relu or Clip that is gone too read this one?"""
    return any(
        node.op_type in ('Relu', 'Clip') and (node.op_type, node.output[0]) not in left for node in s.readers(tensor)
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
    """D12: per-channel MatMul weights of rank 3 or 1."""
    per_channel = s.params['per_channel']
    patterns = []
    for node in s.nodes('MatMul'):
        for name in node.input:
            weight = s.facts.weights.get(name)
            if weight is not None and per_channel and weight.ndim != 2:
                patterns += [f'{name}_quantized', f'{name}_scale', f'{name}_zero_point', name]
    return {'id': 'D12', 'nodes': True, 'initializers': patterns} if patterns else None


def forced_movement(s):
    """D13: what moves data is left float, with Q and DQ around it."""
    forced = not s.qdq and s.extra.get('ForceQuantizeNoInputCheck')
    return anything('D13') if forced and s.nodes(*MOVES) else None


def four_bits(s):
    """D16: 4-bit under opset 21 goes to com.microsoft; we raise the opset."""
    types = {s.params['activation_type'], s.params['weight_type']}
    for entries in s.extra.get('TensorQuantOverrides', {}).values():
        for entry in entries:
            types |= {entry.get('quant_type'), entry.get('convert', {}).get('quant_type')}
    sixteen = types & {'QInt16', 'QUInt16'} or s.extra.get('BlockSize')
    needed = types & set(FOUR_BITS) and not sixteen and not s.extra.get('UseQDQContribOps')
    return {'id': 'D16', 'nodes': True, 'initializers': []} if needed and s.facts.opset < 21 else None


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


RULES = [
    gemm_scaling,
    removed_activations,
    clipped_output,
    weights_along_k,
    forced_movement,
    four_bits,
    softmax_axis,
    shared_bias,
]


def of(facts, params, reference):
    """The deviations of a case."""
    situation = Situation(facts, params, reference)
    return [found for rule in RULES if (found := rule(situation))]


def names_needed(deviations):
    """Are there initializers that may differ, and others that may not?"""
    patterns = [p for d in deviations for p in d['initializers']]
    return bool(patterns) and not any(fnmatch.fnmatch('any name', p) for p in patterns)
