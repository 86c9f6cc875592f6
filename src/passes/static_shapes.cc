#include "passes/static_shapes.h"

namespace ptq {

std::optional<std::vector<int64_t>> StaticShapes::Of(const std::string& tensor) {
  const GraphView& shapes = context_.types.Of(context_.model);
  std::vector<int64_t> dims;
  if (const onnx::TensorProto* constant = shapes.Initializer(tensor)) {
    dims.assign(constant->dims().begin(), constant->dims().end());
    return dims;
  }
  const onnx::ValueInfoProto* info = shapes.ValueInfo(tensor);
  if (info == nullptr || !info->type().tensor_type().has_shape()) return std::nullopt;
  for (const auto& dim : info->type().tensor_type().shape().dim()) {
    dims.push_back(dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value() : kUnknownDim);
  }
  return dims;
}

}  // namespace ptq
