#include "quantization/layer_io.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "model/element_type.h"
#include "model/node_queries.h"

namespace ptq {
namespace {

constexpr uint64_t kFewWeights = 1024;

bool HasConstant(const GraphView& view, const onnx::NodeProto& node, int input) {
  return HasInput(node, input) && view.Initializer(node.input(input)) != nullptr;
}

bool IsConstantConv(const GraphView& view, const onnx::NodeProto& node) {
  return (IsOp(node, "Conv") || IsOp(node, "ConvTranspose")) && HasConstant(view, node, 1);
}

// Directly, or through a Relu or Clip.
bool IsReadByLayer(const GraphView& view, const std::string& tensor) {
  const std::vector<Use>& uses = view.Uses(tensor);
  return std::any_of(uses.begin(), uses.end(), [&](const Use& use) {
    const onnx::NodeProto& reader = view.node(use.node);
    if (IsLinear(view, reader)) return true;
    const bool clips = IsOp(reader, "Relu") || IsOp(reader, "Clip");
    return clips && reader.output_size() > 0 && IsReadByLayer(view, reader.output(0));
  });
}

}  // namespace

bool IsLinear(const GraphView& view, const onnx::NodeProto& node) {
  return IsConstantConv(view, node) || (WritesFloat(node) && HasConstant(view, node, 1));
}

bool IsOfLayer(const GraphView& view, const onnx::NodeProto& node) {
  if (IsLinear(view, node)) return true;
  if (IsOp(node, "Gather")) return HasConstant(view, node, 0);
  if (!IsOp(node, "Relu") && !IsOp(node, "Clip")) return false;
  const int producer = node.input_size() == 0 ? -1 : view.Producer(node.input(0));
  return producer >= 0 && IsConstantConv(view, view.node(producer));
}

bool IsLightHead(const GraphView& view, const onnx::NodeProto& node) {
  if (!IsOp(node, "Conv") || !IsConstantConv(view, node)) return false;
  if (ElementCount(*view.Initializer(node.input(1))) > kFewWeights) return false;
  if (const onnx::ValueInfoProto* output = view.ValueInfo(node.output(0))) {
    const onnx::TensorShapeProto& shape = output->type().tensor_type().shape();
    for (int d = 2; d < shape.dim_size(); ++d) {
      if (shape.dim(d).dim_value() > 1) return false;
    }
  }
  return !IsReadByLayer(view, node.output(0));
}

bool WritesFloat(const onnx::NodeProto& node) { return IsOp(node, "MatMul") || IsOp(node, "Gemm"); }

}  // namespace ptq
