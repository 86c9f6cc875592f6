"""Runs onnxruntime.quantization, and puts a quantized model in the form that fixtures hold."""

import hashlib
import logging
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import AttributeProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    create_calibrator,
    quantize_static,
    save_tensors_data,
)

VERSIONS = {'onnxruntime': '1.32.0', 'onnx': '1.23.2', 'numpy': '2.4.6'}

logging.getLogger().setLevel(logging.ERROR)


def check_versions():
    """Fixtures of other versions would not say what this project is measured against."""
    found = {
        'onnxruntime': onnxruntime.__version__,
        'onnx': onnx.__version__,
        'numpy': np.__version__,
    }
    if found != VERSIONS:
        raise SystemExit(f'{found} is installed, tests/conformance/requirements.txt wants {VERSIONS}')


class Samples(CalibrationDataReader):
    def __init__(self, samples):
        self.samples = iter(samples)

    def get_next(self):
        return next(self.samples, None)


def write_ranges(model_path, samples, path):
    """Ranges of all float tensors by the reference's MinMax calibrator, as its calibration cache."""
    with tempfile.TemporaryDirectory() as folder:
        calibrator = create_calibrator(Path(model_path), None, f'{folder}/augmented.onnx')
        calibrator.collect_data(Samples(samples))
        save_tensors_data(calibrator.compute_data(), path)


def quantize(model_path, params, ranges_path):
    """The reference's result as a ModelProto. Raises whatever it raises."""
    params = dict(params)
    with tempfile.TemporaryDirectory() as folder:
        # The reference writes beside its input: give it a copy.
        model = Path(folder) / 'model.onnx'
        model.write_bytes(Path(model_path).read_bytes())
        quantize_static(
            str(model),
            f'{folder}/quantized.onnx',
            None,
            quant_format=QuantFormat[params.pop('quant_format')],
            activation_type=QuantType[params.pop('activation_type')],
            weight_type=QuantType[params.pop('weight_type')],
            calibration_cache_path=ranges_path,
            **params,
        )
        return onnx.load(f'{folder}/quantized.onnx')


def attribute_value(attribute):
    if attribute.type == AttributeProto.STRING:
        return attribute.s.decode()
    value = helper.get_attribute_value(attribute)
    return list(value) if attribute.type in (AttributeProto.INTS, AttributeProto.FLOATS) else value


def expect_node(node):
    attributes = {a.name: attribute_value(a) for a in sorted(node.attribute, key=lambda a: a.name)}
    return [node.op_type, node.domain, node.name, list(node.input), list(node.output), attributes]


def expect_initializer(tensor):
    """[element type, dims, hash of the raw bytes], and the value where there is only one."""
    array = numpy_helper.to_array(tensor)
    raw = array.astype(array.dtype.newbyteorder('<')).tobytes()
    entry = [tensor.data_type, list(tensor.dims), hashlib.sha256(raw).hexdigest()[:16]]
    if array.size == 1:
        entry.append(array.item())
    return entry


def expectation(model):
    """What is compared: nodes in file order, initializers by name, opset imports that matter."""
    return {
        'nodes': [expect_node(node) for node in model.graph.node],
        'initializers': {t.name: expect_initializer(t) for t in model.graph.initializer},
        'opsets': {o.domain: o.version for o in model.opset_import if o.domain in ('', 'com.microsoft')},
    }


def differences(expected, actual):
    """{'nodes': …, 'initializers': [names], 'opsets': …}: what is not the same; empty where all is."""
    result = {}
    if expected['nodes'] != actual['nodes']:
        result['nodes'] = True
    names = expected['initializers'].keys() | actual['initializers'].keys()
    unequal = sorted(
        n for n in names if expected['initializers'].get(n) != actual['initializers'].get(n)
    )
    if unequal:
        result['initializers'] = unequal
    if expected['opsets'] != actual['opsets']:
        result['opsets'] = True
    return result
