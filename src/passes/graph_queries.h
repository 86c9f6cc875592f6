// What every pass asks about a node in its graph.
#pragma once

#include <string_view>

#include "model/graph_view.h"

namespace ptq {

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
