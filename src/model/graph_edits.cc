// The edits of graph_view.h: each one pass over the graph.
#include <functional>

#include "model/graph_view.h"
#include "model/subgraphs.h"

namespace ptq {
namespace {

// Keeps the elements for which `keep(index)`, in order.
template <typename Field, typename Keep>
void KeepElements(Field* field, Keep keep) {
  int kept = 0;
  for (int i = 0; i < field->size(); ++i) {
    if (!keep(i)) continue;
    if (i != kept) field->SwapElements(i, kept);
    ++kept;
  }
  field->DeleteSubrange(kept, field->size() - kept);
}

using Names = std::unordered_map<std::string, std::string>;

// `hides(name)`: a graph in between defines the name itself.
void RenameIn(onnx::GraphProto* graph, const Names& names,
              const std::function<bool(const std::string&)>& hides, bool rename_outputs) {
  const auto rename = [&](std::string* name) {
    const auto found = names.find(*name);
    if (found != names.end() && !hides(*name)) *name = found->second;
  };
  for (onnx::NodeProto& node : *graph->mutable_node()) {
    for (std::string& input : *node.mutable_input()) rename(&input);
    ForEachSubgraph(node, [&](onnx::GraphProto& inner) {
      std::unordered_set<std::string> defined;  // of the names in question only
      for (const std::string_view name : DefinedNames(inner)) {
        if (names.contains(std::string(name))) defined.emplace(name);
      }
      const auto inner_hides = [&](const std::string& name) {
        return defined.contains(name) || hides(name);
      };
      RenameIn(&inner, names, inner_hides, true);
    });
  }
  if (!rename_outputs) return;
  // A subgraph may pass an outer tensor on; its outputs are matched by position, so the name is
  // free.
  for (onnx::ValueInfoProto& output : *graph->mutable_output()) rename(output.mutable_name());
}

}  // namespace

void RemoveNodes(onnx::GraphProto* graph, const std::vector<bool>& remove) {
  KeepElements(graph->mutable_node(), [&](int i) { return !remove[static_cast<size_t>(i)]; });
}

void RenameReads(onnx::GraphProto* graph,
                 const std::unordered_map<std::string, std::string>& names) {
  if (names.empty()) return;
  RenameIn(graph, names, [](const std::string&) { return false; }, false);
}

std::vector<onnx::GraphProto*> GraphsOf(onnx::GraphProto* graph, Bodies bodies) {
  std::vector<onnx::GraphProto*> graphs = {graph};
  if (bodies == Bodies::kOutside) return graphs;
  for (onnx::NodeProto& node : *graph->mutable_node()) {
    if (!HoldsBodies(node)) continue;
    ForEachSubgraph(node, [&](onnx::GraphProto& body) {
      const std::vector<onnx::GraphProto*> inner = GraphsOf(&body, bodies);
      graphs.insert(graphs.end(), inner.begin(), inner.end());
    });
  }
  return graphs;
}

void RemoveUnusedInitializers(onnx::GraphProto* graph) {
  std::unordered_set<std::string_view> read;
  for (const onnx::NodeProto& node : graph->node()) {
    for (const std::string& input : node.input()) read.insert(input);
    for (const std::string_view name : CapturedNames(node)) read.insert(name);
  }
  for (const onnx::ValueInfoProto& output : graph->output()) read.insert(output.name());
  for (const onnx::TensorAnnotation& annotation : graph->quantization_annotation()) {
    for (const onnx::StringStringEntryProto& entry : annotation.quant_parameter_tensor_names()) {
      read.insert(entry.value());
    }
  }
  std::unordered_set<std::string> unused;
  KeepElements(graph->mutable_initializer(), [&](int i) {
    const std::string& name = graph->initializer(i).name();
    if (read.contains(name)) return true;
    unused.insert(name);
    return false;
  });
  KeepElements(graph->mutable_input(),
               [&](int i) { return !unused.contains(graph->input(i).name()); });
}

}  // namespace ptq
