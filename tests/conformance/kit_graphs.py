"""The kit's graphs: every op type alone, pairs of producer and consumer, patterns written by hand,
random graphs.

Each graph comes from its name: `<kind>/<what>/<seed>` gives the same model on every machine, so
that a failing one can be made again (`npm run conformance -- --graph NAME`). What is drawn for a
graph depends on its name and on the op types in the name, beside those that the reference quantizes
by default, and on no others: with one more op type there are more graphs, and those that were there
stay as they were.

    alone/Conv/0          the op type on an input
    pair/Conv/Relu/0      the second on the first
    pattern/split_three/0 one of kit_patterns.py
    random/12             5 to 40 nodes of the op types quantized by default
    mixed/Div/Tanh/0      the same with these two, of those quantized only if named
    fresh/12              5 to 40 nodes of all op types, for graphs that are not stored
    random16, mixed16, fresh16: the same in float16
"""

import itertools
import zlib

import numpy as np
import onnx
from onnx import helper

import kit_patterns
from kit_builder import IR_VERSIONS, KitGraph, Unsuitable
from kit_ops import OPS, SHAPES


def stable(*parts):
    """A seed from names, the same everywhere."""
    return zlib.crc32('/'.join(map(str, parts)).encode())


def finish(graph):
    """The model of a KitGraph; its outputs are what nobody reads."""
    graph.output_unread()
    proto = helper.make_graph(graph.nodes, 'g', graph.inputs, graph.outputs, graph.initializers)
    contrib = [node for node in graph.nodes if node.domain == 'com.microsoft']
    opsets = [helper.make_opsetid('', graph.opset)]
    if contrib:
        opsets.append(helper.make_opsetid('com.microsoft', 1))
    model = helper.make_model(proto, ir_version=IR_VERSIONS[graph.opset], opset_imports=opsets)
    model = onnx.shape_inference.infer_shapes(model, strict_mode=not contrib)
    for name in (name for node in contrib for name in node.output):  # ONNX infers nothing of these
        value = graph.values[name]
        of = helper.np_dtype_to_tensor_dtype(value.dtype)
        model.graph.value_info.append(helper.make_tensor_value_info(name, of, value.shape))
    onnx.checker.check_model(model)
    return model, graph.seed


def put(graph, op, tensor):
    """The operator on a tensor. Raises Unsuitable where it does not fit."""
    outputs = op.put(graph, tensor)
    if outputs is None:
        raise Unsuitable(f'{op.op_type} on {tensor}')
    return outputs


def alone(name, op_type, seed):
    op = OPS[op_type]
    opset = op.least_opset([13, 11, 17, 21][seed % 4], IR_VERSIONS)
    if op.whole:
        graph = KitGraph(stable(name), opset)
        op.put(graph, None)
        return finish(graph)
    for attempt, rank in enumerate(2 * op.ranks):
        graph = KitGraph(stable(name, attempt), opset)
        try:
            put(graph, op, graph.input('x', op.shapes.get(rank, SHAPES[rank])))
            return finish(graph)
        except (Unsuitable, IndexError):
            continue
    raise Unsuitable(name)


def pair(name, first, second):
    producer, consumer = OPS[first], OPS[second]
    opset = [13, 17, 21][stable(name) % 3]
    opset = consumer.least_opset(producer.least_opset(opset, IR_VERSIONS), IR_VERSIONS)
    # By turns the shape that the consumer wants and the producer's own.
    starts = itertools.product(range(3), producer.ranks, ({**producer.shapes, **consumer.shapes}, producer.shapes))
    for attempt, (_, rank, shapes) in enumerate(starts):
        graph = KitGraph(stable(name, attempt), opset)
        try:
            outputs = put(graph, producer, graph.input('x', shapes.get(rank, SHAPES[rank])))
            put(graph, consumer, outputs[0])
            if graph.chance(0.15):
                graph.output(outputs[0])
            return finish(graph)
        except (Unsuitable, IndexError):
            continue
    raise Unsuitable(name)


def random_graph(name, named, vocabulary, float16):
    """5 to 40 nodes of the vocabulary, the named op types among them."""
    base = np.random.default_rng(stable(name))
    opset = int(base.choice([19, 21] if float16 else [11, 13, 13, 17, 21]))
    for op_type in named:
        opset = OPS[op_type].least_opset(opset, IR_VERSIONS)
    for attempt in range(20):
        graph = KitGraph(stable(name, attempt), opset, np.float16 if float16 else np.float32)
        graph.unnamed = graph.pick([0.0, 0.0, 0.0, 0.3, 1.0])
        size = graph.pick([5, 6, 8, 10, 12, 15, 20, 30, 40])
        if grow(graph, named, vocabulary, size):
            return finish(graph)
    raise Unsuitable(name)


def grow(graph, named, vocabulary, size):
    """Adds nodes up to `size`. Is it a graph that can be used?"""
    rank = graph.pick([4, 4, 4, 3, 2])
    shape = next((OPS[name].shapes[rank] for name in named if rank in OPS[name].shapes), SHAPES[rank])
    pool = [graph.input(graph.new('in'), shape) for _ in range(graph.pick([1, 1, 2]))]
    ops = [OPS[name] for name in sorted({*vocabulary, *named})]
    ops = [op for op in ops if not op.whole and (op.float16 or graph.dtype != np.float16)]
    weights = np.array([op.often if op.op_type not in named else 8 for op in ops], dtype=float)
    weights /= weights.sum()
    tries = 0
    while len(graph.nodes) < size and tries < 12 * size:
        tries += 1
        op = ops[graph.random.choice(len(ops), p=weights)]
        unread = [t for t in pool if t not in graph.read]
        tensor = graph.pick(unread[-3:]) if unread and graph.chance(0.8) else graph.pick(pool[-8:])
        state = len(graph.nodes), len(graph.initializers), dict(graph.values), set(graph.read)
        try:
            outputs = op.put(graph, tensor)
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
    used = {node.op_type for node in graph.nodes}
    return len(graph.nodes) >= 5 and all(i.name in graph.read for i in graph.inputs) and used.issuperset(named)


def make(name):
    """The model of a graph's name, and the seed of its samples. Raises Unsuitable where there is
    none.
    """
    kind, *what, seed = name.split('/')
    if kind == 'alone':
        return alone(name, what[0], int(seed))
    if kind == 'pair':
        return pair(name, *what)
    if kind == 'pattern':
        graph = KitGraph(stable(name), kit_patterns.opset(what[0], int(seed)))
        kit_patterns.PATTERNS[what[0]](graph)
        return finish(graph)
    vocabulary = OPS if kind.startswith('fresh') else by_default()
    return random_graph(name, what, vocabulary, float16=kind.endswith('16'))


def by_default():
    return [name for name, op in OPS.items() if op.by_default]


def names():
    """Every graph of the stored kit."""
    for op_type, op in OPS.items():
        for seed in range(1 if op.whole else 4):
            yield f'alone/{op_type}/{seed}'
    for producer, consumer in itertools.product(OPS.values(), OPS.values()):
        if producer.producer and not consumer.whole:
            yield f'pair/{producer.op_type}/{consumer.op_type}/0'
    for pattern in kit_patterns.PATTERNS:
        for seed in range(2):
            yield f'pattern/{pattern}/{seed}'
    for seed in range(190):
        yield f'random/{seed}'
    for seed in range(30):
        yield f'random16/{seed}'
    if_named = sorted(name for name, op in OPS.items() if not op.by_default)
    for first, second in itertools.combinations(if_named, 2):
        yield f'mixed/{first}/{second}/0'
    for op_type in if_named:
        yield f'mixed16/{op_type}/0'


def names_with(op_type):
    """Those of the stored kit that an op type adds."""
    return [name for name in names() if op_type in name.split('/')]


def fresh_names(count, seed):
    """Random graphs with other seeds than the stored ones; one in eight float16."""
    for number in range(seed + 1000, seed + 1000 + count):
        yield f'fresh16/{number}' if number % 8 == 0 else f'fresh/{number}'
