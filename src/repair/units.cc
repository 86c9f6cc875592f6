#include "repair/units.h"

#include <algorithm>

#include "model/attributes.h"
#include "model/element_type.h"
#include "model/node_queries.h"
#include "quantization/layer_io.h"
#include "quantization/left_float.h"

namespace ptq {
namespace {

constexpr int kNone = -1;

uint64_t Elements(const onnx::ValueInfoProto* value) {
  uint64_t elements = 1;
  if (value == nullptr) return elements;
  for (const auto& dim : value->type().tensor_type().shape().dim()) {
    elements *= static_cast<uint64_t>(std::max<int64_t>(dim.dim_value(), 1));
  }
  return elements;
}

// Each value of the output is a sum over one row of the weight.
uint64_t Products(const GraphView& view, const onnx::NodeProto& node,
                  const onnx::TensorProto& weight) {
  if (weight.dims_size() < 2) return 0;
  const bool conv = IsOp(node, "Conv");
  const uint64_t elements = ElementCount(weight);
  if (!conv && !WritesFloat(node)) {  // ConvTranspose: each value of the input meets them all
    const uint64_t inputs = static_cast<uint64_t>(std::max<int64_t>(weight.dims(0), 1));
    return Elements(view.ValueInfo(node.input(0))) / inputs * elements;
  }
  const bool outputs_first = conv || IntAttribute(node, "transB", 0) != 0;
  const int64_t outputs = weight.dims(outputs_first ? 0 : weight.dims_size() - 1);
  const uint64_t row = elements / static_cast<uint64_t>(std::max<int64_t>(outputs, 1));
  return Elements(view.ValueInfo(node.output(0))) * row;
}

}  // namespace

std::vector<Unit> FindUnits(const GraphView& view, const QuantPlan& plan) {
  std::vector<Unit> units;
  std::vector<int> unit_of(static_cast<size_t>(view.node_count()), kNone);
  std::vector<bool> is_layer;  // by unit
  // The unit of what makes `tensor`, where nothing else reads that.
  const auto unit_behind = [&](const std::string& tensor) {
    const int producer = view.Producer(tensor);
    const bool chained =
        producer >= 0 && view.Uses(tensor).size() == 1 && !view.IsGraphOutput(tensor);
    return chained ? unit_of[static_cast<size_t>(producer)] : kNone;
  };
  const auto unit_to_join = [&](const onnx::NodeProto& node) {
    const bool of_layer = IsOp(node, "Relu") || IsOp(node, "Clip");
    for (const std::string& input : node.input()) {
      const int unit = unit_behind(input);
      if (unit != kNone && (of_layer || !is_layer[static_cast<size_t>(unit)])) return unit;
    }
    return kNone;
  };
  for (int i = 0; i < view.node_count(); ++i) {
    if (plan.nodes[static_cast<size_t>(i)].action == NodeAction::kFloat) continue;
    const onnx::NodeProto& node = view.node(i);
    const bool linear = IsLinear(view, node);
    const bool table = !linear && IsOp(node, "Gather") && IsOfLayer(view, node);
    int unit = linear || table ? kNone : unit_to_join(node);
    if (unit == kNone) {
      unit = static_cast<int>(units.size());
      units.emplace_back();
      is_layer.push_back(linear || table);
    }
    unit_of[static_cast<size_t>(i)] = unit;
    Unit& joined = units[static_cast<size_t>(unit)];
    joined.nodes.push_back(NodeLabel(node));
    if (!linear && !table) continue;
    const onnx::TensorProto& weight = *view.Initializer(node.input(linear ? 1 : 0));
    joined.weight_bytes = ElementCount(weight) * sizeof(float);
    if (linear) joined.products = Products(view, node, weight);
  }
  return units;
}

}  // namespace ptq
