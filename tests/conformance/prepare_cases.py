"""Small models for prepare_check.py: each operator form that an opset changed, each pattern that a pass rewrites.

Every case is (name, opset, graph text, weights): ONNX text with `$x` weights filled in with random numbers of a fixed seed.
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper, parser

# name: (opset, inputs, outputs, body, {weight: shape or array})
CASES = {
    "upsample7_nearest": (7, "float[1,2,3,4] x", "float[] y", "y = Upsample<mode=\"nearest\", scales=[1.0,1.0,2.0,3.0]>(x)", {}),
    "upsample7_linear": (7, "float[1,2,3,4] x", "float[] y", "y = Upsample<mode=\"linear\", scales=[1.0,1.0,2.0,2.0]>(x)", {}),
    "upsample9_nearest": (9, "float[1,2,3,4] x", "float[] y", "y = Upsample<mode=\"nearest\">(x, s)", {"s": np.array([1, 1, 2, 2.5], np.float32)}),
    "resize10_linear": (10, "float[1,2,8,6] x", "float[] y", "y = Resize<mode=\"linear\">(x, s)", {"s": np.array([1, 1, 0.5, 0.7], np.float32)}),
    "resize10_shrink": (10, "float[1,2,8,6] x", "float[] y", "y = Resize<mode=\"nearest\">(x, s)", {"s": np.array([1, 1, 0.6, 0.7], np.float32)}),
    "resize10_enlarge": (10, "float[1,2,8,6] x", "float[] y", "y = Resize<mode=\"nearest\">(x, s)", {"s": np.array([1, 1, 1.6, 2.7], np.float32)}),
    "resize11_sizes": (11, "float[1,2,8,6] x", "float[] y", "y = Resize<mode=\"linear\", coordinate_transformation_mode=\"align_corners\">(x, e, e2, n)", {"e": np.zeros(0, np.float32), "e2": np.zeros(0, np.float32), "n": np.array([1, 2, 5, 9])}),
    "resize11_tf": (11, "float[1,2,8,6] x", "float[] y", "y = Resize<mode=\"nearest\", coordinate_transformation_mode=\"tf_half_pixel_for_nn\", nearest_mode=\"floor\">(x, e, s)", {"e": np.zeros(0, np.float32), "s": np.array([1, 1, 1.5, 2.3], np.float32)}),
    "pad2_constant": (7, "float[1,2,3,4] x", "float[] y", "y = Pad<pads=[0,0,1,2,0,0,3,1], value=1.5>(x)", {}),
    "pad2_reflect": (7, "float[1,2,3,4] x", "float[] y", "y = Pad<mode=\"reflect\", pads=[0,0,1,2,0,0,1,1]>(x)", {}),
    "pad2_edge": (10, "float[1,2,3,4] x", "float[] y", "y = Pad<mode=\"edge\", pads=[0,0,1,2,0,0,1,1], value=3.0>(x)", {}),
    "clip6": (7, "float[4,5] x", "float[] y", "y = Clip<min=-0.3, max=0.2>(x)", {}),
    "clip6_min": (9, "float[4,5] x", "float[] y", "y = Clip<min=0.1>(x)", {}),
    "clip6_half": (9, "float16[4,5] x", "float16[] y", "y = Clip<max=0.1>(x)", {}),
    "clip6_none": (9, "float[4,5] x", "float[] y", "y = Clip(x)", {}),
    "slice1": (7, "float[4,5,6] x", "float[] y", "y = Slice<starts=[1,-3], ends=[9,-1], axes=[0,2]>(x)", {}),
    "slice1_no_axes": (9, "float[4,5,6] x", "float[] y", "y = Slice<starts=[1,0], ends=[3,2]>(x)", {}),
    "split2": (7, "float[6,4] x", "float[] y, float[] z", "y, z = Split<axis=0, split=[2,4]>(x)", {}),
    "split2_equal": (11, "float[6,4] x", "float[] y, float[] z", "y, z = Split(x)", {}),
    "topk1": (7, "float[3,8] x", "float[] y, int64[] i", "y, i = TopK<k=3>(x)", {}),
    "topk1_axis": (9, "float[3,8] x", "float[] y, int64[] i", "y, i = TopK<k=2, axis=0>(x)", {}),
    "squeeze": (7, "float[1,3,1,4] x", "float[] y", "s = Squeeze<axes=[0,2]>(x) y = Unsqueeze<axes=[1,3]>(s)", {}),
    "squeeze_all": (11, "float[1,3,1,4] x", "float[] y", "y = Squeeze(x)", {}),
    "reduce_sum": (11, "float[2,3,4] x", "float[] y", "a = ReduceSum<axes=[1], keepdims=0>(x) y = ReduceSum(a)", {}),
    "reduce_mean": (7, "float[2,3,4] x", "float[] y, float[] z", "y = ReduceMean<axes=[2,1]>(x) z = ReduceMax(x)", {}),
    "reduce_l2": (13, "float[2,3,4] x", "float[] y", "y = ReduceL2<axes=[-1]>(x)", {}),
    "softmax_default": (7, "float[2,5] x", "float[] y", "y = Softmax(x)", {}),
    "softmax_flat": (7, "float[2,3,4] x", "float[] y", "y = Softmax(x)", {}),
    "softmax_axis0": (11, "float[2,3,4] x", "float[] y", "y = Softmax<axis=0>(x)", {}),
    "softmax_ones": (7, "float[2,7,1,1] x", "float[] y", "y = Softmax(x)", {}),
    "softmax_middle": (11, "float[2,1,5,1] x", "float[] y", "y = Softmax<axis=1>(x)", {}),
    "softmax_last": (12, "float[2,3,4] x", "float[] y", "y = Softmax<axis=-1>(x)", {}),
    "softmax_dynamic": (9, "float[N,3,M] x", "float[] y", "y = Softmax<axis=1>(x)", {}),
    "log_softmax": (9, "float[2,3,4] x", "float[] y", "y = LogSoftmax(x)", {}),
    "hardmax": (9, "float[2,3,4] x", "float[] y", "y = Hardmax(x)", {}),
    "batch_norm7": (7, "float[1,3,4,4] x", "float[] y", "y = BatchNormalization<momentum=0.8, spatial=1>(x, g, b, m, v)", {"g": (3,), "b": (3,), "m": (3,), "v": "+3"}),
    "dropout7": (7, "float[3,4] x", "float[] y", "a = Dropout<ratio=0.3>(x) y = Relu(a)", {}),
    "scatter9": (9, "float[3,4] x", "float[] y", "y = Scatter<axis=1>(x, i, u)", {"i": np.array([[1, 3]]), "u": (1, 2)}),
    "roi_align10": (10, "float[1,2,8,8] x", "float[] y", "y = RoiAlign<output_height=2, output_width=3, spatial_scale=0.5, sampling_ratio=2>(x, r, i)", {"r": np.array([[1, 2, 9, 11]], np.float32), "i": np.array([0])}),
    "grid_sample16": (16, "float[1,2,5,5] x, float[1,3,4,2] g", "float[] y, float[] z", "y = GridSample(x, g) z = GridSample<mode=\"bicubic\">(x, g)", {}),
    "group_norm18": (18, "float[2,6,3,3] x", "float[] y", "y = GroupNormalization<num_groups=3>(x, s, b)", {"s": (3,), "b": (3,)}),
    "dft17": (17, "float[1,8,4,1] x", "float[] y", "y = DFT<axis=2>(x)", {}),
    "dft17_default": (17, "float[1,8,4,1] x", "float[] y", "y = DFT(x)", {}),
    "image_scaler": (7, "float[1,3,4,4] x", "float[] y", "y = ImageScaler<scale=2.0, bias=[0.5,-1.0,3.0]>(x)", {}),
    "crop": (7, "float[1,3,8,8] x", "float[] y, float[] z", "y = Crop<border=[1,2,3,0]>(x) z = Crop<border=[1,2,0,0], scale=[3,4]>(x)", {}),
    "affine": (7, "float[3,4] x", "float[] y", "a = Affine<alpha=2.0, beta=-0.5>(x) b = ScaledTanh<alpha=1.5, beta=0.5>(a) y = ParametricSoftplus<alpha=0.5, beta=2.0>(b)", {}),
    "if_body": (10, "bool c, float[1,3,4] x", "float[] y", "y = If(c) <then_branch = t () => (float[3,4] a) { a = Squeeze<axes=[0]>(x) }, else_branch = e () => (float[3,4] b) { s = Softmax<axis=1>(x) k = Clip<min=0.1>(s) b = Squeeze<axes=[0]>(k) }>", {}),
    "conv_bn": (9, "float[1,3,8,8] x", "float[] y", "c = Conv<pads=[1,1,1,1]>(x, w) n = BatchNormalization(c, g, b, m, v) y = Relu(n)", {"w": (4, 3, 3, 3), "g": (4,), "b": (4,), "m": (4,), "v": "+4"}),
    "conv_bias_bn": (13, "float[1,4,8,8] x", "float[] y", "c = Conv<group=2>(x, w, k) y = BatchNormalization<epsilon=0.01>(c, g, b, m, v)", {"w": (6, 2, 3, 3), "k": (6,), "g": (6,), "b": (6,), "m": (6,), "v": "+6"}),
    "deconv_bn": (13, "float[1,4,5,5] x", "float[] y", "c = ConvTranspose<group=2, strides=[2,2]>(x, w) y = BatchNormalization(c, g, b, m, v)", {"w": (4, 3, 3, 3), "g": (6,), "b": (6,), "m": (6,), "v": "+6"}),
    "gemm_bn": (13, "float[2,5] x", "float[] y, float[] z", "c = Gemm(x, w, k) y = BatchNormalization(c, g, b, m, v) d = Gemm<transB=1, alpha=0.5>(x, t) z = BatchNormalization(d, g, b, m, v)", {"w": (5, 3), "t": (3, 5), "k": (3,), "g": (3,), "b": (3,), "m": (3,), "v": "+3"}),
    "shared_weight_bn": (13, "float[1,3,6,6] x", "float[] y, float[] z", "c = Conv(x, w) y = BatchNormalization(c, g, b, m, v) d = Conv(x, w) e = Relu(d) z = BatchNormalization(e, g, b, m, v)", {"w": (4, 3, 3, 3), "g": (4,), "b": (4,), "m": (4,), "v": "+4"}),
    "conv_mul_add": (13, "float[1,3,6,6] x", "float[] y", "c = Conv(x, w, k) p = Mul(s, c) q = Add(p, t) y = Mul(q, n)", {"w": (4, 3, 3, 3), "k": (4,), "s": (1, 4, 1, 1), "t": (4, 1, 1), "n": ()}),
    "deconv_add": (13, "float[1,4,5,5] x", "float[] y", "c = ConvTranspose<group=2>(x, w) y = Add(c, t)", {"w": (4, 3, 3, 3), "t": (6, 1, 1)}),
    "conv_add_wide": (13, "float[1,3,6,6] x", "float[] y", "c = Conv(x, w) y = Add(c, t)", {"w": (4, 3, 3, 3), "t": (4,)}),
    "identities": (13, "float[2,3] x", "float[] y, float[] z, float[] u", "a = Identity(x) b = Identity(a) r = Relu(b) y = Identity(r) z = Identity(r) u = Identity(x)", {}),
    "shape_chain": (11, "float[1,3,8,8] x", "float[] y", "s = Shape(x) n = Gather<axis=0>(s, i) m = Unsqueeze<axes=[0]>(n) f = Concat<axis=0>(m, r) y = Reshape(x, f)", {"i": np.array(0), "r": np.array([-1])}),
    "pad_chain": (11, "float[1,3,8,8] x", "float[] y", "z = ConstantOfShape<value = int64[1] {0}>(four) p = Concat<axis=0>(pads, z) q = Reshape(p, m) s = Slice(q, a, b, c, d) t = Transpose<perm=[1,0]>(s) v = Reshape(t, l) w = Cast<to=7>(v) y = Pad(x, w)",
                  {"four": np.array([4]), "pads": np.array([1, 2, 0, 1]), "m": np.array([-1, 2]), "a": np.array([-1]), "b": np.array([np.iinfo(np.int64).min + 1]), "c": np.array([0]), "d": np.array([-1]), "l": np.array([-1])}),
    "weight_transposed": (13, "float[2,300] x", "float[] y", "t = Transpose(w) h = Cast<to=1>(k) u = Mul(h, s) y = Gemm(x, t, h)", {"w": (200, 300), "k": np.arange(200, dtype=np.float16), "s": ()}),
    "pad_conv": (13, "float[1,3,8,8] x", "float[] y, float[] z", "p = Pad(x, q) y = Conv<strides=[2,2]>(p, w, k) z = Conv<pads=[1,0,2,1], group=3, dilations=[2,1]>(p, d)", {"q": np.array([0, 0, 1, 0, 0, 0, 2, 3]), "w": (4, 3, 3, 3), "k": (4,), "d": (3, 1, 3, 3)}),
    "pad_conv_axes": (18, "float[1,3,8,8] x", "float[] y", "p = Pad(x, q, v, a) y = Conv<auto_pad=\"VALID\">(p, w)", {"q": np.array([1, 0, 2, 3]), "v": np.array(0, np.float32), "a": np.array([-1, 2]), "w": (4, 3, 3, 3)}),
    "pad_average": (11, "float[1,3,8,8] x", "float[] y, float[] z", "p = Pad(x, q) y = AveragePool<kernel_shape=[3,4], strides=[2,1]>(p) z = AveragePool<kernel_shape=[4,5], pads=[1,0,0,1], count_include_pad=1>(p)", {"q": np.array([0, 0, 1, 2, 0, 0, 2, 3])}),
    "pad_average_ceil": (11, "float[1,3,8,8] x", "float[] y", "p = Pad(x, q) y = AveragePool<kernel_shape=[3,3], strides=[2,2], ceil_mode=1>(p)", {"q": np.array([0, 0, 1, 1, 0, 0, 2, 2])}),
    "pad_max": (12, "float[1,3,8,8] x", "float[] y, float[] z", "r = Relu(x) p = Pad(r, q) y = MaxPool<kernel_shape=[3,3], strides=[2,2]>(p) o = Pad(x, q, v) z = MaxPool<kernel_shape=[3,3]>(o)", {"q": np.array([0, 0, 1, 1, 0, 0, 2, 2]), "v": np.array(-np.inf, np.float32)}),
    "matmul_add": (13, "float[N,5] x", "float[] y, float[] z", "m = MatMul(x, w) y = Add(b, m) n = MatMul(x, w) z = Add(n, o)", {"w": (5, 3), "b": (3,), "o": ()}),
    "matmul_add_rows": (9, "float[N,4,5] x", "float[] y, float[] z", "m = MatMul(x, w) y = Add(m, b) n = MatMul(x, v) z = Add(n, c)", {"w": (5, 3), "b": (3,), "v": (5, 2), "c": (1, 1, 2)}),
    "matmul_add_vector": (13, "float[5] x", "float[] y", "m = MatMul(x, w) y = Add(m, b)", {"w": (5, 3), "b": (3,)}),
    "matmul_tied": (13, "float[N,4,16] x, int64[3] i", "float[] y, float[] e", "e = Gather(w, i) t = Transpose<perm=[1,0]>(w) m = MatMul(x, t) y = Add(m, b)", {"w": (100, 16), "b": (100,)}),
    "gemm_transposes": (13, "float[5,N] x, float[3,5] v", "float[] y, float[] z", "t = Transpose(x) u = Transpose(v) y = Gemm<alpha=0.5>(t, u, b) z = MatMul(t, w)", {"w": (5, 4), "b": (3,)}),
    "matmul_steps": (13, "float[N,4,5] x", "float[] y, float[] z", "m = MatMul(x, w) p = Div(m, s) y = Mul(p, n) q = MatMul(x, w) r = Sub(b, q) z = Sub(r, s)", {"w": (5, 3), "s": "+3", "n": (), "b": (3,)}),
    "gemm_steps": (9, "float[N,5] x", "float[] y", "m = Gemm<transB=1>(x, w, b) p = Sum(m, s) q = Sub(p, b) r = Div(q, s) t = Transpose(r) y = Mul(t, c)", {"w": (3, 5), "b": (3,), "s": "+3", "c": (3, 1)}),
    "matmul_bn1d": (13, "float[N,5] x", "float[] y", "m = MatMul(x, w) u = Reshape(m, c) n = BatchNormalization(u, g, b, a, v) y = Reshape(n, r)", {"w": (5, 3), "c": np.array([-1, 3, 1]), "r": np.array([-1, 3]), "g": (3,), "b": (3,), "a": (3,), "v": "+3"}),
    "matmul_bn_transposed": (13, "float[2,4,5] x", "float[] y", "m = MatMul(x, w) o = Add(m, k) t = Transpose<perm=[0,2,1]>(o) y = BatchNormalization(t, g, b, a, v)", {"w": (5, 3), "k": (3,), "g": (3,), "b": (3,), "a": (3,), "v": "+3"}),
    "scaled_convs": (13, "float[1,4,8,8] x", "float[] y, float[] z", "a = Div(x, s) b = Mul(n, a) y = Conv<group=2, strides=[2,1]>(b, w) z = Conv<pads=[1,1,1,1]>(b, v, k)", {"s": np.array([[[0.5]], [[0.75]], [[-1]], [[0.8]]], np.float32), "n": (), "w": (6, 2, 3, 3), "v": (5, 4, 3, 3), "k": (5,)}),
    "scaled_deconv": (13, "float[1,4,5,5] x", "float[] y", "a = Div(x, s) y = ConvTranspose<group=2>(a, w, k)", {"s": np.array([[[0.5]], [[0.75]], [[-1]], [[0.8]]], np.float32), "w": (4, 3, 3, 3), "k": (6,)}),
    "scaled_matmuls": (13, "float[N,M,5] x", "float[] y, float[] z", "n = Mul(x, s) p = MatMul(n, w) y = Add(p, b) z = MatMul(n, v)", {"s": np.array([1, 1.2, 1.4, 1.6, -1.8], np.float32), "w": (5, 3), "b": (3,), "v": (5, 2)}),
}

def weight(name, spec, rng):
    if isinstance(spec, np.ndarray):
        return numpy_helper.from_array(spec, name)
    if isinstance(spec, str):  # "+3": three positive numbers
        return numpy_helper.from_array(rng.uniform(0.5, 2, int(spec)).astype(np.float32), name)
    return numpy_helper.from_array(rng.uniform(-1, 1, spec).astype(np.float32), name)


def make(name):
    opset, inputs, outputs, body, weights = CASES[name]
    # One statement a line is all that the case needs; unknown shapes are left out of the outputs.
    text = f'<ir_version: {3 if opset < 9 else 8}, opset_import: ["" : {opset}]> {name} ({inputs}) => ({outputs}) {{ {body} }}'
    model = parser.parse_model(text)
    rng = np.random.default_rng(7)
    for key, spec in weights.items():
        tensor = weight(key, spec, rng)
        model.graph.initializer.append(tensor)
        if model.ir_version < 4:
            model.graph.input.append(helper.make_tensor_value_info(key, tensor.data_type, tensor.dims))
    for output in model.graph.output:  # `float[]` in the text is a scalar; what is meant is: to be inferred
        output.type.tensor_type.ClearField("shape")
    return onnx.shape_inference.infer_shapes(model)


def write_all(folder):
    paths = []
    for name in CASES:
        path = f"{folder}/{name}.onnx"
        onnx.save(make(name), path)
        paths.append(path)
    return paths
