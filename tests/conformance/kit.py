"""The kit: what onnxruntime.quantization makes of generated graphs, as hashes that kit.ts compares
with ours.

    python kit.py                                     the stored kit: tests/fixtures/conformance/kit.tar.gz
    python kit.py --op Elu                            what one op type adds to the stored kit; all else stays
    python kit.py --fresh 2000 [--seed 7] --out FILE  random graphs that nobody has seen
    python kit.py --graph random/12 --out FILE        one graph, all its cases

A kit is a gzipped tar with two files a group, which is an op type (its graphs alone and on top of
others), a mixture of op types or a kind of graphs:

    <group>.json   [graph…], one a line, in the order of their names
    <group>.onnx   their float models, one after the other

A graph is {"name", "size" (of its model), "sample" (seed of its inputs), "float16", "ranges":
{tensor: [lowest, highest]}, "spread": {tensor: [avg, std]} where a case is FP8, "cases": […]}, and
"optimized_wrong", what onnxruntime-web may make of it that gives wrong results.

A case is {"params", "nodes", "initializers" (hashes of their lines, see kit_text.py), "opsets", "ir",
"bounds": {output: largest error}}, and "deviations" where we mean to differ (kit_deviations.py),
with "names" (hash of each initializer) where only some initializers may. "fails" stands for the
hashes where the reference ends in an exception, and "invalid" tells why its output is none that a
runtime loads. With `--out`, "detail" has the lines behind the hashes.

The same kit is the same file: no time stamps, all sorted. Groups are compressed each by itself, so
that what one more op type leaves as it was has the same bytes, which Git stores once.
"""

import argparse
import gzip
import io
import json
import logging
import multiprocessing
import os
import sys
import tarfile
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import create_calibrator

import kit_deviations
import kit_error
import kit_graphs
import kit_ops
import kit_params
import kit_text
import reference
from kit_builder import sample_values

FIXTURE = Path(__file__).resolve().parents[1] / 'fixtures' / 'conformance' / 'kit.tar.gz'
CASES = {'alone': 2, 'pair': 1, 'pattern': 3, 'random': 2, 'mixed': 2, 'fresh': 1}  # a graph of the kind

SESSION_OPTIONS = onnxruntime.SessionOptions()
SESSION_OPTIONS.intra_op_num_threads = 1
SESSION_OPTIONS.log_severity_level = 4
# The model as it is written: kernels that fuse have faults of their own, such as sums of U8S8
# products that saturate.
SESSION_OPTIONS.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL


def samples(model, seed):
    """Two samples; the first is the one that results are compared on."""
    result = []
    for number in (seed, seed + 1):
        sample = {}
        for place, value in enumerate(model.graph.input):
            tensor = value.type.tensor_type
            shape = [dim.dim_value for dim in tensor.shape.dim]
            dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
            values = sample_values(shape, place, number)
            sample[value.name] = (values if dtype.kind == 'f' else np.floor(values * 2 + 2)).astype(dtype)
        result.append(sample)
    return result


def calibrate(model_path, given, folder):
    calibrator = create_calibrator(Path(model_path), None, f'{folder}/augmented.onnx')
    calibrator.collect_data(reference.Samples(given))
    return calibrator.compute_data()


def number(value):
    """The shortest decimal that is this float32."""
    return float(str(np.float32(np.asarray(value).item())))


class Subject:
    """A graph with its ranges, in a folder of its own."""

    def __init__(self, name, folder):
        self.name = name
        self.folder = folder
        self.model, self.seed = kit_graphs.make(name)
        self.path = f'{folder}/model.onnx'
        onnx.save(self.model, self.path)
        self.samples = samples(self.model, self.seed)
        data = calibrate(self.path, self.samples, folder)
        self.ranges = {t: [number(v.lowest), number(v.highest)] for t, v in data.items()}
        self.facts = kit_params.ModelFacts(self.model, self.ranges)
        self.spread = None
        self.values = None
        self.error_model = None

    def spread_of_values(self):
        """Mean and deviation, for FP8. Not by the reference's calibrator, which refuses constant
        tensors.
        """
        if self.spread is None:
            values = self.observed()
            self.spread = {t: [number(values[t].mean()), number(max(values[t].std(), 2**-8))] for t in self.ranges}
        return self.spread

    def observed(self):
        """Every tensor's value on the first sample."""
        if self.values is None:
            self.values = kit_error.all_values(self.model, self.samples[0])
        return self.values

    def write_cache(self, params):
        """The calibration cache for a case; kit.ts writes the same text for our side."""
        dtype = 'float16' if self.facts.float16 else 'float32'

        def array(value):
            return {'data': [value], 'dtype': dtype, 'CLS': 'numpy.array'}

        float8 = params['activation_type'] == 'QFLOAT8E4M3FN'
        data = {}
        for tensor, (low, high) in self.ranges.items():
            data[tensor] = {'CLS': 'TensorData', 'lowest': array(low), 'highest': array(high)}
            if float8:
                avg, std = self.spread_of_values()[tensor]
                data[tensor] |= {'avg': array(avg), 'std': array(std)}
        method = 'CalibrationMethod.Distribution' if float8 else 'CalibrationMethod.MinMax'
        cache = {
            'CLS': 'TensorsData',
            'data': data,
            'calibration_method': {'CLS': 'CalibrationMethod', 'value': method},
        }
        path = Path(self.folder) / 'ranges.json'
        path.write_text(json.dumps(cache))
        return str(path)

    def case(self, params, detail):
        cache = self.write_cache(params)
        case = {'params': params}
        model = None
        try:
            model = reference.quantize(self.path, kit_params.for_reference(params, self.model), cache)
        except Exception as error:  # whatever it dies of
            case['fails'] = f'{type(error).__name__}: {str(error)[:120]}'
        if model is not None:
            nodes, initializers = kit_text.node_lines(model.graph), kit_text.initializer_lines(model.graph)
            case |= {
                'nodes': kit_text.digest(nodes),
                'initializers': kit_text.digest(initializers),
                'opsets': {o.domain: o.version for o in model.opset_import if o.domain in ('', 'com.microsoft')},
                'ir': model.ir_version,
            }
            invalid, results = run(model, self.samples[0])
            if invalid:
                case['invalid'] = invalid
            if detail:
                case['detail'] = {'nodes': nodes, 'initializers': initializers, 'errors': self.errors(results)}
        deviations = kit_deviations.of(self.facts, params, model)
        if deviations:
            case['deviations'] = deviations
            if model is not None and kit_deviations.names_needed(deviations):
                case['names'] = {line.split('|')[0]: kit_text.digest([line])[:6] for line in initializers}
        self.error_model = self.error_model or kit_error.ErrorModel(self.model, self.observed(), self.ranges)
        case['bounds'] = self.error_model.bounds(params, self.spread)
        return case

    def drawn_case(self, number, detail):
        """Case `number`; drawn anew up to three times where nothing would be quantized."""
        for attempt in range(4):
            seed = kit_graphs.stable(self.name, 'params', number, attempt)
            case = self.case(kit_params.draw(seed, self.facts), detail)
            if all(deviation['id'] != 'E20' for deviation in case.get('deviations', [])):
                break
        return case

    def errors(self, results):
        """Largest difference from the float model, by output."""
        floats = {name: value for name, value in results.items() if value.dtype.kind == 'f'}
        values = self.observed()
        return {
            name: worst_difference(value, values[name])
            for name, value in floats.items()
        }

    def entry(self, cases, detail):
        """The graph's entry in its group."""
        entry = {
            'name': self.name,
            'sample': self.seed,
            'float16': self.facts.float16,
            'ranges': self.ranges,
            'cases': [self.drawn_case(i, detail) for i in range(cases)],
        }
        if self.spread:
            entry['spread'] = self.spread
        softmax = [node.output[0] for node in self.model.graph.node if node.op_type == 'Softmax']
        if any(self.ranges[output][1] < 0.99 for output in softmax):
            entry['optimized_wrong'] = 'QLinearSoftmax with an output scale below 1/256'
        return entry


def worst_difference(a, b):
    """A number that JSON can hold."""
    difference = np.abs(a.astype(np.float64) - b.astype(np.float64)).max(initial=0.0)
    return float(np.nan_to_num(difference, nan=1e30, posinf=1e30))


def run(model, sample):
    """(why no runtime takes the model or None, its results by output)."""
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:
        return f'checker: {str(error)[:160]}', {}
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), SESSION_OPTIONS, ['CPUExecutionProvider'])
        names = [output.name for output in session.get_outputs()]
        return None, dict(zip(names, session.run(names, sample), strict=True))
    except Exception as error:
        return f'runtime: {str(error)[:200]}', {}


def make_entry(job):
    """(model bytes, entry) of a graph, or (None, reason)."""
    name, cases, detail = job
    logging.disable(logging.CRITICAL)
    onnxruntime.set_default_logger_severity(4)
    with tempfile.TemporaryDirectory(dir=fast_folder()) as folder:
        try:
            subject = Subject(name, folder)
        except kit_graphs.Unsuitable:
            return None, 'no such graph'
        try:
            return subject.model.SerializeToString(), subject.entry(cases, detail)
        except Exception as error:
            raise RuntimeError(f'{name}: {error!r}') from error


def fast_folder():
    memory = Path('/dev/shm')
    return str(memory) if memory.is_dir() else None


def make(names, cases_of, detail=False):
    """{name: (model, entry)} of these graphs, made by all processors, and how many there are not,
    by reason.
    """
    jobs = [(name, cases_of(name), detail) for name in names]
    graphs, skipped = {}, Counter()
    with multiprocessing.Pool() as pool:
        for at, (model, entry) in enumerate(pool.imap(make_entry, jobs, chunksize=4)):
            if model is None:
                skipped[entry] += 1
                continue
            graphs[entry['name']] = model, entry | {'size': len(model)}
            if at % 100 == 99:
                print(f'{at + 1} of {len(jobs)} graphs', file=sys.stderr)
    return graphs, skipped


def group(name):
    """The group that a graph is stored in."""
    kind, *what, _ = name.split('/')
    if kind in ('alone', 'pair'):
        return what[-1]
    return '-'.join([kind, *what]) if kind.startswith('mixed') else kind


def read(path):
    """{name: (model, entry)} of a kit."""
    graphs = {}
    with tarfile.open(path) as tar:
        files = {name: tar.extractfile(name).read() for name in tar.getnames()}
    for name, data in files.items():
        if name.endswith('.json'):
            models = io.BytesIO(files[name.replace('.json', '.onnx')])
            for entry in json.loads(data):
                graphs[entry['name']] = models.read(entry['size']), entry
    return graphs


def write(path, graphs):
    """`graphs`: {name: (model, entry)}."""
    groups = {}
    for name in sorted(graphs):
        groups.setdefault(group(name), []).append(graphs[name])
    with open(path, 'wb') as file:
        for name, members in sorted(groups.items()):
            lines = [json.dumps(entry, separators=(',', ':'), sort_keys=True, allow_nan=False) for _, entry in members]
            text = '[\n' + ',\n'.join(lines) + '\n]\n'
            models = b''.join(model for model, _ in members)
            parts = tar_member(f'{name}.json', text.encode()) + tar_member(f'{name}.onnx', models)
            file.write(gzip.compress(parts, 9, mtime=0))
        file.write(gzip.compress(bytes(2 * tarfile.BLOCKSIZE), 9, mtime=0))  # the end of a tar


def tar_member(name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    return info.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % tarfile.BLOCKSIZE)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--fresh', type=int, default=0, metavar='N')
    parser.add_argument('--seed', type=int, help='of the fresh graphs; drawn and printed by default')
    parser.add_argument('--graph', action='append', default=[], metavar='NAME')
    parser.add_argument('--op', help='only what this op type adds to the stored kit')
    parser.add_argument('--cases', type=int, help='cases a graph')
    parser.add_argument('--detail', action='store_true', help='in the stored kit too')
    parser.add_argument('--out', default=str(FIXTURE))
    arguments = parser.parse_args()
    reference.check_versions()
    if os.environ.get('PYTHONHASHSEED') != '0':  # the reference's exceptions print sets
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {'PYTHONHASHSEED': '0'})
    started = time.monotonic()
    cases_of = lambda name: arguments.cases or CASES[name.split('/')[0].removesuffix('16')]
    names, kept = arguments.graph, {}
    if arguments.fresh:
        seed = arguments.seed if arguments.seed is not None else int(time.time()) % 10**6 * 1000
        print(f'seed {seed}', file=sys.stderr)
        names = list(kit_graphs.fresh_names(arguments.fresh, seed))
    stored = not names
    if arguments.op:
        if arguments.op not in kit_ops.OPS:
            parser.error(f'kit_ops.py has no function {arguments.op}')
        names = kit_graphs.names_with(arguments.op)
        kept = {name: graph for name, graph in read(FIXTURE).items() if arguments.op not in name.split('/')}
    made, skipped = make(names or list(kit_graphs.names()), cases_of, detail=not stored or arguments.detail)
    graphs = kept | made
    write(arguments.out, graphs)
    cases = sum(len(entry['cases']) for _, entry in graphs.values())
    print(
        f'{len(graphs)} graphs ({len(made)} made), {cases} cases, {Path(arguments.out).stat().st_size} bytes, '
        f'{time.monotonic() - started:.0f} s; skipped: {dict(skipped)}',
        file=sys.stderr,
    )


if __name__ == '__main__':
    main()
