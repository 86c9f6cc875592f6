#include "model/computed_weights.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "model/node_queries.h"
#include "model/subgraphs.h"

namespace ptq {
namespace {

enum class Kind { kData, kConstant, kComputed };

// Of what the node makes.
template <typename KindOf>
Kind KindOfOutputs(const onnx::NodeProto& node, const KindOf& kind_of) {
  if (IsOp(node, "Constant")) return Kind::kConstant;
  const bool random = node.op_type().starts_with("Random") || IsOp(node, "Bernoulli") ||
                      IsOp(node, "Multinomial") || IsOp(node, "Dropout");
  const bool opaque = random || node.input_size() == 0 || !CapturedNames(node).empty() ||
                      IsOp(node, "QuantizeLinear") || IsOp(node, "DequantizeLinear");
  if (opaque || std::any_of(node.input().begin(), node.input().end(), [&](const auto& input) {
        return !input.empty() && kind_of(input) == Kind::kData;
      })) {
    return Kind::kData;
  }
  // What passes values on as they come is quantized with what it reads.
  const bool parts = IsOp(node, "Gather") || IsOp(node, "Slice") || IsOp(node, "Split");
  if (MovesValues(node) || parts) return kind_of(node.input(0));
  const bool whole = IsOp(node, "Concat") &&
                     std::all_of(node.input().begin(), node.input().end(), [&](const auto& input) {
                       return kind_of(input) == Kind::kConstant;
                     });
  return whole ? Kind::kConstant : Kind::kComputed;
}

}  // namespace

std::unordered_map<const onnx::NodeProto*, ComputedWeight> FindComputedWeights(
    const GraphView& view) {
  std::unordered_map<std::string_view, Kind> made;
  std::unordered_map<const onnx::NodeProto*, ComputedWeight> found;
  const auto kind_of = [&](std::string_view tensor) {
    const auto known = made.find(tensor);
    if (known != made.end()) return known->second;
    const bool constant = view.Initializer(tensor) != nullptr && !view.IsGraphInput(tensor);
    return constant ? Kind::kConstant : Kind::kData;
  };
  for (int i = 0; i < view.node_count(); ++i) {
    const onnx::NodeProto& node = view.node(i);
    const Kind kind = KindOfOutputs(node, kind_of);
    for (const std::string& output : node.output()) made.emplace(output, kind);
    const bool both = IsOp(node, "MatMul") || IsOp(node, "Gemm");
    if (!both && !IsOp(node, "Conv") && !IsOp(node, "ConvTranspose")) continue;
    for (int k = both ? 0 : 1; k < std::min(2, node.input_size()); ++k) {
      const int producer = view.Producer(node.input(k));
      if (producer < 0 || kind_of(node.input(k)) != Kind::kComputed) continue;
      const onnx::NodeProto& by = view.node(producer);
      const std::string& name = by.name().empty() ? by.output(0) : by.name();
      found.emplace(&node, ComputedWeight{node.input(k), by.op_type() + " node '" + name + "'"});
      break;
    }
  }
  return found;
}

}  // namespace ptq
