"""Float output before and after preparing a model: equal to rounding?

    cmake --preset native-release && cmake --build --preset native-release --target ptq_prepare
    python tests/conformance/prepare_check.py build/native-release/ptq_prepare [models…]

Runs each model (default: the cases of prepare_cases.py and ../shared/data/models) and what ptq_prepare makes of it in
onnxruntime, its own optimizations off, on the same random inputs, and prints the largest difference relative to the
largest output. Exits with 1 if one is above the limit: 1e-5, or twice what onnxruntime's own basic optimizations
change on that model and those inputs, if that is more (a Sigmoid near 0 magnifies the rounding of its input). A model
that onnxruntime does not run as given is skipped by name.
Needs onnx, onnxruntime and numpy. Not part of `npm test`: it compares with a runtime that is not a dependency.
"""

import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime as ort
import prepare_cases

LIMIT = 1e-5  # float; half precision rounds its weights again
LIMIT_HALF = 5e-3
VARIANTS = [
    ("optimize", ["--optimize"]),
    ("opset 13", ["--opset", "13"]),
    ("opt + 13", ["--optimize", "--opset", "13"]),
    ("opt + 18", ["--optimize", "--opset", "18"]),
    ("opt + 21", ["--optimize", "--opset", "21"]),
]
# Sizes that symbolic dimensions get; everything else is 1, or 2 the second time.
SIZES = {
    "ppocr_cls": [1, 3, 48, 192],
    "ppocrv4_det": [1, 3, 320, 320],
    "superres_core_op18": [1, 1, 64, 48],
    "minilm_l3_v6144": [2, 7],
}


def session(path, level=ort.GraphOptimizationLevel.ORT_DISABLE_ALL):
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 4
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def feeds(name, inputs, seed):
    rng = np.random.default_rng(seed)
    data = {}
    for i in inputs:
        shape = [d if isinstance(d, int) and d > 0 else 2 - seed % 2 for d in i.shape]
        if name in SIZES and len(SIZES[name]) == len(shape):
            shape = SIZES[name]
        if name.startswith("silero") and i.name == "input":
            shape = [shape[0], 576]
        if i.name == "sr":
            data[i.name] = np.array(16000, dtype=np.int64)
        elif i.type == "tensor(bool)":
            data[i.name] = np.full(shape, seed == 1)
        elif i.type == "tensor(int64)":
            ones = i.name.endswith("mask")
            data[i.name] = np.ones(shape, np.int64) if ones else rng.integers(0, 100, shape)
        else:
            kind = np.float16 if i.type == "tensor(float16)" else np.float32
            data[i.name] = rng.uniform(-1, 1, shape).astype(kind)
    return data


def real_inputs(path, sess):
    weights = {t.name for t in onnx.load(path, load_external_data=False).graph.initializer}
    return [i for i in sess.get_inputs() if i.name not in weights]


def difference(sess, samples, expected):
    """The largest one, relative to the largest value of its output."""
    worst = 0.0
    for sample, outputs in zip(samples, expected):
        for a, b in zip(outputs, sess.run(None, sample)):
            if a.shape != b.shape or a.dtype != b.dtype:
                raise ValueError(f"{a.dtype}{a.shape} became {b.dtype}{b.shape}")
            a, b = a.astype(np.float64), b.astype(np.float64)
            if not np.array_equal(np.isnan(a), np.isnan(b)):
                raise ValueError("other values are NaN")
            scale = np.nanmax(np.abs(a), initial=0) or 1.0
            worst = max(worst, float(np.nanmax(np.abs(a - b), initial=0)) / scale)
    return worst


def is_valid(path):
    """onnx's checker knows no experimental operators and wants every output's shape stated."""
    try:
        onnx.checker.check_model(path)
        return True
    except onnx.checker.ValidationError:
        return False


def check(tool, path, folder):
    name = os.path.basename(path).removesuffix(".onnx")
    try:
        before = session(path)
        samples = [feeds(name, real_inputs(path, before), seed) for seed in (1, 2)]
        expected = [before.run(None, sample) for sample in samples]
        basic = session(path, ort.GraphOptimizationLevel.ORT_ENABLE_BASIC)
        own = difference(basic, samples, expected)
    except Exception as error:  # noqa: BLE001
        print(f"{name:28} skipped: {str(error).splitlines()[0][:120]}")
        return True
    half = any(i.type == "tensor(float16)" for i in before.get_inputs()) or "fp16" in name
    limit = LIMIT_HALF if half else max(LIMIT, 2 * own)
    opset = max(o.version for o in onnx.load(path, load_external_data=False).opset_import if not o.domain)
    good = True
    for label, flags in VARIANTS:
        if "--opset" in flags and int(flags[-1]) < opset and len(flags) > 2:
            continue
        out = os.path.join(folder, f"{name}-{label.replace(' ', '')}.onnx")
        run = subprocess.run([tool, path, out, *flags], capture_output=True, text=True)
        report = run.stdout.replace("\n", ", ").strip(", ")
        try:
            if run.returncode != 0:
                raise RuntimeError(run.stderr.strip() or f"exit code {run.returncode}")
            if is_valid(path):
                onnx.checker.check_model(out)
            worst = difference(session(out), samples, expected)
        except Exception as error:  # noqa: BLE001
            print(f"{name:28} {label:9} FAILED {str(error).strip().splitlines()[0][:200]}")
            good = False
            continue
        fits = worst <= limit
        good = good and fits
        nodes = len(onnx.load(out).graph.node)
        print(f"{name:28} {label:9} {'ok' if fits else 'DIFFERS':7} {worst:.1e} (onnxruntime's own {own:.1e}) "
              f"{nodes:4} nodes {report}")
    return good


def main():
    tool, *models = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        if not models:
            models = prepare_cases.write_all(folder)
            real = os.path.join(os.path.dirname(__file__), "../../../shared/data/models")
            if os.path.isdir(real):
                models += sorted(os.path.join(real, f) for f in os.listdir(real) if f.endswith(".onnx"))
            else:
                print(f"skipped: the real models ({real} is absent)")
        results = [check(tool, model, folder) for model in models]
    print(f"{sum(results)} of {len(results)} models pass")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
