#include "model/graph_view.h"

#include <algorithm>

#include "model/subgraphs.h"

namespace ptq {

GraphView::GraphView(const onnx::GraphProto& graph, Bodies bodies) { AddGraph(graph, bodies); }

void GraphView::AddGraph(const onnx::GraphProto& graph, Bodies bodies) {
  const int number = graph_count();
  graphs_.push_back(&graph);
  const auto define = [&](const std::string& tensor) {
    if (number > 0) owner_.emplace(tensor, number);
  };
  for (const onnx::ValueInfoProto& info : graph.value_info()) value_infos_[info.name()] = &info;
  for (const onnx::ValueInfoProto& input : graph.input()) {
    inputs_.insert(input.name());
    value_infos_[input.name()] = &input;
    define(input.name());
  }
  for (const onnx::ValueInfoProto& output : graph.output()) {
    outputs_.insert(output.name());
    // A body may pass an outer tensor on, under a type that says less.
    if (number == 0 || !value_infos_.contains(output.name())) value_infos_[output.name()] = &output;
  }
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    initializers_[tensor.name()] = &tensor;
    define(tensor.name());
  }
  for (const onnx::NodeProto& node : graph.node()) {
    const bool inside = bodies == Bodies::kInside && HoldsBodies(node);
    if (inside) {
      ForEachSubgraph(node, [&](const onnx::GraphProto& body) { AddGraph(body, bodies); });
    }
    const int index = node_count();
    nodes_.push_back(&node);
    graph_of_.push_back(number);
    for (const std::string& output : node.output()) {
      if (output.empty()) continue;
      producer_.emplace(output, index);
      define(output);
    }
    for (int k = 0; k < node.input_size(); ++k) {
      if (!node.input(k).empty()) uses_[node.input(k)].push_back({index, k});
    }
    if (inside) continue;
    for (const std::string_view name : CapturedNames(node)) uses_[name].push_back({index, -1});
  }
}

int GraphView::Owner(std::string_view tensor) const {
  const auto found = owner_.find(tensor);
  return found == owner_.end() ? 0 : found->second;
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

std::vector<std::string> GraphView::TensorNames() const {
  std::vector<std::string> names(inputs_.begin(), inputs_.end());
  for (const auto& [name, initializer] : initializers_) names.emplace_back(name);
  for (const auto& [name, producer] : producer_) names.emplace_back(name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace ptq
