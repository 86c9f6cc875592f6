"""Samples for the benchmark of calibration, and the reference's side of it.

    calibration.py samples FOLDER MODEL COUNT OUTPUT   FOLDER: ../shared/data or the like; OUTPUT: an .npz, one array an input
    calibration.py run MODEL SAMPLES METHOD            the reference's calibrator; prints {"seconds", "takenMiB", "ranges"}

What is timed is what quantize_static does between loading the model and quantizing it.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, create_calibrator
from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry
from PIL import Image

SUFFIXES = {'.jpg', '.jpeg', '.png'}


def picture(path, spec):
    size = (spec['width'], spec['height'])
    pixels = np.asarray(Image.open(path).convert('RGB').resize(size), np.float32)
    normal = ((pixels - np.float32(spec['mean'])) / np.float32(spec['std'])).transpose(2, 0, 1)[None]
    return normal[:, :1] if spec['order'] == 'Y' else normal


def samples(folder, model, count, output):
    folder = Path(folder)
    entry = next(e for e in json.loads((folder / 'manifest.json').read_text()) if e['file'] == f'models/{model}.onnx')
    stored = folder / 'tensors' / f'{model}.calib.npz'
    if stored.exists():
        arrays = np.load(stored)
        np.savez(output, **{name: arrays[name][:count] for name in arrays.files})
        return
    base = folder / 'images' / entry['dataset']
    base = base / 'calib' if (base / 'calib').exists() else base
    files = sorted(path for path in base.rglob('*') if path.suffix.lower() in SUFFIXES)
    images = np.stack([picture(files[i % len(files)], entry['preprocess']) for i in range(count)])
    given = entry['inputs'][0]
    np.savez(output, **{given['name']: images.astype(np.float16 if given['elem_type'] == 10 else np.float32)})


class Samples(CalibrationDataReader):
    def __init__(self, path):
        arrays = np.load(path)
        self.arrays = {name: arrays[name] for name in arrays.files}
        self.next = 0

    def get_next(self):
        if self.next == len(next(iter(self.arrays.values()))):
            return None
        self.next += 1
        return {name: array[self.next - 1] for name, array in self.arrays.items()}


def peak(reset=False):
    """MiB of this process: now, as the peak begins anew, or at most since then."""
    if reset:
        Path('/proc/self/clear_refs').write_text('5')
    status = Path('/proc/self/status').read_text()
    return int(status.split('VmHWM:')[1].split()[0]) / 1024


def run(model, path, method):
    onnxruntime.set_default_logger_severity(4)
    reader = Samples(path)
    before = peak(reset=True)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        calibrator = create_calibrator(
            Path(model),
            list(set(QLinearOpsRegistry) | set(QDQRegistry)),
            augmented_model_path=str(Path(folder) / 'augmented.onnx'),
            calibrate_method=CalibrationMethod[method],
        )
        calibrator.collect_data(reader)
        ranges = calibrator.compute_data()
    seconds = time.perf_counter() - start
    print(json.dumps({'seconds': seconds, 'takenMiB': peak() - before, 'ranges': len(ranges.data)}))


command, *arguments = sys.argv[1:]
if command == 'samples':
    samples(arguments[0], arguments[1], int(arguments[2]), arguments[3])
else:
    run(*arguments)
