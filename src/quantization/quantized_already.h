// What of a model as given is quantized already: it keeps its parameters, and nothing is quantized
// a second time.
#pragma once

#include "onnx/onnx_pb.h"

namespace ptq {

// QuantizeLinear, DequantizeLinear, an integer form of ONNX or com.microsoft, or a quantizer of
// activations at run time.
bool IsQuantizationOp(const onnx::NodeProto& node);

// One that quantizes its float input 0 at run time (dynamic quantization).
bool QuantizesAtRunTime(const onnx::NodeProto& node);

// One whose results are integers that nodes after it turn into floats: MatMulInteger, ConvInteger.
bool MakesInt32(const onnx::NodeProto& node);

}  // namespace ptq
