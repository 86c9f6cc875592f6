// An If whose condition is a constant becomes the nodes of its branch.
//
//   before: y = If <then_branch = { a = Conv(x, W) }, else_branch = …>(true)     after: y = Conv(x,
//   W)
//
// Weights in a branch are found as any others then. Names of bodies are made unique first; an
// output that the branch does not make itself is passed on by an Identity.
#include <unordered_set>

#include "model/attributes.h"
#include "model/node_builder.h"
#include "model/node_queries.h"
#include "passes/graph_queries.h"
#include "passes/ir_version.h"
#include "passes/pass_registry.h"
#include "passes/uniquify_names.h"

namespace ptq {
namespace {

using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;

// The name of the attribute that holds the branch; null where the condition is not known.
const char* BranchOf(const Model& model, const GraphView& view, const onnx::NodeProto& node) {
  if (!IsOp(node, "If") || !HasInput(node, 0)) return nullptr;
  const onnx::TensorProto* condition = ConstantOf(view, node.input(0));
  if (condition == nullptr || condition->data_type() != onnx::TensorProto::BOOL ||
      ElementCount(*condition) != 1) {
    return nullptr;
  }
  const bool holds = model.tensors().ReadInts(*condition)[0] != 0;
  const char* branch = holds ? "then_branch" : "else_branch";
  const onnx::AttributeProto* attribute = FindAttribute(node, branch);
  const bool fits = attribute != nullptr && attribute->has_g() &&
                    attribute->g().input_size() == 0 &&
                    attribute->g().output_size() == node.output_size();
  return fits ? branch : nullptr;
}

void Inline(const onnx::NodeProto& node, onnx::GraphProto* branch, onnx::GraphProto* graph,
            Nodes* into, UniqueNames* names) {
  std::unordered_set<std::string> made;
  for (const onnx::NodeProto& inner : branch->node()) {
    made.insert(inner.output().begin(), inner.output().end());
  }
  std::unordered_map<std::string, std::string> renames;
  std::vector<std::pair<std::string, std::string>> passed;
  for (int i = 0; i < node.output_size(); ++i) {
    if (node.output(i).empty()) continue;
    const std::string& output = branch->output(i).name();
    const bool renamed = made.contains(output) && renames.emplace(output, node.output(i)).second;
    if (!renamed) passed.emplace_back(output, node.output(i));
  }
  RenameReads(branch, renames);
  for (onnx::NodeProto& inner : *branch->mutable_node()) {
    for (std::string& output : *inner.mutable_output()) {
      const auto renamed = renames.find(output);
      if (renamed != renames.end()) output = renamed->second;
    }
    into->Add()->Swap(&inner);
  }
  for (const auto& [source, target] : passed) {
    const auto renamed = renames.find(source);
    *into->Add() = MakeNode("Identity", {renamed == renames.end() ? source : renamed->second},
                            {target}, names->Make(target + "_copy"));
  }
  graph->mutable_initializer()->MergeFrom(branch->initializer());
  graph->mutable_sparse_initializer()->MergeFrom(branch->sparse_initializer());
}

}  // namespace

int InlineConstantIf(PassContext& context) {
  Model& model = context.model;
  onnx::GraphProto& graph = model.graph();
  std::unordered_map<int, const char*> branches;
  {
    const GraphView view(graph);
    for (int i = 0; i < graph.node_size(); ++i) {
      const char* branch = BranchOf(model, view, graph.node(i));
      if (branch != nullptr) branches.emplace(i, branch);
    }
  }
  if (branches.empty()) return 0;
  UniquifyNames(model);
  UniqueNames names(graph);
  Nodes nodes;
  for (int i = 0; i < graph.node_size(); ++i) {
    onnx::NodeProto* node = graph.mutable_node(i);
    const auto found = branches.find(i);
    if (found == branches.end()) {
      nodes.Add()->Swap(node);
      continue;
    }
    onnx::GraphProto branch = FindAttribute(*node, found->second)->g();
    Inline(*node, &branch, &graph, &nodes, &names);
  }
  graph.mutable_node()->Swap(&nodes);
  RaiseIrVersion(model, 4);
  return static_cast<int>(branches.size());
}

}  // namespace ptq
