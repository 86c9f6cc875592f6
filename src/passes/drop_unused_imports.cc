// Opset imports of domains that no node belongs to are dropped.
//
//   before: <opset_import: ["" : 17, "ai.onnx.ml" : 99]> y = Relu(x)
//   after:  <opset_import: ["" : 17]> y = Relu(x)
//
// Exporters stamp all that they know on a model; a runtime refuses it for a version that it does
// not know, used or not. ai.onnx stays: what is added later belongs to it.
#include <string>
#include <unordered_set>

#include "model/domains.h"
#include "model/subgraphs.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

template <typename Nodes>
void CollectDomains(const Nodes& nodes, std::unordered_set<std::string>* domains) {
  for (const onnx::NodeProto& node : nodes) {
    domains->insert(node.domain());
    ForEachSubgraph(node,
                    [&](const onnx::GraphProto& body) { CollectDomains(body.node(), domains); });
  }
}

}  // namespace

int DropUnusedImports(PassContext& context) {
  onnx::ModelProto& proto = context.model.proto();
  std::unordered_set<std::string> used;
  CollectDomains(proto.graph().node(), &used);
  for (const onnx::FunctionProto& function : proto.functions()) {
    used.insert(function.domain());
    CollectDomains(function.node(), &used);
  }
  google::protobuf::RepeatedPtrField<onnx::OperatorSetIdProto> kept;
  for (onnx::OperatorSetIdProto& import : *proto.mutable_opset_import()) {
    const bool keeps = IsOnnxDomain(import.domain()) || used.contains(import.domain());
    if (keeps) kept.Add()->Swap(&import);
  }
  const int dropped = proto.opset_import_size() - kept.size();
  proto.mutable_opset_import()->Swap(&kept);
  return dropped;
}

}  // namespace ptq
