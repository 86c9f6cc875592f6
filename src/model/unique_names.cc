// UniqueNames of graph_view.h.
#include "model/graph_view.h"
#include "model/subgraphs.h"

namespace ptq {
namespace {

template <typename Take>
void TakeNames(const onnx::GraphProto& graph, const Take& take) {
  for (const onnx::ValueInfoProto& info : graph.input()) take(info.name());
  for (const onnx::ValueInfoProto& info : graph.output()) take(info.name());
  for (const onnx::ValueInfoProto& info : graph.value_info()) take(info.name());
  for (const onnx::TensorProto& tensor : graph.initializer()) take(tensor.name());
  for (const onnx::SparseTensorProto& sparse : graph.sparse_initializer()) {
    take(sparse.values().name());
  }
  for (const onnx::NodeProto& node : graph.node()) {
    take(node.name());
    for (const std::string& input : node.input()) take(input);
    for (const std::string& output : node.output()) take(output);
    ForEachSubgraph(node, [&](const onnx::GraphProto& inner) { TakeNames(inner, take); });
  }
}

}  // namespace

UniqueNames::UniqueNames(const onnx::GraphProto& graph) {
  TakeNames(graph, [this](const std::string& name) { taken_.insert(name); });
}

std::string UniqueNames::Make(const std::string& wanted) {
  if (taken_.insert(wanted).second) return wanted;
  for (int& next = next_[wanted];;) {
    std::string name = wanted + "_" + std::to_string(++next);
    if (taken_.insert(name).second) return name;
  }
}

}  // namespace ptq
