"""Trains the example model: a small MobileNetV2-type digit classifier.

    python -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python train.py

Writes, next to this file:
    model/digits-mobilenetv2.onnx   the float model (BatchNormalization not folded)
    images/calib/<digit>_<id>.png   100 calibration images, from the training set
    images/test/<digit>_<id>.png    300 test images, never trained or calibrated on

<id> is the image's index in sklearn.datasets.load_digits(). The recipe is fixed: the
weights after the last epoch are exported and the test images are looked at once, after
that. Use --val to hold out 200 of the training images when changing the recipe.
"""

import argparse
import os
import shutil
import time
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import onnxruntime as ort
import optax
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from scipy import ndimage
from sklearn.datasets import load_digits

HERE = Path(__file__).resolve().parent
SEED = 20240
SIZE = 32
EPOCHS = 80
BATCH = 64
PEAK_LR = 4e-3
WEIGHT_DECAY = 2e-2
BN_EPS = 1e-5
BN_MOMENTUM = 0.95

# MobileNetV2 (Sandler et al. 2018), scaled down: (expansion, channels out, stride)
STEM = 16
BLOCKS = [
    (1, 16, 1),
    (6, 24, 2),
    (6, 24, 1),
    (6, 40, 2),
    (6, 40, 1),
    (6, 56, 1),
    (6, 56, 1),
]
HEAD = 160
CLASSES = 10


# ---------------------------------------------------------------- data

def load_images():
    """8x8 values 0..16 -> 32x32 uint8, exactly what the PNG files hold."""
    digits = load_digits()
    images = []
    for image in digits.images:
        small = Image.fromarray(np.round(image * (255 / 16)).astype(np.uint8), mode="L")
        images.append(np.asarray(small.resize((SIZE, SIZE), Image.Resampling.BICUBIC)))
    return np.stack(images), digits.target


def split(labels):
    """30 test and 10 calibration images per class; calibration is part of training."""
    rng = np.random.default_rng(SEED)
    test, calib, train = [], [], []
    for digit in range(CLASSES):
        ids = rng.permutation(np.flatnonzero(labels == digit))
        test += list(ids[:30])
        calib += list(ids[30:40])
        train += list(ids[30:])
    return np.sort(train), np.sort(calib), np.sort(test)


def write_pngs(folder, images, labels, ids):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for i in ids:
        rgb = Image.fromarray(images[i], mode="L").convert("RGB")
        rgb.save(folder / f"{labels[i]}_{i:04d}.png", optimize=True)


def read_pngs(folder):
    paths = sorted(folder.glob("*.png"))
    x = np.stack([np.asarray(Image.open(p).convert("RGB"), np.float32) for p in paths])
    y = np.array([int(p.name[0]) for p in paths])
    return normalize(x), y


def normalize(x):
    return (np.asarray(x, np.float32) - 127.5) / 127.5


def augment(images, rng):
    """Small random rotation, scale, shear and shift, then a per-channel gain (tint)."""
    out = np.empty((len(images), SIZE, SIZE, 3), np.float32)
    centre = (SIZE - 1) / 2
    for k, image in enumerate(images):
        angle = np.deg2rad(rng.uniform(-12, 12))
        sx, sy = rng.uniform(0.88, 1.12, 2)
        shear = rng.uniform(-0.12, 0.12)
        rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix = rotation @ np.array([[sy, 0], [shear, sx]])
        offset = centre - matrix @ (centre + rng.uniform(-2.5, 2.5, 2))
        warped = ndimage.affine_transform(image.astype(np.float32), matrix, offset, order=1)
        out[k] = warped[..., None] * rng.uniform(0.8, 1.0, 3)
    return normalize(out)


# ---------------------------------------------------------------- model (NHWC inside)

def layers():
    """The network as a list of (name, kind, in, out, stride); kind: conv3, dw, pw."""
    result = [("stem", "conv3", 3, STEM, 2)]
    channels = STEM
    for n, (expansion, out, stride) in enumerate(BLOCKS, start=1):
        hidden = channels * expansion
        if expansion != 1:
            result.append((f"block{n}/expand", "pw", channels, hidden, 1))
        result.append((f"block{n}/depthwise", "dw", hidden, hidden, stride))
        result.append((f"block{n}/project", "pw", hidden, out, 1))
        channels = out
    result.append(("head", "pw", channels, HEAD, 1))
    return result


def has_residual(n):
    channels_in = STEM if n == 1 else BLOCKS[n - 2][1]
    return BLOCKS[n - 1][2] == 1 and BLOCKS[n - 1][1] == channels_in


def init(rng):
    params, state = {}, {}
    for name, kind, cin, cout, _ in layers():
        shape, fan = {
            "conv3": ((3, 3, cin, cout), 9 * cin),
            "dw": ((3, 3, cin), 9),
            "pw": ((cin, cout), cin),
        }[kind]
        params[name] = {
            "weight": rng.normal(0, np.sqrt(2 / fan), shape).astype(np.float32),
            "scale": np.ones(cout, np.float32),
            "bias": np.zeros(cout, np.float32),
        }
        state[name] = {"mean": np.zeros(cout, np.float32), "var": np.ones(cout, np.float32)}
    params["classifier"] = {
        "weight": rng.normal(0, np.sqrt(1 / HEAD), (HEAD, CLASSES)).astype(np.float32),
        "bias": np.zeros(CLASSES, np.float32),
    }
    return params, state


def convolve(x, w, kind, stride):
    if kind == "pw":
        return jnp.einsum("nhwc,cd->nhwd", x, w)
    x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    if kind == "conv3":
        return jax.lax.conv_general_dilated(
            x, w, (stride, stride), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    # Depthwise as nine shifted multiply-adds: XLA fuses these, and its grouped conv is slow.
    h, wd = x.shape[1] - 2, x.shape[2] - 2
    return sum(
        x[:, i:i + h:stride, j:j + wd:stride, :] * w[i, j] for i in range(3) for j in range(3))


def forward(params, state, x, train):
    new_state = {}

    def conv_bn(name, x):
        _, kind, _, _, stride = by_name[name]
        p, s = params[name], state[name]
        x = convolve(x, p["weight"], kind, stride)
        if train:
            mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
            new_state[name] = {
                "mean": BN_MOMENTUM * s["mean"] + (1 - BN_MOMENTUM) * mean,
                "var": BN_MOMENTUM * s["var"] + (1 - BN_MOMENTUM) * var,
            }
        else:
            mean, var = s["mean"], s["var"]
        return (x - mean) * (p["scale"] / jnp.sqrt(var + BN_EPS)) + p["bias"]

    by_name = {layer[0]: layer for layer in layers()}
    relu6 = lambda v: jnp.clip(v, 0.0, 6.0)
    x = relu6(conv_bn("stem", x))
    for n, (expansion, _, _) in enumerate(BLOCKS, start=1):
        y = x
        if expansion != 1:
            y = relu6(conv_bn(f"block{n}/expand", y))
        y = relu6(conv_bn(f"block{n}/depthwise", y))
        y = conv_bn(f"block{n}/project", y)
        x = x + y if has_residual(n) else y
    x = relu6(conv_bn("head", x)).mean((1, 2))
    return x @ params["classifier"]["weight"] + params["classifier"]["bias"], new_state


# ---------------------------------------------------------------- training

def train(images, labels, report=None):
    rng = np.random.default_rng(SEED)
    params, state = init(rng)
    steps = len(images) // BATCH
    schedule = optax.warmup_cosine_decay_schedule(0.0, PEAK_LR, 3 * steps, EPOCHS * steps)
    decayed = jax.tree_util.tree_map(lambda p: p.ndim > 1, params)  # weights, not BN or biases
    optimizer = optax.adamw(schedule, weight_decay=WEIGHT_DECAY, mask=decayed)
    opt_state = optimizer.init(params)

    def loss_fn(params, state, x, y):
        scores, new_state = forward(params, state, x, True)
        target = optax.smooth_labels(jax.nn.one_hot(y, CLASSES), 0.05)
        return optax.softmax_cross_entropy(scores, target).mean(), new_state

    @jax.jit
    def step(params, state, opt_state, x, y):
        (loss, state), grads = jax.value_and_grad(loss_fn, has_aux=True)(params, state, x, y)
        updates, opt_state = optimizer.update(grads, opt_state, params)
        return optax.apply_updates(params, updates), state, opt_state, loss

    for epoch in range(EPOCHS):
        start, losses = time.time(), []
        order = rng.permutation(len(images))[:steps * BATCH].reshape(steps, BATCH)
        for ids in order:
            x = augment(images[ids], rng)
            params, state, opt_state, loss = step(params, state, opt_state, x, labels[ids])
            losses.append(loss)
        if epoch % 5 == 4 or epoch == 0:
            extra = report(params, state) if report else ""
            print(f"epoch {epoch + 1:3d}  loss {float(np.mean(losses)):.4f}  "
                  f"{time.time() - start:.1f} s  {extra}", flush=True)
    return jax.device_get(params), jax.device_get(state)


@jax.jit
def predict(params, state, x):
    return forward(params, state, x, False)[0]


def accuracy(scores, labels):
    return float((np.argmax(scores, 1) == labels).mean())


def rgb(images):
    return normalize(np.repeat(images[..., None], 3, axis=3))


# ---------------------------------------------------------------- ONNX

def export(params, state, path):
    nodes, tensors = [], []

    def constant(name, value):
        tensors.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))
        return name

    def node(op, name, inputs, output=None, **attributes):
        output = output or f"{name}/out"
        nodes.append(helper.make_node(op, inputs, [output], name=name, **attributes))
        return output

    def relu6(scope, x):
        return node("Clip", f"{scope}/relu6", [x, "relu6/min", "relu6/max"])

    def conv_bn(name, x):
        _, kind, _, cout, stride = by_name[name]
        p, s = params[name], state[name]
        w = {  # to OIHW
            "conv3": lambda w: w.transpose(3, 2, 0, 1),
            "dw": lambda w: w.transpose(2, 0, 1)[:, None],
            "pw": lambda w: w.T[:, :, None, None],
        }[kind](p["weight"])
        k, pad = w.shape[2], (w.shape[2] - 1) // 2
        x = node("Conv", f"{name}/conv", [x, constant(f"{name}/conv/weight", w)],
                 kernel_shape=[k, k], strides=[stride, stride], pads=[pad] * 4,
                 dilations=[1, 1], group=cout if kind == "dw" else 1)
        return node("BatchNormalization", f"{name}/bn",
                    [x, constant(f"{name}/bn/scale", p["scale"]),
                     constant(f"{name}/bn/bias", p["bias"]),
                     constant(f"{name}/bn/mean", s["mean"]),
                     constant(f"{name}/bn/var", s["var"])], epsilon=BN_EPS)

    by_name = {layer[0]: layer for layer in layers()}
    tensors.append(numpy_helper.from_array(np.array(0, np.float32), "relu6/min"))
    tensors.append(numpy_helper.from_array(np.array(6, np.float32), "relu6/max"))
    x = relu6("stem", conv_bn("stem", "image"))
    for n, (expansion, _, _) in enumerate(BLOCKS, start=1):
        y = x
        if expansion != 1:
            y = relu6(f"block{n}/expand", conv_bn(f"block{n}/expand", y))
        y = relu6(f"block{n}/depthwise", conv_bn(f"block{n}/depthwise", y))
        y = conv_bn(f"block{n}/project", y)
        x = node("Add", f"block{n}/add", [x, y]) if has_residual(n) else y
    x = relu6("head", conv_bn("head", x))
    x = node("GlobalAveragePool", "head/pool", [x])
    x = node("Flatten", "head/flatten", [x], axis=1)
    classifier = params["classifier"]
    node("Gemm", "classifier/gemm",
         [x, constant("classifier/weight", classifier["weight"].T),
          constant("classifier/bias", classifier["bias"])], output="scores", transB=1)

    graph = helper.make_graph(
        nodes, "digits-mobilenetv2",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", CLASSES])],
        initializer=tensors)
    model = helper.make_model(
        graph, ir_version=8, producer_name="onnx-ptq example",
        opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--val", action="store_true",
                        help="hold out 200 training images, print their accuracy, write nothing")
    args = parser.parse_args()

    images, labels = load_images()
    train_ids, calib_ids, test_ids = split(labels)
    assert not set(test_ids) & set(train_ids) and set(calib_ids) <= set(train_ids)

    if args.val:
        held = np.random.default_rng(SEED + 1).permutation(train_ids)
        val_ids, train_ids = held[:200], held[200:]
        x, y = rgb(images[val_ids]), labels[val_ids]
        train(images[train_ids], labels[train_ids],
              lambda p, s: f"val {accuracy(predict(p, s, x), y):.4f}")
        return

    params, state = train(images[train_ids], labels[train_ids])
    write_pngs(HERE / "images/calib", images, labels, calib_ids)
    write_pngs(HERE / "images/test", images, labels, test_ids)
    path = HERE / "model/digits-mobilenetv2.onnx"
    export(params, state, path)

    # The written files, read back: ONNX Runtime against JAX.
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    for name in ("calib", "test"):
        x, y = read_pngs(HERE / "images" / name)
        expected = np.asarray(predict(params, state, x))
        got = session.run(["scores"], {"image": x.transpose(0, 3, 1, 2)})[0]
        error = np.abs(got - expected).max()
        print(f"{name}: {len(x)} images, accuracy {accuracy(got, y):.4f}, "
              f"largest difference to JAX {error:.2e}")
        assert error < 1e-3
    print(f"{path.name}: {path.stat().st_size} bytes, "
          f"{sum(v.size for v in jax.tree_util.tree_leaves(params))} trained parameters")


if __name__ == "__main__":
    main()
