"""The real models of the conformance tests: prepared by our tool, calibrated on images of ../shared/data."""

import json
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / 'shared' / 'data'
MODELS = ['mobilenetv2-7', 'squeezenet1.0-7', 'resnet20_cifar10', 'efficientnet-lite0']
IMAGES = 8


def manifest(name):
    entries = json.loads((DATA / 'manifest.json').read_text())
    return next(e for e in entries if e['file'] == f'models/{name}.onnx')


def prepare(name, output):
    """The prepared float model, as `onnx-ptq preprocess` writes it."""
    command = ['node', ROOT / 'dist/node/cli.js', 'preprocess']
    source = DATA / 'models' / f'{name}.onnx'
    subprocess.run([*command, '--input', source, '--output', output], check=True, capture_output=True)


def load_image(path, preprocess):
    image = Image.open(path).convert('RGB')
    width, height = preprocess['width'], preprocess['height']
    if preprocess['mode'] == 'center':
        # The shorter side to 256/224 of the crop, then the middle.
        scale = 256 / 224 * width / min(image.size)
        size = round(image.width * scale), round(image.height * scale)
        image = image.resize(size, Image.Resampling.BILINEAR)
        left, top = (image.width - width) // 2, (image.height - height) // 2
        image = image.crop((left, top, left + width, top + height))
    pixels = np.asarray(image, dtype=np.float32)
    if preprocess['order'] == 'BGR':
        pixels = pixels[:, :, ::-1]
    pixels = (pixels - np.float32(preprocess['mean'])) / np.float32(preprocess['std'])
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], dtype=np.float32)


def samples(name):
    """IMAGES samples, spread over the classes of the calibration set."""
    entry = manifest(name)
    paths = sorted((DATA / 'images' / entry['dataset'] / 'calib').rglob('*.jpg'))
    chosen = paths[:: max(len(paths) // IMAGES, 1)][:IMAGES]
    input_name = entry['inputs'][0]['name']
    return [{input_name: load_image(path, entry['preprocess'])} for path in chosen]
