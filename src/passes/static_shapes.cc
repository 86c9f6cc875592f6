#include "passes/static_shapes.h"

#include "passes/infer_shapes.h"

namespace ptq {

std::optional<std::vector<int64_t>> StaticShapes::Of(const std::string& tensor) {
  if (!inferred_) {
    inferred_ = InferredShapes(model_, KnownShapes::kInputsOnly, nullptr);
    view_.emplace(*inferred_);
  }
  std::vector<int64_t> dims;
  if (const onnx::TensorProto* constant = view_->Initializer(tensor)) {
    dims.assign(constant->dims().begin(), constant->dims().end());
    return dims;
  }
  const onnx::ValueInfoProto* info = view_->ValueInfo(tensor);
  if (info == nullptr || !info->type().tensor_type().has_shape()) return std::nullopt;
  for (const auto& dim : info->type().tensor_type().shape().dim()) {
    dims.push_back(dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value() : kUnknownDim);
  }
  return dims;
}

}  // namespace ptq
