// Which operators that are said to move data write values that their input does not have, by their
// attributes: their output cannot take the input's scale and zero point.
#pragma once

#include <string_view>

#include "onnx/onnx_pb.h"

namespace ptq {

// Why a value of output 0 may lie outside the values of input 0 (and 0, which every quantized range
// holds): "it ...". "" where all lie within them. For operators whose rule shares parameters;
// MaxPool's padding is no value, and AveragePool's is 0. Source: ONNX operator specification.
std::string_view NewValuesOf(const onnx::NodeProto& node);

}  // namespace ptq
