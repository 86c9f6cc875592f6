"""Quantizes the example with onnxruntime.quantization (Python), for comparison.

    venv/bin/pip install -r requirements.txt && venv/bin/python reference.py

Prints, per setting, accuracy on images/test, agreement with the float model, SQNR of the
scores and file size. Nothing is written outside a temporary directory.
"""

import logging
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime as ort
from onnxruntime.quantization import (
    CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static)
from PIL import Image

logging.getLogger().setLevel(logging.ERROR)  # "consider pre-processing": done below

HERE = Path(__file__).resolve().parent
MODEL = HERE / "model/digits-mobilenetv2.onnx"


def load(folder):
    paths = sorted((HERE / "images" / folder).glob("*.png"))
    x = np.stack([np.asarray(Image.open(p).convert("RGB"), np.float32) for p in paths])
    x = (x.transpose(0, 3, 1, 2) - 127.5) / 127.5
    return np.ascontiguousarray(x), np.array([int(p.name[0]) for p in paths])


class Reader(CalibrationDataReader):
    def __init__(self, x):
        self.feeds = iter([{"image": image[None]} for image in x])

    def get_next(self):
        return next(self.feeds, None)


def scores(path, x):
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["scores"], {"image": x})[0]


def main():
    calib, _ = load("calib")
    x, y = load("test")
    expected = scores(MODEL, x)
    print(f"{'float32':34s} accuracy {100 * (expected.argmax(1) == y).mean():6.2f} %"
          f"{'':38s}{MODEL.stat().st_size:9d} bytes")

    with tempfile.TemporaryDirectory() as tmp:
        # ONNX Runtime's basic graph optimizations fold BatchNormalization into Conv.
        folded = Path(tmp) / "folded.onnx"
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(folded)
        ort.InferenceSession(MODEL, options, providers=["CPUExecutionProvider"])

        for fmt in (QuantFormat.QOperator, QuantFormat.QDQ):
            for weights, per_channel in [(QuantType.QUInt8, False), (QuantType.QInt8, False),
                                         (QuantType.QInt8, True)]:
                out = Path(tmp) / "quantized.onnx"
                quantize_static(
                    folded, out, Reader(calib), quant_format=fmt, per_channel=per_channel,
                    activation_type=QuantType.QUInt8, weight_type=weights,
                    calibrate_method=CalibrationMethod.MinMax)
                got = scores(out, x)
                sqnr = 10 * np.log10((expected ** 2).sum() / ((expected - got) ** 2).sum())
                name = (f"{fmt.name} U8{'U8' if weights == QuantType.QUInt8 else 'S8'} "
                        f"{'per channel' if per_channel else 'per tensor'}")
                print(f"{name:34s} accuracy {100 * (got.argmax(1) == y).mean():6.2f} %  "
                      f"agreement {100 * (got.argmax(1) == expected.argmax(1)).mean():6.2f} %  "
                      f"SQNR {sqnr:5.1f} dB  {out.stat().st_size:9d} bytes")


if __name__ == "__main__":
    main()
