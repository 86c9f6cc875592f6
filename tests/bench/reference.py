"""The reference's side of the benchmark: quantize_static on the same model and images.

Prints one JSON line: seconds (without imports) and the peak memory of the process in MiB.
Usage: reference.py MODEL OUTPUT IMAGES_DIR COUNT METHOD PREPROCESS
PREPROCESS is JSON: {"mode": "center" | "letterbox" | "stretch", "width", "order", "mean", "std", "pad"}, with the same
steps as ours. COUNT may be more than there are images: they are repeated.
"""

import json
import os
import resource
import sys
import time

import numpy as np
import onnxruntime
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from PIL import Image


class Images(CalibrationDataReader):
    def __init__(self, name, folder, count, spec):
        files = sorted(os.path.join(base, f) for base, _, names in os.walk(folder) for f in names if f.endswith(".jpg"))
        self.name, self.spec = name, spec
        self.paths = iter([files[i % len(files)] for i in range(count)])

    def get_next(self):
        path = next(self.paths, None)
        if path is None:
            return None
        pixels = np.asarray(self.fit(Image.open(path).convert("RGB")), dtype=np.float32)
        if self.spec["order"] == "BGR":
            pixels = pixels[:, :, ::-1]
        pixels = (pixels - np.float32(self.spec["mean"])) / np.float32(self.spec["std"])
        return {self.name: np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])}

    def fit(self, image):
        width = self.spec["width"]
        if self.spec["mode"] == "stretch":
            return image.resize((width, width), Image.BILINEAR)
        if self.spec["mode"] == "letterbox":
            scale = width / max(image.size)
            size = [max(1, round(side * scale)) for side in image.size]
            canvas = Image.new("RGB", (width, width), (self.spec["pad"],) * 3)
            canvas.paste(image.resize(size, Image.BILINEAR))
            return canvas
        shorter = round(width * 256 / 224)
        scale = shorter / min(image.size)
        size = [max(shorter, int(side * scale + 0.5)) for side in image.size]
        image = image.resize(size, Image.BILINEAR)
        left, top = (size[0] - width) // 2, (size[1] - width) // 2
        return image.crop((left, top, left + width, top + width))


def main():
    model, output, folder, count, method, spec = sys.argv[1:]
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    del session
    start = time.perf_counter()
    quantize_static(
        model,
        output,
        Images(name, folder, int(count), json.loads(spec)),
        quant_format=QuantFormat.QOperator,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QUInt8,
        calibrate_method=CalibrationMethod[method],
    )
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peakMiB": peak}))


main()
