"""Nodes of a model, of what our passes make of it, and of what onnxruntime's optimizer makes of it: for the table of
docs/preparing.md. Bodies of If, Loop and Scan count, so that a branch that is inlined does not look like more.

    passes.py MODEL OURS [MODEL OURS ...]     prints {"given": count, "ours": count, "basic": count, "extended": count,
                                              "own": {op type: count}} a line; "error" where onnxruntime does not load it
"""

import collections
import json
import os
import sys
import tempfile

import onnx
import onnxruntime as ort

LEVELS = {'basic': ort.GraphOptimizationLevel.ORT_ENABLE_BASIC, 'extended': ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED}


def nodes_of(graph):
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from nodes_of(attribute.g)


def nodes_in(path):
    graph = onnx.load(path, load_external_data=False).graph
    return [n for n in nodes_of(graph) if n.op_type != 'Constant']  # an initializer in another place


def optimized(level, path, folder):
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 4
    options.optimized_model_filepath = os.path.join(folder, 'optimized.onnx')
    ort.InferenceSession(path, options, providers=['CPUExecutionProvider'])
    return nodes_in(options.optimized_model_filepath)


with tempfile.TemporaryDirectory() as temporary:
    for model, ours in zip(sys.argv[1::2], sys.argv[2::2]):
        line = {'given': len(nodes_in(model)), 'ours': len(nodes_in(ours))}
        try:
            for name, level in LEVELS.items():
                nodes = optimized(level, model, temporary)
                line[name] = len(nodes)
            own = [n.op_type for n in nodes if n.domain not in ('', 'ai.onnx')]
            line['own'] = dict(collections.Counter(own).most_common())
        except Exception as error:  # noqa: BLE001  onnxruntime has a dozen classes for this
            line['error'] = str(error)
        print(json.dumps(line), flush=True)
