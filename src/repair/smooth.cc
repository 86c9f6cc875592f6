#include "repair/smooth.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/node_builder.h"
#include "model/node_queries.h"
#include "model/tensor_builder.h"
#include "quantization/plan_context.h"
#include "repair/linear_layers.h"
#include "repair/scale_weights.h"
#include "repair/visit_weights.h"

namespace ptq {
namespace {

constexpr double kMost = 14;  // of the logarithm of a scale: a factor of a million

// One tensor and the layers that read it.
struct Input {
  std::string tensor;
  std::vector<size_t> layers;
};

class Smoother {
 public:
  Smoother(const StaticQuantConfig& config, double alpha, Model* model, TensorRanges* ranges,
           TensorStatistics* statistics)
      : config_(config),
        alpha_(alpha),
        model_(*model),
        ranges_(*ranges),
        statistics_(*statistics),
        context_(*model, config, *ranges),
        layers_(FindLinearLayers(context_.view())),
        names_(model->graph()) {}

  int Run() {
    std::vector<Input> inputs;
    std::unordered_map<std::string, size_t> places;
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (!MaySmooth(layers_[i])) continue;
      const std::string& tensor = context_.node(layers_[i].node).input(0);
      const auto [place, is_new] = places.emplace(tensor, inputs.size());
      if (is_new) inputs.push_back({tensor, {}});
      inputs[place->second].layers.push_back(i);
    }
    for (const Input& input : inputs) Smooth(input);
    Apply();
    return static_cast<int>(inputs.size());
  }

 private:
  bool MaySmooth(const LinearLayer& layer) const {
    const onnx::NodeProto& node = context_.node(layer.node);
    const auto seen = statistics_.find(node.input(0));
    return !IsOp(node, "Conv") && layer.is_observed && seen != statistics_.end() &&
           seen->second.mean.size() == static_cast<size_t>(layer.inputs) &&
           layer.weight->data_type() == onnx::TensorProto::FLOAT &&
           context_.view().ElementType(node.input(0)) == onnx::TensorProto::FLOAT &&
           context_.view().Uses(node.input(1)).size() == 1 &&
           !context_.view().IsGraphOutput(node.input(1)) && context_.ReasonToSkip(node).empty() &&
           config_.Override(node.input(0)) == nullptr && config_.Override(node.input(1)) == nullptr;
  }

  // The largest magnitude of each row of all weights that read the tensor.
  std::vector<float> RowsOf(const Input& input) const {
    std::vector<float> rows(static_cast<size_t>(layers_[input.layers[0]].inputs));
    for (const size_t layer : input.layers) {
      VisitWeights(model_.tensors(), layers_[layer], [&](float value, LinearLayer::Place place) {
        rows[place.input] = std::max(rows[place.input], std::fabs(value));
      });
    }
    return rows;
  }

  // Their geometric mean is 1. A channel that is 0 in either stays as it is.
  std::vector<float> ScalesOf(const ChannelStatistics& seen, const std::vector<float>& rows) const {
    std::vector<double> logs(rows.size());
    double sum = 0;
    double count = 0;
    std::vector<bool> known(rows.size());
    for (size_t c = 0; c < rows.size(); ++c) {
      const float reach = std::max(std::fabs(seen.lowest[c]), std::fabs(seen.highest[c]));
      known[c] = reach > 0 && rows[c] > 0;
      if (!known[c]) continue;
      logs[c] = alpha_ * std::log(reach) - (1 - alpha_) * std::log(rows[c]);
      sum += logs[c];
      ++count;
    }
    std::vector<float> scales(rows.size(), 1);
    for (size_t c = 0; c < rows.size(); ++c) {
      if (!known[c]) continue;
      scales[c] = static_cast<float>(std::exp(std::clamp(logs[c] - sum / count, -kMost, kMost)));
    }
    return scales;
  }

  void Smooth(const Input& input) {
    const ChannelStatistics& seen = statistics_.at(input.tensor);
    const std::vector<float> scales = ScalesOf(seen, RowsOf(input));
    ChannelStatistics smooth = seen;
    std::vector<float> inverse(scales.size());
    for (size_t c = 0; c < scales.size(); ++c) {
      inverse[c] = 1 / scales[c];
      smooth.lowest[c] *= inverse[c];
      smooth.highest[c] *= inverse[c];
      smooth.mean[c] *= inverse[c];
    }
    TensorRange range{*std::min_element(smooth.lowest.begin(), smooth.lowest.end()),
                      *std::max_element(smooth.highest.begin(), smooth.highest.end())};
    if (config_.RangeSymmetric()) {
      range.highest = std::max(std::fabs(range.lowest), std::fabs(range.highest));
      range.lowest = -range.highest;
    }
    const std::string output = names_.Make(input.tensor + "_smooth");
    const std::string factors = names_.Make(input.tensor + "_smoothing");
    const std::vector<int64_t> dims = {static_cast<int64_t>(inverse.size())};
    added_.push_back(FloatTensor(factors, dims, inverse));
    int first = layers_[input.layers[0]].node;
    for (const size_t layer : input.layers) {
      first = std::min(first, layers_[layer].node);
      ChannelFactors of_layer(layers_[layer]);
      of_layer.in = scales;
      weights_.emplace(layers_[layer].weight->name(),
                       ScaledWeight(layers_[layer], of_layer, &model_.tensors()));
      reads_.emplace(layers_[layer].node, output);
    }
    onnx::ValueInfoProto info = *context_.view().ValueInfo(input.tensor);
    info.set_name(output);
    infos_.push_back(std::move(info));
    nodes_.emplace(first, MakeNode("Mul", {input.tensor, factors}, {output},
                                   names_.Make(input.tensor + "_Smooth")));
    smoothed_.emplace_back(output, std::move(smooth));
    ranges_[output] = range;
  }

  void Apply() {
    onnx::GraphProto& graph = model_.graph();
    google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;
    for (int i = 0; i < graph.node_size(); ++i) {
      const auto [begin, end] = nodes_.equal_range(i);
      for (auto node = begin; node != end; ++node) *nodes.Add() = std::move(node->second);
      onnx::NodeProto* node = nodes.Add();
      node->Swap(graph.mutable_node(i));
      const auto read = reads_.find(i);
      if (read != reads_.end()) node->set_input(0, read->second);
    }
    graph.mutable_node()->Swap(&nodes);
    for (onnx::TensorProto& initializer : *graph.mutable_initializer()) {
      const auto weight = weights_.find(initializer.name());
      if (weight != weights_.end()) initializer = std::move(weight->second);
    }
    for (onnx::TensorProto& tensor : added_) *graph.add_initializer() = std::move(tensor);
    for (onnx::ValueInfoProto& info : infos_) *graph.add_value_info() = std::move(info);
    for (auto& [tensor, seen] : smoothed_) statistics_[tensor] = std::move(seen);
  }

  const StaticQuantConfig& config_;
  double alpha_;
  Model& model_;
  TensorRanges& ranges_;
  TensorStatistics& statistics_;
  PlanContext context_;
  std::vector<LinearLayer> layers_;
  UniqueNames names_;
  // What Apply() changes.
  std::vector<onnx::TensorProto> added_;
  std::vector<onnx::ValueInfoProto> infos_;
  std::unordered_map<std::string, onnx::TensorProto> weights_;
  std::multimap<int, onnx::NodeProto> nodes_;  // by the node that each stands before
  std::unordered_map<int, std::string> reads_;
  std::vector<std::pair<std::string, ChannelStatistics>> smoothed_;
};

}  // namespace

int SmoothInputs(const StaticQuantConfig& config, double alpha, Model* model, TensorRanges* ranges,
                 TensorStatistics* statistics) {
  const bool plain_ranges =
      config.calibrate_method == CalibrationMethod::kMinMax && !config.calib_moving_average;
  if (!plain_ranges || config.block_size > 0) return 0;
  return Smoother(config, alpha, model, ranges, statistics).Run();
}

}  // namespace ptq
