// A node that does what an earlier one did gives way to it.
//
//   before: a = Transpose(x)   b = Transpose(x)   y = Conv(a, v)   z = Conv(b, w)
//   after:  a = Transpose(x)   y = Conv(a, v)   z = Conv(a, w)
//
// The same operator, attributes and inputs; small constants of the same elements count as the same
// input. What is random, holds bodies, or is not of ONNX stays, and so does what writes a graph
// output. Quantize- and DequantizeLinear stay, too: each reader has its own, as the reference has
// it.
#include <algorithm>
#include <array>
#include <string_view>

#include "model/attributes.h"
#include "model/domains.h"
#include "model/node_queries.h"
#include "model/subgraphs.h"
#include "passes/graph_queries.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

bool IsRepeatable(const onnx::NodeProto& node) {
  static constexpr std::array<std::string_view, 9> kNot = {
      "Bernoulli",    "DequantizeLinear", "Dropout",          "Multinomial",      "QuantizeLinear",
      "RandomNormal", "RandomUniform",    "RandomNormalLike", "RandomUniformLike"};
  bool bodies = false;
  ForEachSubgraph(node, [&](const onnx::GraphProto&) { bodies = true; });
  return !bodies && IsOnnxDomain(node.domain()) && node.output_size() > 0 &&
         std::find(kNot.begin(), kNot.end(), node.op_type()) == kNot.end();
}

class Subexpressions {
 public:
  explicit Subexpressions(Model& model) : model_(model), view_(model.graph()) {}

  int Run() {
    onnx::GraphProto& graph = model_.graph();
    std::vector<bool> remove(static_cast<size_t>(graph.node_size()), false);
    int removed = 0;
    for (int i = 0; i < graph.node_size(); ++i) {
      const onnx::NodeProto& node = graph.node(i);
      if (!IsRepeatable(node)) continue;
      const auto [first, added] = nodes_.emplace(KeyOf(node), i);
      if (added || !Replace(node, graph.node(first->second))) continue;
      remove[static_cast<size_t>(i)] = true;
      ++removed;
    }
    RemoveNodes(&graph, remove);
    RenameReads(&graph, renames_);
    return removed;
  }

 private:
  std::string KeyOf(const onnx::NodeProto& node) {
    std::string key = node.op_type();
    const auto append = [&](char kind, const std::string& text) {
      key += kind + std::to_string(text.size()) + ':' + text;
    };
    for (const std::string& input : node.input()) append('i', KeyOf(input));
    // An output that is not asked for may cost, but changes none of the others.
    append('o', std::to_string(node.output_size()));
    std::vector<std::string> attributes;
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      onnx::AttributeProto plain = attribute;
      plain.clear_doc_string();
      attributes.push_back(plain.SerializeAsString());
    }
    std::sort(attributes.begin(), attributes.end());
    for (const std::string& attribute : attributes) append('a', attribute);
    return key;
  }

  // The tensor that is read; for a small constant its elements.
  std::string KeyOf(const std::string& input) {
    const auto renamed = renames_.find(input);
    if (renamed != renames_.end()) return renamed->second;
    const onnx::TensorProto* constant = ConstantOf(view_, input);
    if (constant == nullptr || !FindElementBits(constant->data_type()) ||
        constant->data_location() == onnx::TensorProto::EXTERNAL ||
        model_.tensors().ByteSize(*constant) >= kInlineLimit) {
      return input;
    }
    std::string& key = constants_[input];
    if (!key.empty()) return key;
    std::vector<uint8_t> bytes(model_.tensors().ByteSize(*constant));
    model_.tensors().ReadBytes(*constant, 0, bytes);
    key = "\n" + std::to_string(constant->data_type());
    for (const int64_t dim : constant->dims()) key += ',' + std::to_string(dim);
    key += ':' + std::string(bytes.begin(), bytes.end());
    return key;
  }

  bool Replace(const onnx::NodeProto& node, const onnx::NodeProto& first) {
    for (int i = 0; i < node.output_size(); ++i) {
      if (view_.IsGraphOutput(node.output(i))) return false;
      if (node.output(i).empty() != first.output(i).empty()) return false;
    }
    for (int i = 0; i < node.output_size(); ++i) {
      if (!node.output(i).empty()) renames_.emplace(node.output(i), first.output(i));
    }
    return true;
  }

  Model& model_;
  const GraphView view_;
  std::unordered_map<std::string, int> nodes_;  // by what they do
  std::unordered_map<std::string, std::string> constants_;
  std::unordered_map<std::string, std::string> renames_;
};

}  // namespace

int EliminateCommonSubexpressions(PassContext& context) {
  return Subexpressions(context.model).Run();
}

}  // namespace ptq
