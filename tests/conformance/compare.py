"""Runs cases live on both sides and prints what differs first. For whoever changes the quantizer.

    python tests/conformance/compare.py                      all synthetic cases
    python tests/conformance/compare.py 'conv*' QDQ S8S8     graphs by pattern, cases by words in their label
    python tests/conformance/compare.py --model mobilenetv2-7 …   a real model, prepared by our tool

`--ours` is a command that quantizes by the configuration file given as its last argument (default: our command line).
"""

import argparse
import fnmatch
import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import onnx

import cases
import real_models
import reference
import synthetic
from make_fixtures import synthetic_samples

ROOT = Path(__file__).resolve().parents[2]
OURS = f'node {ROOT}/dist/node/cli.js --config'


def quantize_ours(command, model_path, params, ranges_path, folder):
    """Our result, or the text of our error."""
    output = Path(folder) / 'ours.onnx'
    output.unlink(missing_ok=True)
    config = params | {
        'model_input': str(model_path),
        'model_output': str(output),
        'calibration_cache_path': str(ranges_path),
        'optimize_model': False,
    }
    config_path = Path(folder) / 'config.json'
    config_path.write_text(json.dumps(config))
    run = subprocess.run([*shlex.split(command), str(config_path)], capture_output=True, text=True)
    return onnx.load(output) if output.exists() else run.stderr.strip() or run.stdout.strip()


def print_differences(expected, actual, found, limit):
    if found.get('nodes'):
        pairs = zip(expected['nodes'], actual['nodes'], strict=False)
        for at, (a, b) in enumerate(pairs):
            if a != b:
                print(f'    node {at}: reference {a}\n    node {at}: ours      {b}')
                break
        count = len(expected['nodes']), len(actual['nodes'])
        if count[0] != count[1]:
            print(f'    nodes: reference {count[0]}, ours {count[1]}')
    for name in found.get('initializers', [])[:limit]:
        a, b = expected['initializers'].get(name), actual['initializers'].get(name)
        print(f'    initializer {name}: reference {a}, ours {b}')
    if found.get('opsets'):
        print(f"    opsets: reference {expected['opsets']}, ours {actual['opsets']}")


def compare(name, model_path, params, ranges_path, arguments, folder):
    """True where both sides agree."""
    try:
        expected = reference.expectation(reference.quantize(model_path, params, ranges_path))
    except Exception as error:  # whatever the reference dies of
        expected = f'{type(error).__name__}: {error}'
    actual = quantize_ours(arguments.ours, model_path, params, ranges_path, folder)
    if isinstance(actual, onnx.ModelProto):
        actual = reference.expectation(actual)
    failed = isinstance(expected, str), isinstance(actual, str)
    found = {} if any(failed) else reference.differences(expected, actual)
    if not any(failed) and not found:
        return True
    known = cases.deviation(name, params)
    print(f'{name}: {cases.label(params)}' + (f' (meant: {known["id"]})' if known else ''))
    if any(failed):
        for side, text, is_failed in zip(('reference', 'ours'), (expected, actual), failed, strict=True):
            if is_failed:
                print(f'    {side} failed: {text[:300]}')
    else:
        print_differences(expected, actual, found, arguments.limit)
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('graph', nargs='?', default='*')
    parser.add_argument('words', nargs='*')
    parser.add_argument('--model', help='a real model instead of a synthetic graph')
    parser.add_argument('--ours', default=OURS)
    parser.add_argument('--limit', type=int, default=3, help='initializers shown for a case')
    arguments = parser.parse_args()
    same = total = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, model_path, ranges_path, all_params in subjects(arguments, folder):
            for params in all_params:
                if not set(arguments.words) <= set(cases.label(params).split()):
                    continue
                total += 1
                same += compare(name, model_path, params, ranges_path, arguments, folder)
                sys.stdout.flush()
    print(f'{same} of {total} cases are the same')


def subjects(arguments, folder):
    """(name, model path, ranges path, parameter sets) of everything asked for."""
    model_path, ranges_path = f'{folder}/float.onnx', f'{folder}/ranges.json'
    if arguments.model:
        real_models.prepare(arguments.model, model_path)
        reference.write_ranges(model_path, real_models.samples(arguments.model), ranges_path)
        if arguments.graph != '*':
            arguments.words.insert(0, arguments.graph)
        yield arguments.model, model_path, ranges_path, cases.MATRIX
        return
    for name in fnmatch.filter(synthetic.GRAPHS, arguments.graph):
        model = synthetic.GRAPHS[name]()
        onnx.save(model, model_path)
        reference.write_ranges(model_path, synthetic_samples(model), ranges_path)
        yield name, model_path, ranges_path, cases.synthetic_cases(name)


if __name__ == '__main__':
    main()
