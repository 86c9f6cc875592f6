#include "passes/uniquify_names.h"

#include <string>
#include <unordered_map>
#include <unordered_set>

#include "model/graph_view.h"
#include "model/subgraphs.h"

namespace ptq {
namespace {

using Renames = std::unordered_map<std::string, std::string>;

// Renames definitions and reads in `body` and in the bodies below it.
void Rename(onnx::GraphProto* body, const Renames& names) {
  const auto rename = [&](std::string* name) {
    const auto found = names.find(*name);
    if (found != names.end()) *name = found->second;
  };
  RenameReads(body, names);
  for (onnx::ValueInfoProto& info : *body->mutable_input()) rename(info.mutable_name());
  for (onnx::ValueInfoProto& info : *body->mutable_output()) rename(info.mutable_name());
  for (onnx::ValueInfoProto& info : *body->mutable_value_info()) rename(info.mutable_name());
  for (onnx::TensorProto& tensor : *body->mutable_initializer()) rename(tensor.mutable_name());
  for (onnx::NodeProto& node : *body->mutable_node()) {
    for (std::string& output : *node.mutable_output()) rename(&output);
  }
}

}  // namespace

int UniquifyNames(Model& model) {
  UniqueNames unique(model.graph());
  std::unordered_set<std::string> defined;
  int renamed = 0;
  for (onnx::GraphProto* graph : GraphsOf(&model.graph(), Bodies::kInside)) {
    Renames names;
    for (const std::string_view name : DefinedNames(*graph)) {
      if (defined.contains(std::string(name))) names.emplace(name, "");
    }
    // In the order of the file, so that the new names are the same on every engine.
    const auto make = [&](const std::string& name) {
      const auto found = names.find(name);
      if (found != names.end() && found->second.empty()) found->second = unique.Make(name);
    };
    for (const onnx::ValueInfoProto& input : graph->input()) make(input.name());
    for (const onnx::TensorProto& tensor : graph->initializer()) make(tensor.name());
    for (const onnx::NodeProto& node : graph->node()) {
      for (const std::string& output : node.output()) make(output);
    }
    std::erase_if(names, [](const auto& entry) { return entry.second.empty(); });
    if (!names.empty()) Rename(graph, names);
    for (const std::string_view name : DefinedNames(*graph)) defined.emplace(name);
    renamed += static_cast<int>(names.size());
  }
  return renamed;
}

}  // namespace ptq
