#include "repair/linear_layers.h"

#include <optional>

#include "model/attributes.h"
#include "model/node_queries.h"

namespace ptq {
namespace {

bool IsFloatWeight(const onnx::TensorProto* weight) {
  return weight != nullptr && (weight->data_type() == onnx::TensorProto::FLOAT ||
                               weight->data_type() == onnx::TensorProto::FLOAT16);
}

// 0 where it is unknown.
int64_t RankOf(const GraphView& view, const std::string& tensor) {
  const onnx::ValueInfoProto* value = view.ValueInfo(tensor);
  if (value == nullptr || !value->type().tensor_type().has_shape()) return 0;
  return value->type().tensor_type().shape().dim_size();
}

std::optional<LinearLayer> ConvLayer(const onnx::NodeProto& node, const onnx::TensorProto& weight) {
  if (weight.dims_size() < 3) return std::nullopt;
  LinearLayer layer;
  layer.weight = &weight;
  layer.outputs = weight.dims(0);
  layer.groups = IntAttribute(node, "group", 1);
  layer.inputs = weight.dims(1) * layer.groups;
  for (int d = 2; d < weight.dims_size(); ++d)
    layer.kernel *= static_cast<uint64_t>(weight.dims(d));
  layer.rank = weight.dims_size();
  const bool divides = layer.groups > 0 && layer.outputs % layer.groups == 0;
  if (!divides || layer.inputs == 0 || layer.outputs == 0 || layer.kernel == 0) return std::nullopt;
  return layer;
}

std::optional<LinearLayer> MatrixLayer(const GraphView& view, const onnx::NodeProto& node,
                                       const onnx::TensorProto& weight) {
  if (weight.dims_size() != 2) return std::nullopt;
  const bool gemm = IsOp(node, "Gemm");
  if (gemm && IntAttribute(node, "transA", 0) != 0) return std::nullopt;
  const bool transposed = gemm && IntAttribute(node, "transB", 0) != 0;
  LinearLayer layer;
  layer.weight = &weight;
  layer.outputs = weight.dims(transposed ? 0 : 1);
  layer.inputs = weight.dims(transposed ? 1 : 0);
  layer.inputs_first = !transposed;
  layer.rank = gemm ? 2 : RankOf(view, node.input(0));
  layer.axis = layer.rank - 1;
  if (layer.inputs == 0 || layer.outputs == 0) return std::nullopt;
  return layer;
}

}  // namespace

std::vector<LinearLayer> FindLinearLayers(const GraphView& view) {
  std::vector<LinearLayer> layers;
  std::unordered_map<std::string, int64_t> axes;  // along which a tensor is observed
  for (int i = 0; i < view.node_count(); ++i) {
    const onnx::NodeProto& node = view.node(i);
    const bool conv = IsOp(node, "Conv");
    if (!conv && !IsOp(node, "MatMul") && !IsOp(node, "Gemm")) continue;
    if (node.input_size() < 2 || node.output_size() == 0) continue;
    const std::string& input = node.input(0);
    const onnx::TensorProto* weight = view.Initializer(node.input(1));
    if (!IsFloatWeight(weight) || view.IsGraphInput(node.input(1))) continue;
    if (view.Initializer(input) != nullptr) continue;
    std::optional<LinearLayer> layer =
        conv ? ConvLayer(node, *weight) : MatrixLayer(view, node, *weight);
    if (!layer) continue;
    layer->node = i;
    layer->is_observed =
        layer->rank >= 2 && axes.emplace(input, layer->axis).first->second == layer->axis;
    layers.push_back(*layer);
  }
  return layers;
}

std::unordered_map<std::string, const LinearLayer*> ObservedInputs(
    const std::vector<LinearLayer>& layers, const GraphView& view) {
  std::unordered_map<std::string, const LinearLayer*> inputs;
  for (const LinearLayer& layer : layers) {
    if (layer.is_observed) inputs.emplace(view.node(layer.node).input(0), &layer);
  }
  return inputs;
}

}  // namespace ptq
