"""What is quantized with which parameters (the reference's names), and where we mean to differ.

Every graph and every real model goes through MATRIX; OPTION_CASES add single options.
"""

MATRIX = [
    {
        'quant_format': quant_format,
        'activation_type': activation,
        'weight_type': weight,
        'per_channel': per_channel,
    }
    for quant_format in ('QOperator', 'QDQ')
    for activation, weight in (('QUInt8', 'QUInt8'), ('QUInt8', 'QInt8'), ('QInt8', 'QInt8'))
    for per_channel in (False, True)
]


def label(params):
    """A short name of a case, unique within its graph."""
    short = {'QUInt8': 'U8', 'QInt8': 'S8'}
    parts = [
        params['quant_format'],
        short[params['activation_type']] + short[params['weight_type']],
        'per-channel' if params['per_channel'] else 'per-tensor',
    ]
    for key, value in params.items():
        if key == 'extra_options':
            parts += [f'{option}={value[option]}' for option in value]
        elif key not in MATRIX[0]:
            parts.append(f'{key}={value}')
    return ' '.join(parts)


def options(graph, quant_formats, types=('QUInt8', 'QInt8'), per_channel=(False, True), **changes):
    activation, weight = types
    for quant_format in quant_formats:
        for channels in per_channel:
            params = {
                'quant_format': quant_format,
                'activation_type': activation,
                'weight_type': weight,
                'per_channel': channels,
            }
            yield graph, params | changes


def extra(graph, quant_formats, name, value, **more):
    return options(graph, quant_formats, extra_options={name: value}, **more)


BOTH = ('QOperator', 'QDQ')
QDQ = ('QDQ',)
U8U8 = ('QUInt8', 'QUInt8')
S8S8 = ('QInt8', 'QInt8')

OPTION_CASES = [
    # Which nodes
    *options('network', BOTH, nodes_to_exclude=['depth_node', 'logits_node']),
    *options('network', BOTH, nodes_to_quantize=['stem_node', 'stem_relu_node', 'sum_node']),
    *options('network', BOTH, op_types_to_quantize=['Conv', 'Gemm']),
    *options('network', BOTH, op_types_to_quantize=['Conv', 'Add', 'Relu', 'Clip']),
    *options('other_operators_between', QDQ, op_types_to_quantize=['Conv', 'Tanh', 'Sub']),
    *options('unnamed_nodes', BOTH, op_types_to_quantize=['Relu', 'Gemm']),
    *options('residual', BOTH, nodes_to_exclude=['sr_node', 'a_node']),
    *options('concat_of_convs', BOTH, nodes_to_exclude=['c_node']),
    # Types, ranges and symmetry
    *options('network', BOTH, reduce_range=True),
    *options('network', BOTH, types=U8U8, reduce_range=True),
    *options('matmul_add', BOTH, types=S8S8, reduce_range=True),
    *options('gemm', BOTH, types=U8U8, reduce_range=True),
    *extra('network', BOTH, 'ActivationSymmetric', True),
    *extra('network', BOTH, 'ActivationSymmetric', True, types=S8S8),
    *extra('gemm_relu_gemm', BOTH, 'ActivationSymmetric', True, types=S8S8),
    *extra('network', BOTH, 'WeightSymmetric', True, types=U8U8),
    *extra('network', BOTH, 'WeightSymmetric', False),
    *extra('add_constant', BOTH, 'WeightSymmetric', False, types=S8S8),
    *extra('add_constant', BOTH, 'ActivationSymmetric', True, types=S8S8),
    *extra('network', BOTH, 'ActivationRestrictedAsymmetric', True, types=U8U8),
    *extra('conv_relu', BOTH, 'ActivationRestrictedAsymmetric', True),
    *extra('network', BOTH, 'MinimumRealRange', 0.25),
    *extra('small_values_float16', BOTH, 'MinimumRealRange', 0.001),
    # QOperator and both
    *extra('movement_of_input', QDQ, 'ForceQuantizeNoInputCheck', True),
    *extra('max_pool_alone', QDQ, 'ForceQuantizeNoInputCheck', True),
    *extra('gather_activation', QDQ, 'ForceQuantizeNoInputCheck', True),
    *extra('reshape_chain', QDQ, 'ForceQuantizeNoInputCheck', True),
    *extra('gather_table', BOTH, 'ForceQuantizeNoInputCheck', True),
    *extra('matmul_dynamic', ('QOperator',), 'MatMulConstBOnly', True),
    *extra('silu', ('QOperator',), 'extra.Sigmoid.nnapi', True),
    # QDQ only
    *extra('network', QDQ, 'AddQDQPairToWeight', True),
    *extra('residual', QDQ, 'DedicatedQDQPair', True),
    *extra('network', QDQ, 'DedicatedQDQPair', True),
    *extra('add_to_itself', QDQ, 'DedicatedQDQPair', True),
    *extra('output_is_read', QDQ, 'DedicatedQDQPair', True),
    *extra('concat', QDQ, 'DedicatedQDQPair', True),
    *extra('network', QDQ, 'QuantizeBias', False),
    *extra('network', QDQ, 'UseQDQContribOps', True),
    *extra('network', QDQ, 'QDQKeepRemovableActivations', True),
    *extra('conv_clip6', QDQ, 'QDQKeepRemovableActivations', True),
    *extra('tiny_bias_scale', QDQ, 'QDQDisableWeightAdjustForInt32Bias', True),
    *extra('network', QDQ, 'OpTypesToExcludeOutputQuantization', ['Conv', 'Gemm', 'Add']),
    *extra('reshape_chain', QDQ, 'OpTypesToExcludeOutputQuantization', ['Transpose']),
    *extra('conv_split', QDQ, 'OpTypesToExcludeOutputQuantization', ['Split']),
    *extra('matmul', QDQ, 'QDQOpTypePerChannelSupportToAxis', {'MatMul': 0}),
    *extra('matmul_rank3', QDQ, 'QDQOpTypePerChannelSupportToAxis', {'MatMul': -1}),
    *extra('conv_batch_norm', QDQ, 'QDQOpTypePerChannelSupportToAxis', {'BatchNormalization': 0}),
]


def synthetic_cases(graph):
    """All parameter sets for one synthetic graph."""
    return MATRIX + [params for name, params in OPTION_CASES if name == graph]


def deviation(graph, params):
    return None
