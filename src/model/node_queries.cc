// Which operators move values: ONNX operator specification (onnx/docs/Operators.md).
#include "model/node_queries.h"

#include <algorithm>
#include <array>

#include "model/domains.h"

namespace ptq {

bool IsOp(const onnx::NodeProto& node, std::string_view op_type) {
  return node.op_type() == op_type && IsOnnxDomain(node.domain());
}

bool HasInput(const onnx::NodeProto& node, int index) {
  return index < node.input_size() && !node.input(index).empty();
}

bool MovesValues(const onnx::NodeProto& node) {
  static constexpr std::array<std::string_view, 6> kOpTypes = {"Flatten", "Identity",  "Reshape",
                                                               "Squeeze", "Transpose", "Unsqueeze"};
  return std::any_of(kOpTypes.begin(), kOpTypes.end(),
                     [&](std::string_view op_type) { return IsOp(node, op_type); });
}

}  // namespace ptq
