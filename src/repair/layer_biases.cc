#include "repair/layer_biases.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_map>

#include "model/attributes.h"
#include "model/node_queries.h"
#include "model/tensor_builder.h"

namespace ptq {
namespace {

// A vector along the last axis, one value an output.
bool IsBiasOf(const onnx::TensorProto* tensor, const LinearLayer& layer) {
  if (tensor == nullptr || tensor->dims_size() == 0) return false;
  if (tensor->data_type() != layer.weight->data_type()) return false;
  for (int d = 0; d + 1 < tensor->dims_size(); ++d) {
    if (tensor->dims(d) != 1) return false;
  }
  return tensor->dims(tensor->dims_size() - 1) == layer.outputs;
}

}  // namespace

LayerBiases::LayerBiases(const GraphView& view, Model* model)
    : view_(view), model_(*model), names_(model->graph()) {}

bool LayerBiases::CanAdd(const LinearLayer& layer) const { return Find(layer).has_value(); }

std::optional<LayerBiases::Bias> LayerBiases::Find(const LinearLayer& layer) const {
  const onnx::NodeProto& node = view_.node(layer.node);
  Bias bias;
  bias.node = layer.node;
  if (!IsOp(node, "MatMul")) {
    bias.factor = FloatAttribute(node, "beta", 1);
    if (bias.factor == 0) return std::nullopt;
    if (!HasInput(node, 2)) return bias;
  } else {
    const std::vector<Use>& uses = view_.Uses(node.output(0));
    if (uses.size() != 1 || uses[0].input < 0 || view_.IsGraphOutput(node.output(0))) {
      return std::nullopt;
    }
    const onnx::NodeProto& add = view_.node(uses[0].node);
    if (!IsOp(add, "Add")) return std::nullopt;
    bias.node = uses[0].node;
    bias.input = 1 - uses[0].input;
  }
  const std::string& name = view_.node(bias.node).input(bias.input);
  bias.values = view_.Initializer(name);
  if (view_.IsGraphInput(name) || !IsBiasOf(bias.values, layer)) return std::nullopt;
  return bias;
}

bool LayerBiases::Change(const LinearLayer& layer, std::span<const float> scale,
                         std::span<const double> added) {
  const std::optional<Bias> bias = Find(layer);
  if (!bias) return false;
  const bool any = std::any_of(added.begin(), added.end(), [](double value) { return value != 0; });
  if (bias->values == nullptr && !any) return true;
  std::vector<float> values(static_cast<size_t>(layer.outputs));
  std::vector<int64_t> dims = {layer.outputs};
  std::string name = view_.node(layer.node).output(0) + "_bias";
  if (bias->values != nullptr) {
    values = model_.tensors().ReadFloats(*bias->values);
    dims.assign(bias->values->dims().begin(), bias->values->dims().end());
    name = bias->values->name();
  }
  for (size_t o = 0; o < values.size(); ++o) {
    const double scaled = static_cast<double>(values[o]) * (scale.empty() ? 1.0 : scale[o]);
    values[o] = static_cast<float>(scaled + added[o] / bias->factor);
    if (!std::isfinite(values[o])) return false;
  }
  edits_.push_back({*bias, RealTensor(name, layer.weight->data_type(), dims, values)});
  return true;
}

void LayerBiases::Apply() {
  onnx::GraphProto& graph = model_.graph();
  std::unordered_map<std::string, int> places;
  for (int i = 0; i < graph.initializer_size(); ++i) places[graph.initializer(i).name()] = i;
  // What is replaced in place is read by the view until the end.
  std::vector<std::pair<int, onnx::TensorProto>> replaced;
  for (Edit& edit : edits_) {
    const bool own = edit.bias.values != nullptr && view_.Uses(edit.values.name()).size() == 1 &&
                     !view_.IsGraphOutput(edit.values.name());
    if (own) {
      replaced.emplace_back(places.at(edit.values.name()), std::move(edit.values));
      continue;
    }
    edit.values.set_name(names_.Make(edit.values.name()));
    onnx::NodeProto* node = graph.mutable_node(edit.bias.node);
    while (node->input_size() <= edit.bias.input) node->add_input("");
    node->set_input(edit.bias.input, edit.values.name());
    *graph.add_initializer() = std::move(edit.values);
  }
  for (auto& [place, values] : replaced) *graph.mutable_initializer(place) = std::move(values);
  edits_.clear();
}

}  // namespace ptq
