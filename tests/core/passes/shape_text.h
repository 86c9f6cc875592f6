// The shape of a tensor in words, for the tests of shape inference.
#pragma once

#include <string>

#include "model/graph_view.h"
#include "model/model.h"

namespace ptq {

// "1,N,?"; "" where not even the rank is known.
inline std::string ShapeOf(const Model& model, const std::string& tensor) {
  const GraphView view(model.graph());
  const onnx::ValueInfoProto* info = view.ValueInfo(tensor);
  if (info == nullptr || !info->type().tensor_type().has_shape()) return "";
  std::string shape;
  for (const auto& dim : info->type().tensor_type().shape().dim()) {
    if (!shape.empty()) shape += ",";
    shape += dim.has_dim_value()   ? std::to_string(dim.dim_value())
             : dim.has_dim_param() ? dim.dim_param()
                                   : "?";
  }
  return shape;
}

}  // namespace ptq
