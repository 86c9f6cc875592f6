#include "model/subgraphs.h"

#include "model/node_queries.h"

namespace ptq {
namespace {

// The definitions of the graphs around a read, inside out.
struct CaptureScope {
  std::unordered_set<std::string_view> names;
  const CaptureScope* outer;
};

struct Captures {
  std::unordered_set<std::string_view> seen;
  std::vector<std::string_view> names;
};

void CollectCaptures(const onnx::GraphProto& graph, const CaptureScope* outer, Captures* captures) {
  const CaptureScope scope{DefinedNames(graph), outer};
  const auto read = [&](std::string_view name) {
    if (name.empty()) return;
    for (const CaptureScope* at = &scope; at != nullptr; at = at->outer) {
      if (at->names.contains(name)) return;
    }
    if (captures->seen.insert(name).second) captures->names.push_back(name);
  };
  for (const onnx::NodeProto& node : graph.node()) {
    for (const std::string& input : node.input()) read(input);
    ForEachSubgraph(
        node, [&](const onnx::GraphProto& inner) { CollectCaptures(inner, &scope, captures); });
  }
  for (const onnx::ValueInfoProto& output : graph.output()) read(output.name());
}

}  // namespace

bool HoldsBodies(const onnx::NodeProto& node) {
  return IsOp(node, "If") || IsOp(node, "Loop") || IsOp(node, "Scan");
}

std::unordered_set<std::string_view> DefinedNames(const onnx::GraphProto& graph) {
  std::unordered_set<std::string_view> names;
  for (const onnx::ValueInfoProto& input : graph.input()) names.insert(input.name());
  for (const onnx::TensorProto& tensor : graph.initializer()) names.insert(tensor.name());
  for (const onnx::SparseTensorProto& sparse : graph.sparse_initializer()) {
    names.insert(sparse.values().name());
  }
  for (const onnx::NodeProto& node : graph.node()) {
    for (const std::string& output : node.output()) names.insert(output);
  }
  names.erase("");
  return names;
}

std::vector<std::string_view> CapturedNames(const onnx::NodeProto& node) {
  Captures captures;
  ForEachSubgraph(
      node, [&](const onnx::GraphProto& graph) { CollectCaptures(graph, nullptr, &captures); });
  return std::move(captures.names);
}

}  // namespace ptq
