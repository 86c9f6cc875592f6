// What no graph output needs is removed: nodes, initializers and value_info.
//
//   before: a = Shape(x)   y = Relu(x)   <w = …>     after: y = Relu(x)
#include <string_view>
#include <unordered_set>

#include "model/graph_view.h"
#include "model/subgraphs.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

int RemoveUnusedNodes(onnx::GraphProto* graph) {
  const GraphView view(*graph);
  std::vector<bool> remove(static_cast<size_t>(graph->node_size()), true);
  std::vector<int> needed;  // nodes still to follow
  int unused = graph->node_size();
  const auto need = [&](int node) {
    if (node < 0 || !remove[static_cast<size_t>(node)]) return;
    remove[static_cast<size_t>(node)] = false;
    --unused;
    needed.push_back(node);
  };
  for (const onnx::ValueInfoProto& output : graph->output()) need(view.Producer(output.name()));
  for (int i = 0; i < graph->node_size(); ++i) {
    if (graph->node(i).output_size() == 0) need(i);  // there for its effect
  }
  while (!needed.empty()) {
    const onnx::NodeProto& node = graph->node(needed.back());
    needed.pop_back();
    for (const std::string& input : node.input()) need(view.Producer(input));
    for (const std::string_view name : CapturedNames(node)) need(view.Producer(name));
  }
  RemoveNodes(graph, remove);
  return unused;
}

void RemoveStaleValueInfo(onnx::GraphProto* graph) {
  const std::unordered_set<std::string_view> defined = DefinedNames(*graph);
  google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> kept;
  for (onnx::ValueInfoProto& info : *graph->mutable_value_info()) {
    if (defined.contains(info.name())) kept.Add(std::move(info));
  }
  graph->mutable_value_info()->Swap(&kept);
}

}  // namespace

int EliminateUnused(PassContext& context) {
  onnx::GraphProto& graph = context.model.graph();
  const int removed = RemoveUnusedNodes(&graph);
  const int initializers = graph.initializer_size();
  RemoveUnusedInitializers(&graph);
  RemoveStaleValueInfo(&graph);
  return removed + initializers - graph.initializer_size();
}

}  // namespace ptq
