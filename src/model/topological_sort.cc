#include "model/topological_sort.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/error.h"
#include "model/subgraphs.h"

namespace ptq {
namespace {

// What can be read without any node having run, in the order in which the reference unlocks
// readers.
std::vector<std::string_view> GivenNames(const onnx::GraphProto& graph) {
  std::vector<std::string_view> names;
  for (const onnx::TensorProto& tensor : graph.initializer()) names.push_back(tensor.name());
  for (const onnx::SparseTensorProto& sparse : graph.sparse_initializer()) {
    names.push_back(sparse.values().name());
  }
  for (const onnx::ValueInfoProto& input : graph.input()) names.push_back(input.name());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

void TopologicalSort(onnx::GraphProto* graph) {
  const int count = graph->node_size();
  const std::unordered_set<std::string_view> defined = DefinedNames(*graph);
  std::unordered_map<std::string_view, std::vector<int>> readers;
  std::vector<int> missing(static_cast<size_t>(count));  // reads that nothing has made yet
  std::vector<int> order;
  order.reserve(missing.size());

  for (int i = 0; i < count; ++i) {
    const onnx::NodeProto& node = graph->node(i);
    const auto read = [&](std::string_view name) {
      if (!defined.contains(name)) return;  // omitted, or made outside of this graph
      ++missing[static_cast<size_t>(i)];
      readers[name].push_back(i);
    };
    for (const std::string& input : node.input()) read(input);
    for (const std::string_view name : CapturedNames(node)) read(name);
    if (missing[static_cast<size_t>(i)] == 0) order.push_back(i);
  }

  const auto unlock = [&](std::string_view name) {
    const auto found = readers.find(name);
    if (found == readers.end()) return;
    for (const int reader : found->second) {
      if (--missing[static_cast<size_t>(reader)] == 0) order.push_back(reader);
    }
  };
  for (const std::string_view name : GivenNames(*graph)) unlock(name);
  for (size_t next = 0; next < order.size(); ++next) {
    for (const std::string& output : graph->node(order[next]).output()) unlock(output);
  }

  if (order.size() != static_cast<size_t>(count)) {
    const auto stuck = std::find_if(missing.begin(), missing.end(), [](int n) { return n > 0; });
    const onnx::NodeProto& node = graph->node(static_cast<int>(stuck - missing.begin()));
    throw Error(ErrorCode::kInvalidModel, Text("The graph has a cycle, which holds up node \"") +
                                              node.name() + "\" (" + node.op_type() + ").")
        .WithNode(node.name());
  }

  std::vector<onnx::NodeProto*> nodes(missing.size());
  graph->mutable_node()->ExtractSubrange(0, count, nodes.data());
  for (const int index : order) {
    graph->mutable_node()->AddAllocated(nodes[static_cast<size_t>(index)]);
  }
}

bool IsTopologicallySorted(const onnx::GraphProto& graph) {
  std::unordered_set<std::string_view> later;  // made by nodes that have not come yet
  for (const onnx::NodeProto& node : graph.node()) {
    later.insert(node.output().begin(), node.output().end());
  }
  later.erase("");
  for (const onnx::NodeProto& node : graph.node()) {
    for (const std::string& input : node.input()) {
      if (later.contains(input)) return false;
    }
    for (const std::string_view name : CapturedNames(node)) {
      if (later.contains(name)) return false;
    }
    for (const std::string& output : node.output()) later.erase(output);
  }
  return true;
}

}  // namespace ptq
