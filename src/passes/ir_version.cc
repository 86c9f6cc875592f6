#include "passes/ir_version.h"

#include <string_view>
#include <unordered_set>
#include <utility>

#include "model/subgraphs.h"

namespace ptq {
namespace {

void DropInBodies(onnx::GraphProto* graph) {
  for (onnx::NodeProto& node : *graph->mutable_node()) {
    ForEachSubgraph(node, [](onnx::GraphProto& body) {
      DropRepeatedInputs(&body);
      DropInBodies(&body);
    });
  }
}

}  // namespace

int64_t IrVersionOfOpset(int64_t opset) {
  static constexpr struct {
    int64_t opset, ir;
  } kFirst[] = {{9, 4},   {10, 5},  {11, 6},  {12, 7},  {15, 8}, {19, 9},
                {21, 10}, {23, 11}, {24, 12}, {25, 13}, {28, 14}};
  int64_t ir = 3;
  for (const auto& row : kFirst) {
    if (opset >= row.opset) ir = row.ir;
  }
  return ir;
}

int DropRepeatedInputs(onnx::GraphProto* graph) {
  std::unordered_set<std::string_view> initializers;
  for (const onnx::TensorProto& tensor : graph->initializer()) initializers.insert(tensor.name());
  for (const onnx::SparseTensorProto& sparse : graph->sparse_initializer()) {
    initializers.insert(sparse.values().name());
  }
  const int before = graph->input_size();
  google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> kept;
  for (onnx::ValueInfoProto& input : *graph->mutable_input()) {
    if (!initializers.contains(input.name())) kept.Add(std::move(input));
  }
  graph->mutable_input()->Swap(&kept);
  return before - graph->input_size();
}

void RaiseIrVersion(Model& model, int64_t version) {
  const int64_t before = model.proto().ir_version();
  if (before >= version) return;
  model.proto().set_ir_version(version);
  if (before < 4 && version >= 4) DropInBodies(&model.graph());
}

}  // namespace ptq
