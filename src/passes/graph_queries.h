// What every pass asks about a node in its graph.
#pragma once

#include <string_view>

#include "model/graph_view.h"
#include "model/node_queries.h"

namespace ptq {

// The initializer, unless callers may replace it because it is a graph input too.
inline const onnx::TensorProto* ConstantOf(const GraphView& view, std::string_view tensor) {
  return view.IsGraphInput(tensor) ? nullptr : view.Initializer(tensor);
}

// The output has the elements of input 0, in their order, in another shape.
inline bool KeepsElements(const onnx::NodeProto& node) {
  const bool known = IsOp(node, "Reshape") || IsOp(node, "Flatten") || IsOp(node, "Squeeze") ||
                     IsOp(node, "Unsqueeze");
  return known && HasInput(node, 0) && node.output_size() == 1;
}

// The outputs of `node` from `first` on are read by nobody.
inline bool OutputsUnused(const GraphView& view, const onnx::NodeProto& node, int first) {
  for (int i = first; i < node.output_size(); ++i) {
    if (!view.Uses(node.output(i)).empty() || view.IsGraphOutput(node.output(i))) return false;
  }
  return true;
}

}  // namespace ptq
