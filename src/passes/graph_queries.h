// Small questions that every pass asks.
#pragma once

#include <string_view>

#include "model/graph_view.h"

namespace ptq {

inline bool IsOnnxDomain(std::string_view domain) { return domain.empty() || domain == "ai.onnx"; }

// An operator of the ONNX standard itself, not a custom one of the same name.
inline bool IsOp(const onnx::NodeProto& node, std::string_view op_type) {
  return node.op_type() == op_type && IsOnnxDomain(node.domain());
}

inline bool HasInput(const onnx::NodeProto& node, int index) {
  return index < node.input_size() && !node.input(index).empty();
}

// The initializer, unless callers may replace it because it is a graph input too.
inline const onnx::TensorProto* ConstantOf(const GraphView& view, std::string_view tensor) {
  return view.IsGraphInput(tensor) ? nullptr : view.Initializer(tensor);
}

// The outputs of `node` from `first` on are read by nobody.
inline bool OutputsUnused(const GraphView& view, const onnx::NodeProto& node, int first) {
  for (int i = first; i < node.output_size(); ++i) {
    if (!view.Uses(node.output(i)).empty() || view.IsGraphOutput(node.output(i))) return false;
  }
  return true;
}

}  // namespace ptq
