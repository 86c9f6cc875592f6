"""The Python side of docs/results.md: quantizes a model with the reference in several ways, and measures all results,
ours and the reference's, in the same runtime on the same tensors.

Reads a job as JSON on standard input; prints one JSON line a result, as soon as it is there:
{"of": "float" | "ours" | "reference", "setting": index, "prepared": bool, "sqnr": dB | null, "hits": number | null,
"different": share of the values of outputs that are no floats | null, "bytes": number, "error": str | null}.
"""

import json
import os
import sys
import tempfile

import numpy as np
import onnxruntime
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quant_pre_process,
    quantize_static,
)


class Samples(CalibrationDataReader):
    """The arrays <folder>/<index of the input>.npy, sample by sample."""

    def __init__(self, inputs, folder):
        arrays = {name: np.load(os.path.join(folder, f"{i}.npy"), mmap_mode="r") for i, name in enumerate(inputs)}
        count = len(next(iter(arrays.values())))
        self.samples = ({name: np.asarray(a[i]) for name, a in arrays.items()} for i in range(count))

    def get_next(self):
        return next(self.samples, None)


class LoadError(Exception):
    """The model exists and onnxruntime refuses it."""


def open_session(model):
    # Without this the sums of unsigned by signed bytes saturate on x64 processors without VNNI: figures would depend
    # on the machine, and differ from those of WebAssembly. Some models of others load only without it.
    error = None
    for precision in ("1", "0"):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.add_session_config_entry("session.x64quantprecision", precision)
        try:
            return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as failure:  # noqa: BLE001  onnxruntime has a dozen classes for this
            error = failure
    raise LoadError(str(error)) from error


def outputs(model, job):
    session = open_session(model)
    return [session.run(job["outputs"], sample) for sample in Samples(job["inputs"], job["test"])]


def decibels(floats, values):
    """As bindings/js/verify/metrics.ts: all outputs together, None where values broke."""
    signal = noise = 0.0
    for x, y in ((x, y) for pair in zip(floats, values, strict=True) for x, y in zip(*pair, strict=True)):
        x, y = x.astype(np.float64), y.astype(np.float64)
        keep = np.isfinite(x)
        signal += np.sum(x[keep] ** 2)
        noise += np.sum((x[keep] - y[keep]) ** 2)
    if not np.isfinite(noise):
        return None
    floor = np.finfo(np.float64).eps
    return 20 * float(np.log10(max(np.sqrt(signal), floor) / max(np.sqrt(noise), floor)))


def share_different(floats, values):
    """None where outputs are floats."""
    pairs = [pair for sample in zip(floats, values, strict=True) for pair in zip(*sample, strict=True)]
    if all(np.issubdtype(x.dtype, np.floating) for x, _ in pairs):
        return None
    return sum(int(np.sum(x != y)) for x, y in pairs) / max(1, sum(x.size for x, _ in pairs))


def quantize(job, setting, prepared, folder):
    model = job["model"]
    if prepared:
        model = os.path.join(folder, "prepared.onnx")
        quant_pre_process(job["model"], model, auto_merge=True)
    output = os.path.join(folder, "quantized.onnx")
    quantize_static(
        model,
        output,
        Samples(job["inputs"], job["calibration"]),
        quant_format=QuantFormat[setting["quant_format"]],
        activation_type=QuantType[setting["activation_type"]],
        weight_type=QuantType[setting["weight_type"]],
        per_channel=setting["per_channel"],
    )
    return output


def measure(make, floats, job, folder):
    """Size and figures of the model whose path `make` returns, or the error of making, loading or running it."""
    result = {"sqnr": None, "hits": None, "different": None, "bytes": 0, "error": None}
    try:
        model = make()
        result["bytes"] = os.path.getsize(model)
        values = outputs(model, job)
        result["different"] = share_different(floats or values, values)
        if result["different"] is None:
            result["sqnr"] = decibels(floats or values, values)
        if job["labels"] is not None:
            result["hits"] = sum(int(np.argmax(v[0])) == label for v, label in zip(values, job["labels"], strict=True))
    except Exception as error:  # noqa: BLE001  the point is to report whatever it is
        kind = "does not load" if isinstance(error, LoadError) else type(error).__name__
        result["error"] = f"{kind}: {error}".replace(f"{folder}/", "")
    return result


def main():
    job = json.load(sys.stdin)

    def tell(of, make, floats=None, folder="", **which):
        print(json.dumps({"of": of, **which, **measure(make, floats, job, folder)}), flush=True)

    tell("float", lambda: job["model"])
    try:
        floats = outputs(job["model"], job)
    except LoadError:
        floats = None
    for index, path in enumerate(job["ours"]):
        if path is not None:
            tell("ours", lambda path=path: path, floats, setting=index)
    for index, setting in enumerate(job["settings"]):
        for prepared in (False, True):
            with tempfile.TemporaryDirectory() as folder:
                tell(
                    "reference",
                    lambda s=setting, p=prepared, f=folder: quantize(job, s, p, f),
                    floats,
                    folder,
                    setting=index,
                    prepared=prepared,
                )


main()
