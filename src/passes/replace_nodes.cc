#include "passes/replace_nodes.h"

#include <utility>

namespace ptq {

void ReplaceNodes(onnx::GraphProto* graph, NodeEdits edits) {
  google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;
  nodes.Reserve(graph->node_size());
  for (int i = 0; i < graph->node_size(); ++i) {
    const auto edit = edits.find(i);
    if (edit == edits.end()) {
      nodes.Add(std::move(*graph->mutable_node(i)));
      continue;
    }
    for (onnx::NodeProto& node : edit->second) nodes.Add(std::move(node));
  }
  graph->mutable_node()->Swap(&nodes);
}

}  // namespace ptq
