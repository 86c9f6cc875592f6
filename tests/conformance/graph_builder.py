"""A short way to write small float models: every value is named, weights come from a fixed seed."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ELEMENT = {np.float32: TensorProto.FLOAT, np.float16: TensorProto.FLOAT16, np.int64: TensorProto.INT64}


class GraphBuilder:
    """Collects nodes and initializers; `model()` checks the result and infers its shapes."""

    def __init__(self, seed, opset=13, dtype=np.float32):
        self.random = np.random.default_rng(seed)
        self.opset = opset
        self.dtype = dtype
        self.nodes = []
        self.inputs = []
        self.outputs = []
        self.initializers = []

    def input(self, name, shape):
        self.inputs.append(helper.make_tensor_value_info(name, ELEMENT[self.dtype], shape))
        return name

    def output(self, *names, dtype=None, shape=None):
        """`shape` where it cannot be inferred."""
        for name in names:
            self.outputs.append(helper.make_tensor_value_info(name, ELEMENT[dtype or self.dtype], shape))

    def constant(self, name, values, dtype=None):
        array = np.asarray(values, dtype=dtype or self.dtype)
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def ints(self, name, values):
        return self.constant(name, values, np.int64)

    def weight(self, name, *shape, low=-1.0, high=1.0):
        return self.constant(name, self.random.uniform(low, high, shape))

    def node(self, op_type, inputs, output, name=None, **attributes):
        """Adds a node; `name` defaults to `<output>_node`, '' leaves it without a name."""
        outputs = [output] if isinstance(output, str) else output
        name = f'{outputs[0]}_node' if name is None else name
        self.nodes.append(helper.make_node(op_type, inputs, outputs, name, **attributes))
        return output

    def conv(self, x, output, channels_in, channels_out, kernel=3, bias=True, group=1, name=None, **attributes):
        inputs = [x, self.weight(f'{output}_w', channels_out, channels_in // group, kernel, kernel)]
        if bias:
            inputs.append(self.weight(f'{output}_b', channels_out))
        attributes.setdefault('pads', [kernel // 2] * 4)
        if group != 1:
            attributes['group'] = group
        return self.node('Conv', inputs, output, name, **attributes)

    def model(self):
        graph = helper.make_graph(self.nodes, 'g', self.inputs, self.outputs, self.initializers)
        ir_version = 7 if self.opset <= 13 else 10
        model = helper.make_model(
            graph, ir_version=ir_version, opset_imports=[helper.make_opsetid('', self.opset)]
        )
        model = onnx.shape_inference.infer_shapes(model, strict_mode=True)
        onnx.checker.check_model(model)
        return model
