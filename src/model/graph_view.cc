#include "model/graph_view.h"

#include "model/subgraphs.h"

namespace ptq {

GraphView::GraphView(const onnx::GraphProto& graph) : graph_(&graph) {
  for (const onnx::ValueInfoProto& info : graph.value_info()) value_infos_[info.name()] = &info;
  for (const onnx::ValueInfoProto& input : graph.input()) {
    inputs_.insert(input.name());
    value_infos_[input.name()] = &input;
  }
  for (const onnx::ValueInfoProto& output : graph.output()) {
    outputs_.insert(output.name());
    value_infos_[output.name()] = &output;
  }
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    initializers_[tensor.name()] = &tensor;
  }
  for (int i = 0; i < graph.node_size(); ++i) {
    const onnx::NodeProto& node = graph.node(i);
    for (const std::string& output : node.output()) {
      if (!output.empty()) producer_.emplace(output, i);
    }
    for (int k = 0; k < node.input_size(); ++k) {
      if (!node.input(k).empty()) uses_[node.input(k)].push_back({i, k});
    }
    for (const std::string_view name : CapturedNames(node)) uses_[name].push_back({i, -1});
  }
}

int GraphView::Producer(std::string_view tensor) const {
  const auto found = producer_.find(tensor);
  return found == producer_.end() ? -1 : found->second;
}

const std::vector<Use>& GraphView::Uses(std::string_view tensor) const {
  static const std::vector<Use>* const none = new std::vector<Use>();
  const auto found = uses_.find(tensor);
  return found == uses_.end() ? *none : found->second;
}

bool GraphView::IsGraphInput(std::string_view tensor) const { return inputs_.contains(tensor); }

bool GraphView::IsGraphOutput(std::string_view tensor) const { return outputs_.contains(tensor); }

const onnx::TensorProto* GraphView::Initializer(std::string_view tensor) const {
  const auto found = initializers_.find(tensor);
  return found == initializers_.end() ? nullptr : found->second;
}

const onnx::ValueInfoProto* GraphView::ValueInfo(std::string_view tensor) const {
  const auto found = value_infos_.find(tensor);
  return found == value_infos_.end() ? nullptr : found->second;
}

int32_t GraphView::ElementType(std::string_view tensor) const {
  if (const onnx::TensorProto* initializer = Initializer(tensor)) return initializer->data_type();
  const onnx::ValueInfoProto* info = ValueInfo(tensor);
  return info == nullptr ? 0 : info->type().tensor_type().elem_type();
}

}  // namespace ptq
