"""The reference's side of the benchmark: quantize_static on the same model and images.

Prints one JSON line: seconds (without imports) and the peak memory of the process in MiB.
Usage: reference.py MODEL OUTPUT IMAGES_DIR COUNT WIDTH MEAN STD
The images go through the same steps as ours: shorter side to WIDTH * 256 / 224, centre crop, (x - MEAN) / STD, NCHW.
"""

import json
import os
import resource
import sys
import time

import numpy as np
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from PIL import Image


class Images(CalibrationDataReader):
    def __init__(self, name, folder, count, width, mean, std):
        files = sorted(os.listdir(folder))[:count]
        self.name = name
        self.width, self.mean, self.std = width, mean, std
        self.paths = iter([os.path.join(folder, f) for f in files])

    def get_next(self):
        path = next(self.paths, None)
        if path is None:
            return None
        image = Image.open(path).convert("RGB")
        shorter = round(self.width * 256 / 224)
        scale = shorter / min(image.size)
        size = [max(shorter, int(side * scale + 0.5)) for side in image.size]
        image = image.resize(size, Image.BILINEAR)
        left, top = (size[0] - self.width) // 2, (size[1] - self.width) // 2
        image = image.crop((left, top, left + self.width, top + self.width))
        pixels = (np.asarray(image, dtype=np.float32) - self.mean) / self.std
        return {self.name: np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])}


def main():
    model, output, folder, count, width, mean, std = sys.argv[1:]
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    del session
    start = time.perf_counter()
    quantize_static(
        model,
        output,
        Images(name, folder, int(count), int(width), np.float32(mean), np.float32(std)),
        quant_format=QuantFormat.QOperator,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QUInt8,
    )
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peakMiB": peak}))


main()
