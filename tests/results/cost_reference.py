"""The reference's side of cost.mjs: cost_reference.py MODEL OUTPUT SAMPLES.npz. Prints one JSON line."""

import json
import re
import sys
import time

import numpy as np
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static


class Samples(CalibrationDataReader):
    def __init__(self, file):
        arrays = dict(np.load(file))
        count = len(next(iter(arrays.values())))
        self.samples = ({name: array[i] for name, array in arrays.items()} for i in range(count))

    def get_next(self):
        return next(self.samples, None)


def main():
    model, output, samples = sys.argv[1:]
    start = time.perf_counter()
    quantize_static(
        model,
        output,
        Samples(samples),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
    )
    seconds = time.perf_counter() - start
    # Not ru_maxrss, which begins with what the process that started this one had.
    with open("/proc/self/status") as status:
        peak = re.search(r"^VmHWM:\s+(\d+) kB$", status.read(), re.MULTILINE)
    print(json.dumps({"seconds": seconds, "peakMiB": int(peak[1]) / 1024}))


main()
