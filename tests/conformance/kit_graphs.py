"""The kit's graphs: every op type alone, pairs of producer and consumer, patterns written by hand, random graphs.

Each graph comes from its name: `<kind>/<what>/<seed>` gives the same model on every machine, so that a failing one can
be made again (`npm run conformance -- --graph NAME`).
"""

import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper

import kit_patterns
from kit_ops import IR_VERSIONS, NOT_BY_DEFAULT, OPS, KitGraph, Unsuitable

SHAPES = {4: [1, 4, 5, 4], 3: [1, 4, 5], 2: [3, 6]}
EVEN = [1, 4, 4, 4]

# What random graphs draw from, by weight; pairs use every one as a consumer.
OFTEN = {'Conv': 8, 'Gemm': 4, 'MatMul': 4, 'Add': 5, 'Mul': 3, 'Relu': 5, 'Clip': 3, 'Concat': 3, 'MaxPool': 2, 'Reshape': 2}
# Both sides of a pair: what has a rule of its own.
PRODUCERS = [
    *('Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'Add', 'Mul', 'Relu', 'Clip', 'Sigmoid', 'LeakyRelu', 'Softmax'),
    *('MaxPool', 'AveragePool', 'GlobalAveragePool', 'BatchNormalization', 'InstanceNormalization'),
    *('LayerNormalization', 'Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Flatten', 'Slice', 'Split', 'Pad'),
    *('Resize', 'Concat', 'Gather', 'GatherElements', 'TopK', 'Where', 'CumSum', 'Tanh', 'Sub', 'ReduceMean'),
]


def finish(graph):
    """The model of a KitGraph; its outputs are what nobody reads."""
    graph.output_unread()
    proto = helper.make_graph(graph.nodes, 'g', graph.inputs, graph.outputs, graph.initializers)
    ir_version = IR_VERSIONS[graph.opset]
    opsets = [helper.make_opsetid('', graph.opset)]
    if any(node.domain == 'com.microsoft' for node in graph.nodes):
        opsets.append(helper.make_opsetid('com.microsoft', 1))
    model = helper.make_model(proto, ir_version=ir_version, opset_imports=opsets)
    model = onnx.shape_inference.infer_shapes(model, strict_mode=len(opsets) == 1)
    onnx.checker.check_model(model)
    return model, graph.seed


def ranks_for(op_type):
    """A rank that the operator takes, tried in this order."""
    return [4, 2, 3] if op_type not in ('Gemm', 'MatMul', 'LayerNormalization', 'GatherElements') else [2, 3, 4]


def put(graph, op_type, tensor):
    """The operator on a tensor; once more on a tensor of fitting shape where it needs that. Raises Unsuitable."""
    outputs = OPS[op_type](graph, tensor)
    if outputs is None:
        raise Unsuitable(f'{op_type} on {graph.shape(tensor)}')
    return outputs


def start(graph, op_type, rank):
    shape = EVEN if op_type in ('DepthToSpace', 'SpaceToDepth') else SHAPES[rank]
    if op_type in ('Squeeze', 'Expand'):
        shape = [1, 1, *shape[2:]] if rank > 2 else shape
    return graph.input('x', list(shape))


def opset_for(*op_types, default):
    least = {'Gelu': 20, 'LayerNormalization': 17, 'HardSwish': 14}
    needed = max((least.get(op_type, 0) for op_type in op_types), default=0)
    return default if needed <= default else next(o for o in IR_VERSIONS if o >= needed)


def alone(op_type, seed):
    opset = opset_for(op_type, default=[13, 11, 17, 21][seed % 4])
    if op_type in ('Min', 'Max', 'Pow', 'DepthToSpace', 'SpaceToDepth', 'MaxPool'):
        opset = max(opset, 13)
    for attempt, rank in enumerate(2 * ranks_for(op_type)):
        graph = KitGraph(stable('alone', op_type, seed, attempt), opset)
        try:
            put(graph, op_type, start(graph, op_type, rank))
            return finish(graph)
        except (Unsuitable, IndexError):
            continue
    raise Unsuitable(op_type)


def pair(producer, consumer, seed):
    opset = opset_for(producer, consumer, default=[13, 17, 21][seed % 3])
    opset = max(opset, 13)
    for attempt, rank in enumerate(3 * ranks_for(producer)):
        graph = KitGraph(stable('pair', producer, consumer, seed, attempt), opset)
        try:
            x = start(graph, consumer if consumer in ('DepthToSpace', 'SpaceToDepth') else producer, rank)
            outputs = put(graph, producer, x)
            put(graph, consumer, outputs[0])
            if graph.chance(0.15):
                graph.output(outputs[0])
            return finish(graph)
        except (Unsuitable, IndexError):
            continue
    raise Unsuitable(f'{producer} {consumer}')


def random_graph(seed, float16=False):
    """5 to 40 nodes."""
    base = np.random.default_rng(stable('random', seed))
    opset = int(base.choice([19, 21] if float16 else [11, 13, 13, 17, 21]))
    for attempt in range(20):
        graph = KitGraph(stable('random', seed, attempt), opset, np.float16 if float16 else np.float32)
        graph.unnamed = graph.pick([0.0, 0.0, 0.0, 0.3, 1.0])
        if grow(graph, graph.pick([5, 6, 8, 10, 12, 15, 20, 30, 40])):
            return finish(graph)
    raise Unsuitable(f'random {seed}')


def grow(graph, size):
    rank = graph.pick([4, 4, 4, 3, 2])
    pool = [graph.input(graph.new('in'), list(SHAPES[rank])) for _ in range(graph.pick([1, 1, 2]))]
    names = [name for name in OPS if not (graph.dtype == np.float16 and name in ('CumSum', 'GatherElements'))]
    weights = np.array([OFTEN.get(name, 1) for name in names], dtype=float)
    weights /= weights.sum()
    tries = 0
    while len(graph.nodes) < size and tries < 12 * size:
        tries += 1
        op_type = names[graph.random.choice(len(names), p=weights)]
        unread = [t for t in pool if t not in graph.read]
        tensor = graph.pick(unread[-3:]) if unread and graph.chance(0.8) else graph.pick(pool[-8:])
        state = len(graph.nodes), len(graph.initializers), dict(graph.values), set(graph.read)
        try:
            outputs = OPS[op_type](graph, tensor)
        except (Unsuitable, IndexError):
            outputs = None
        if outputs is None:
            graph.nodes, graph.initializers = graph.nodes[: state[0]], graph.initializers[: state[1]]
            graph.values, graph.read = state[2:]
            continue
        pool += outputs
    for name in pool:
        if any(name in node.output for node in graph.nodes) and graph.chance(0.06):
            graph.output(name)
    return len(graph.nodes) >= 5 and all(i.name in graph.read for i in graph.inputs)


def embed_layer_normalization(seed):
    """The one op type of the registries in com.microsoft."""
    graph = KitGraph(stable('embed', seed), 17)
    hidden, length = 8, 4
    ids = helper.make_tensor_value_info('ids', TensorProto.INT32, [1, length])
    graph.inputs.append(ids)
    inputs = [
        'ids',
        '',
        graph.weight('words', 6, hidden, low=-0.5, high=1),
        graph.weight('positions', length, hidden, low=-0.25, high=0.25),
        '',
        graph.weight('gamma', hidden, low=0.5, high=1),
        graph.weight('beta', hidden),
    ]
    embed = helper.make_node('EmbedLayerNormalization', inputs, ['h', 'm'], 'embed', domain='com.microsoft', epsilon=1e-5)
    graph.nodes.append(embed)
    graph.values |= {'h': np.zeros([1, length, hidden], np.float32), 'm': np.zeros([1], np.int32)}
    graph.read.update(['ids', 'm'])
    y = helper.make_node('MatMul', ['h', graph.weight('w', hidden, 3)], ['y'], 'matmul')
    graph.nodes.append(y)
    graph.read.add('h')
    graph.values['y'] = np.zeros([1, length, 3], np.float32)
    model, sample = finish(graph)
    model.graph.value_info.append(helper.make_tensor_value_info('h', TensorProto.FLOAT, [1, length, hidden]))
    model.graph.value_info.append(helper.make_tensor_value_info('m', TensorProto.INT32, [1]))
    return model, sample


def stable(*parts):
    """A seed from names, the same everywhere."""
    return zlib.crc32('/'.join(map(str, parts)).encode())


def make(name):
    """The model of a graph's name, and the seed of its samples. Raises Unsuitable where there is none."""
    kind, *what, seed = name.split('/')
    if kind == 'alone' and what[0] == 'EmbedLayerNormalization':
        return embed_layer_normalization(int(seed))
    if kind == 'alone':
        return alone(what[0], int(seed))
    if kind == 'pair':
        return pair(*what, int(seed))
    if kind == 'pattern':
        graph = KitGraph(stable('pattern', *what, seed), kit_patterns.opset(what[0], int(seed)))
        kit_patterns.PATTERNS[what[0]](graph)
        return finish(graph)
    return random_graph(int(seed), float16=kind.endswith('16'))


def names():
    """Every graph of the stored kit."""
    for op_type in [*OPS, 'EmbedLayerNormalization']:
        for seed in range(1 if op_type == 'EmbedLayerNormalization' else 4):
            yield f'alone/{op_type}/{seed}'
    for at, producer in enumerate(PRODUCERS):
        for by, consumer in enumerate(OPS):
            yield f'pair/{producer}/{consumer}/{(at + by) % 6}'
    for pattern in kit_patterns.PATTERNS:
        for seed in range(2):
            yield f'pattern/{pattern}/{seed}'
    for seed in range(280):
        yield f'random/{seed}'
    for seed in range(40):
        yield f'random16/{seed}'


def fresh_names(count, seed):
    """Random graphs with other seeds than the stored ones; one in eight float16."""
    for number in range(seed + 1000, seed + 1000 + count):
        yield f'fresh16/{number}' if number % 8 == 0 else f'fresh/{number}'


__all__ = ['NOT_BY_DEFAULT', 'Unsuitable', 'make', 'names']
