// What a node tells by itself, without its graph.
#pragma once

#include <string_view>

#include "onnx/onnx_pb.h"

namespace ptq {

// An operator of the ONNX standard itself, not a custom one of the same name.
bool IsOp(const onnx::NodeProto& node, std::string_view op_type);

// Whether the input is there: optional ones may be missing at the end or have an empty name.
bool HasInput(const onnx::NodeProto& node, int index);

// Whether output 0 holds exactly the values of input 0, each once, in another shape or order.
// Their tensor ranges are therefore the same.
bool MovesValues(const onnx::NodeProto& node);

}  // namespace ptq
