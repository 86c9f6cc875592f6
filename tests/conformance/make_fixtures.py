"""Writes tests/fixtures/conformance: what the reference makes of every case, for conformance.test.ts to replay.

    python tests/conformance/make_fixtures.py [synthetic] [mobilenetv2-7 …]      default: everything

Needs the versions of requirements.txt; for the real models also ../shared/data and the built command line (their float
model is the one that `onnx-ptq preprocess` writes: if preparing changes, their fixtures must be made anew).

    <name>.onnx                 a synthetic float model
    synthetic.json.gz           {"reference", "graphs": {name: {"ranges", "cases": […]}}, "nodes", "initializers"}
    <real model>.json.gz        {"reference", "prepared": {…}, "ranges", "cases": […], "nodes", "initializers"}

A case is {"params", "nodes": n, "initializers": [n…], "opsets"} with n an index into the tables at the end (cases have much in
common), and "deviation" where we mean to differ (cases.py).
"""

import gzip
import hashlib
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx

import cases
import real_models
import reference
import synthetic

FIXTURES = Path(__file__).resolve().parents[1] / 'fixtures' / 'conformance'


def synthetic_samples(model):
    """Two samples from a fixed seed."""
    random = np.random.default_rng(len(model.graph.node))
    samples = []
    for _ in range(2):
        sample = {}
        for value in model.graph.input:
            tensor = value.type.tensor_type
            shape = [dim.dim_value for dim in tensor.shape.dim]
            dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
            sample[value.name] = random.uniform(-1, 2, shape).astype(dtype)
        samples.append(sample)
    return samples


class Table:
    """Distinct JSON values, and their indices."""

    def __init__(self):
        self.values = []
        self.index = {}

    def add(self, value):
        key = json.dumps(value)
        if key not in self.index:
            self.index[key] = len(self.values)
            self.values.append(value)
        return self.index[key]


class CaseTables:
    def __init__(self):
        self.nodes = Table()
        self.initializers = Table()

    def case(self, name, model_path, params, ranges_path):
        expected = reference.expectation(reference.quantize(model_path, params, ranges_path))
        entry = {
            'label': cases.label(params),
            'params': params,
            'nodes': self.nodes.add(expected['nodes']),
            'initializers': [
                self.initializers.add([key, *value])
                for key, value in sorted(expected['initializers'].items())
            ],
            'opsets': expected['opsets'],
        }
        deviation = cases.deviation(name, params)
        return entry | ({'deviation': deviation} if deviation else {})

    def to_json(self):
        return {'nodes': self.nodes.values, 'initializers': self.initializers.values}


def write(name, content):
    path = FIXTURES / f'{name}.json.gz'
    text = json.dumps({'reference': reference.VERSIONS} | content, separators=(',', ':'))
    # No time stamp: the same content is the same file.
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f'{path.name}: {path.stat().st_size} bytes')


def make_synthetic():
    tables, graphs = CaseTables(), {}
    with tempfile.TemporaryDirectory() as folder:
        ranges_path = f'{folder}/ranges.json'
        for name, make in synthetic.GRAPHS.items():
            model = make()
            path = FIXTURES / f'{name}.onnx'
            onnx.save(model, path)
            reference.write_ranges(path, synthetic_samples(model), ranges_path)
            graphs[name] = {
                'ranges': json.loads(Path(ranges_path).read_text()),
                'cases': [
                    tables.case(name, path, params, ranges_path)
                    for params in cases.synthetic_cases(name)
                ],
            }
    for path in FIXTURES.glob('*.onnx'):
        if path.stem not in graphs:
            path.unlink()
    write('synthetic', {'graphs': graphs} | tables.to_json())


def fingerprint(model_path):
    """What the expectations depend on: hash of the prepared model's initializers, by name."""
    model = onnx.load(model_path)
    lines = sorted(
        f'{t.name} {reference.expect_initializer(t)[2]}\n' for t in model.graph.initializer
    )
    return hashlib.sha256(''.join(lines).encode()).hexdigest()[:16]


def make_real(name):
    tables = CaseTables()
    with tempfile.TemporaryDirectory() as folder:
        model_path, ranges_path = f'{folder}/float.onnx', f'{folder}/ranges.json'
        real_models.prepare(name, model_path)
        reference.write_ranges(model_path, real_models.samples(name), ranges_path)
        content = {
            'model': f'{name}.onnx',
            'prepared': fingerprint(model_path),
            'ranges': json.loads(Path(ranges_path).read_text()),
            'cases': [tables.case(name, model_path, params, ranges_path) for params in cases.MATRIX],
        }
    write(name, content | tables.to_json())


def main():
    reference.check_versions()
    FIXTURES.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[1:] or ['synthetic', *real_models.MODELS]
    for name in wanted:
        make_synthetic() if name == 'synthetic' else make_real(name)


if __name__ == '__main__':
    main()
