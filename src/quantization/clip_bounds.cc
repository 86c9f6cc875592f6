#include "quantization/clip_bounds.h"

#include "model/attributes.h"
#include "model/node_queries.h"

namespace ptq {

std::optional<ClipBounds> FindClipBounds(const onnx::NodeProto& node, const Model& model,
                                         const GraphView& view) {
  ClipBounds bounds;
  if (IsOp(node, "Relu")) {
    bounds.low = 0;
    return bounds;
  }
  if (!IsOp(node, "Clip")) return std::nullopt;
  if (model.Opset() < 11) {
    bounds.low = FloatAttribute(node, "min", bounds.low);
    bounds.high = FloatAttribute(node, "max", bounds.high);
    return bounds;
  }
  float* ends[] = {&bounds.low, &bounds.high};
  for (int i = 1; i < node.input_size() && i <= 2; ++i) {
    if (node.input(i).empty()) continue;
    const onnx::TensorProto* end = view.Initializer(node.input(i));
    if (end == nullptr || ElementCount(*end) != 1) return std::nullopt;
    *ends[i - 1] = model.tensors().ReadFloats(*end)[0];
  }
  return bounds;
}

}  // namespace ptq
