"""Nodes and initializers as lines of text, the same in Python and TypeScript
(tests/js/support/kit.ts).

A node is `op_type|domain|name|inputs|outputs|attributes`, attributes sorted by name; an initializer
`name|element type|dims|hash of its bytes`, all sorted. A number that is no integer is the eight hex
digits of its float32.
"""

import hashlib
import struct

import onnx
from onnx import AttributeProto, helper, numpy_helper

FOUR_BITS = (onnx.TensorProto.INT4, onnx.TensorProto.UINT4)


def digest(lines):
    return hashlib.sha256('\n'.join(lines).encode()).hexdigest()[:12]


def tensor_bytes(tensor):
    """Little-endian; 4-bit values as they are stored, two a byte."""
    if tensor.data_type in FOUR_BITS:
        return tensor.raw_data or bytes(value & 255 for value in tensor.int32_data)
    array = numpy_helper.to_array(tensor)
    return array.astype(array.dtype.newbyteorder('<')).tobytes()


def tensor_text(tensor):
    dims = ','.join(map(str, tensor.dims))
    return f'{tensor.data_type}|{dims}|{hashlib.sha256(tensor_bytes(tensor)).hexdigest()[:12]}'


def number_text(value):
    return str(int(value)) if float(value).is_integer() else struct.pack('>f', value).hex()


def attribute_text(attribute):
    value = helper.get_attribute_value(attribute)
    kind = attribute.type
    if kind == AttributeProto.STRING:
        return value.decode()
    if kind == AttributeProto.STRINGS:
        return ','.join(item.decode() for item in value)
    if kind in (AttributeProto.INT, AttributeProto.FLOAT):
        return number_text(value)
    if kind in (AttributeProto.INTS, AttributeProto.FLOATS):
        return ','.join(map(number_text, value))
    if kind == AttributeProto.TENSOR:
        return tensor_text(value)
    if kind == AttributeProto.GRAPH:
        return digest(node_lines(value) + initializer_lines(value))
    raise ValueError(f'{attribute.name}: type {kind}')


def node_line(node):
    attributes = [f'{a.name}={attribute_text(a)}' for a in sorted(node.attribute, key=lambda a: a.name)]
    return '|'.join(
        [node.op_type, node.domain, node.name, ','.join(node.input), ','.join(node.output), ';'.join(attributes)]
    )


def node_lines(graph):
    return [node_line(node) for node in graph.node]


def initializer_lines(graph):
    return sorted(f'{tensor.name}|{tensor_text(tensor)}' for tensor in graph.initializer)
