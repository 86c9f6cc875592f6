"""The reference's side of docs/results.md: quantize one model with quantize_static and count top-1 hits.

Reads a job as JSON on standard input, prints one JSON line: {"float": hits, "quantized": hits | null, "note": str}.
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
from PIL import Image


def tensor(path, spec):
    """As src/image/preprocess.cc: centre crop of an image whose shorter side is 256/224 of the crop."""
    image = Image.open(path).convert("RGB")
    width, height = spec["width"], spec["height"]
    if spec["mode"] == "center":
        shorter = round(min(width, height) * 256 / 224)
        scale = shorter / min(image.size)
        size = [max(shorter, int(side * scale + 0.5)) for side in image.size]
        image = image.resize(size, Image.BILINEAR)
        left, top = (size[0] - width) // 2, (size[1] - height) // 2
        image = image.crop((left, top, left + width, top + height))
    pixels = np.asarray(image, dtype=np.float32)
    if spec["order"] == "BGR":
        pixels = pixels[..., ::-1]
    pixels = (pixels - np.float32(spec["mean"])) / np.float32(spec["std"])
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


class Images(CalibrationDataReader):
    def __init__(self, name, paths, spec):
        self.name, self.spec, self.paths = name, spec, iter(paths)

    def get_next(self):
        path = next(self.paths, None)
        return None if path is None else {self.name: tensor(path, self.spec)}


def brief(error):
    """The first line without paths, cut at 60 characters."""
    return str(error).splitlines()[0].split(" : Load model")[0][:60].strip()


def hits(model, job):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    right = 0
    for path, label in job["test"]:
        scores = session.run(None, {name: tensor(path, job["preprocess"])})[0]
        right += int(np.argmax(scores) == label)
    return right


def quantize(job, folder):
    model = job["model"]
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    if job["preProcess"]:
        prepared = os.path.join(folder, "prepared.onnx")
        quant_pre_process(model, prepared, auto_merge=True)
        model = prepared
    output = os.path.join(folder, "quantized.onnx")
    quantize_static(
        model,
        output,
        Images(name, job["calibration"], job["preprocess"]),
        quant_format=getattr(QuantFormat, job["quant_format"]),
        activation_type=getattr(QuantType, job["activation_type"]),
        weight_type=getattr(QuantType, job["weight_type"]),
        per_channel=job["per_channel"],
    )
    return output


def main():
    job = json.load(sys.stdin)
    result = {"float": hits(job["model"], job), "quantized": None, "note": ""}
    with tempfile.TemporaryDirectory() as folder:
        try:
            output = quantize(job, folder)
            try:
                result["quantized"] = hits(output, job)
            except Exception as error:  # noqa: BLE001  the point is to report whatever it is
                result["note"] = f"does not load: {brief(error)}"
        except Exception as error:  # noqa: BLE001
            result["note"] = f"{type(error).__name__}: {brief(error)}"
    print(json.dumps(result))


main()
