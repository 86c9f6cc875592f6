"""Trains the example model whose result can be seen: it enlarges pictures three times.

    python -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python train.py

Writes, next to this file:
    model/sharpen-x3.onnx   the float model
    images/<name>_<n>.jpg   24 small pictures: 16 of photographs that it was trained on, 8 of
                            photographs that it never saw

Photographs are those that scikit-image and scikit-learn ship. The recipe is fixed: the
weights after the last step are exported, and measured once, on the photographs never seen.
"""

import os
import shutil
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import onnxruntime as ort
import optax
import skimage
import sklearn
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

HERE = Path(__file__).resolve().parent
SEED = 20241
FACTOR = 3
SIZE = 96  # of the model's input
PATCH = 32  # of a training picture before it is enlarged
CHANNELS = 24
LAYERS = 4  # between the first and the last
STEPS = 2500
BATCH = 16
PEAK_LR = 2e-3

SKIMAGE = Path(skimage.__file__).parent / "data"
SKLEARN = Path(sklearn.__file__).parent / "datasets/images"
TRAINED = [SKIMAGE / f for f in ("astronaut.png", "chelsea.png", "rocket.jpg", "brick.png")]
UNSEEN = [SKIMAGE / "coffee.png", SKLEARN / "flower.jpg"]


# ---------------------------------------------------------------- data

def load(path):
    return Image.open(path).convert("RGB")


def smaller(image):
    w, h = image.size
    return image.resize((w // FACTOR, h // FACTOR), Image.Resampling.BICUBIC)


def pairs(paths):
    """Photographs at several scales, each with a third of it."""
    result = []
    for path in paths:
        whole = load(path)
        for scale in (1.0, 0.75, 0.5):
            w, h = (int(side * scale) // FACTOR * FACTOR for side in whole.size)
            large = whole.resize((w, h), Image.Resampling.LANCZOS)
            result.append((as_floats(smaller(large)), as_floats(large)))
    return result


as_floats = lambda image: np.asarray(image, np.float32) / 255


def patches(data, rng):
    x = np.empty((BATCH, PATCH, PATCH, 3), np.float32)
    y = np.empty((BATCH, PATCH * FACTOR, PATCH * FACTOR, 3), np.float32)
    for k in range(BATCH):
        small, large = data[rng.integers(len(data))]
        i, j = (rng.integers(side - PATCH + 1) for side in small.shape[:2])
        a = small[i:i + PATCH, j:j + PATCH]
        b = large[FACTOR * i:FACTOR * (i + PATCH), FACTOR * j:FACTOR * (j + PATCH)]
        turns, flip = rng.integers(4), rng.integers(2)
        a, b = (np.rot90(part, turns)[:, ::1 - 2 * flip] for part in (a, b))
        tint = rng.uniform(0.7, 1.0, 3).astype(np.float32)
        x[k], y[k] = a * tint, b * tint
    return x, y


# ---------------------------------------------------------------- model (NHWC inside)

def init(rng):
    sizes = [3] + [CHANNELS] * (LAYERS + 1) + [3 * FACTOR**2]
    params = []
    for n, (cin, cout) in enumerate(zip(sizes, sizes[1:])):
        gain = np.sqrt(2 / (9 * cin)) * (0.1 if n == len(sizes) - 2 else 1)
        weight = rng.normal(0, gain, (3, 3, cin, cout)).astype(np.float32)
        params.append({"weight": weight, "bias": np.zeros(cout, np.float32)})
    return params


def forward(params, x):
    y = x
    for n, layer in enumerate(params):
        y = jax.lax.conv_general_dilated(
            y, layer["weight"], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        y = y + layer["bias"]
        if n < len(params) - 1:
            y = jax.nn.relu(y)
    b, h, w, _ = y.shape
    # DepthToSpace, mode DCR: the channels of a pixel are [row, column, colour].
    y = y.reshape(b, h, w, FACTOR, FACTOR, 3).transpose(0, 1, 3, 2, 4, 5)
    base = jax.image.resize(x, (b, h * FACTOR, w * FACTOR, 3), "linear")
    return base + y.reshape(b, h * FACTOR, w * FACTOR, 3)


def train(data):
    rng = np.random.default_rng(SEED)
    params = init(rng)
    schedule = optax.warmup_cosine_decay_schedule(0.0, PEAK_LR, 100, STEPS)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(schedule))
    state = optimizer.init(params)

    @jax.jit
    def step(params, state, x, y):
        loss, grads = jax.value_and_grad(lambda p: jnp.abs(forward(p, x) - y).mean())(params)
        updates, state = optimizer.update(grads, state)
        return optax.apply_updates(params, updates), state, loss

    losses = []
    for n in range(STEPS):
        params, state, loss = step(params, state, *patches(data, rng))
        losses.append(loss)
        if n % 250 == 249:
            print(f"step {n + 1}  loss {float(np.mean(losses[-250:])):.5f}", flush=True)
    return jax.device_get(params)


# ---------------------------------------------------------------- pictures

def crops(path, count, rng):
    """Squares of a photograph, a third of their size: what the model takes."""
    image = load(path)
    side = SIZE * FACTOR
    if min(image.size) < side * 1.2:
        scale = side * 1.2 / min(image.size)
        image = image.resize([round(s * scale) for s in image.size], Image.Resampling.LANCZOS)
    w, h = image.size
    for n in range(count):
        i, j = rng.integers(w - side + 1), rng.integers(h - side + 1)
        yield f"{path.stem}_{n + 1}", smaller(image.crop((i, j, i + side, j + side)))


def write_pictures(folder):
    rng = np.random.default_rng(SEED)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in TRAINED + UNSEEN:
        for name, picture in crops(path, 4, rng):
            picture.save(folder / f"{name}.jpg", quality=92, subsampling=0, optimize=True)


# ---------------------------------------------------------------- ONNX

def export(params, path):
    tensors = [
        numpy_helper.from_array(np.array([1, 1, FACTOR, FACTOR], np.float32), "scales"),
    ]
    nodes = []
    x = "picture"
    for n, layer in enumerate(params):
        weight, bias, out = f"conv{n}/weight", f"conv{n}/bias", f"conv{n}/out"
        w = np.ascontiguousarray(layer["weight"].transpose(3, 2, 0, 1))
        tensors += [numpy_helper.from_array(w, weight),
                    numpy_helper.from_array(layer["bias"], bias)]
        nodes.append(helper.make_node("Conv", [x, weight, bias], [out], f"conv{n}",
                                      kernel_shape=[3, 3], pads=[1] * 4))
        x = out
        if n < len(params) - 1:
            x = f"relu{n}/out"
            nodes.append(helper.make_node("Relu", [out], [x], f"relu{n}"))
    nodes += [
        helper.make_node("DepthToSpace", [x], ["detail"], "pixels", blocksize=FACTOR, mode="DCR"),
        helper.make_node("Resize", ["picture", "", "scales"], ["base"], "enlarge",
                         mode="linear", coordinate_transformation_mode="half_pixel"),
        helper.make_node("Add", ["base", "detail"], ["large"], "add"),
    ]
    value = lambda name, side: helper.make_tensor_value_info(
        name, TensorProto.FLOAT, [1, 3, side, side])
    graph = helper.make_graph(nodes, "sharpen-x3", [value("picture", SIZE)],
                              [value("large", SIZE * FACTOR)], initializer=tensors)
    model = helper.make_model(graph, ir_version=8, producer_name="onnx-ptq example",
                              opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)


def decibels(a, b):
    return float(-10 * np.log10(np.mean((np.clip(a, 0, 1) - b) ** 2)))


def main():
    params = train(pairs(TRAINED))
    path = HERE / "model/sharpen-x3.onnx"
    export(params, path)
    write_pictures(HERE / "images")

    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    side = SIZE * FACTOR
    for photograph in UNSEEN:
        image = load(photograph).crop((64, 32, 64 + side, 32 + side))
        small = smaller(image)
        x = as_floats(small)[None]
        got = session.run(None, {"picture": x.transpose(0, 3, 1, 2)})[0][0].transpose(1, 2, 0)
        error = np.abs(got - np.asarray(forward(params, x))[0]).max()
        assert error < 1e-4, error
        plain = as_floats(small.resize((side, side), Image.Resampling.BICUBIC))
        print(f"{photograph.name}: PSNR {decibels(got, as_floats(image)):.2f} dB, "
              f"bicubic {decibels(plain, as_floats(image)):.2f} dB, "
              f"largest difference to JAX {error:.1e}")
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
