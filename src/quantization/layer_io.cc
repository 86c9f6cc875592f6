#include "quantization/layer_io.h"

#include "model/node_queries.h"

namespace ptq {
namespace {

bool HasConstant(const GraphView& view, const onnx::NodeProto& node, int input) {
  return HasInput(node, input) && view.Initializer(node.input(input)) != nullptr;
}

bool IsConstantConv(const GraphView& view, const onnx::NodeProto& node) {
  return (IsOp(node, "Conv") || IsOp(node, "ConvTranspose")) && HasConstant(view, node, 1);
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

bool WritesFloat(const onnx::NodeProto& node) { return IsOp(node, "MatMul") || IsOp(node, "Gemm"); }

}  // namespace ptq
