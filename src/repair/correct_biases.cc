#include "repair/correct_biases.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "model/attributes.h"
#include "repair/layer_biases.h"
#include "repair/linear_layers.h"
#include "repair/visit_weights.h"
#include "repair/weight_grid.h"

namespace ptq {
namespace {

// By how much the mean of each output falls when the weight is rounded; nullopt where that is not
// known.
std::optional<std::vector<double>> MeanErrors(const TensorStore& tensors, const LinearLayer& layer,
                                              const QuantParams& params,
                                              const onnx::TensorProto* rounded,
                                              const std::vector<double>& mean) {
  const std::optional<WeightGrid> grid = WeightGrid::Of(layer, params);
  if (!grid) return std::nullopt;
  std::vector<double> errors(static_cast<size_t>(layer.outputs));
  const auto add = [&](double error, LinearLayer::Place place) {
    errors[place.output] += error * mean[place.input];
  };
  if (rounded == nullptr) {
    VisitWeights(tensors, layer, [&](float weight, LinearLayer::Place place) {
      add(static_cast<double>(weight) - grid->Rounded(weight, place), place);
    });
    return errors;
  }
  const std::vector<float> values = tensors.ReadFloats(*rounded);
  size_t element = 0;
  VisitWeights(tensors, layer, [&](float weight, LinearLayer::Place place) {
    add(static_cast<double>(weight) - values[element++], place);
  });
  return errors;
}

}  // namespace

int CorrectBiases(const QuantPlan& plan, const TensorStatistics& statistics,
                  const RoundedWeights& rounded, Model* model) {
  const GraphView view(model->graph());
  LayerBiases biases(view, model);
  int corrected = 0;
  for (const LinearLayer& layer : FindLinearLayers(view)) {
    const onnx::NodeProto& node = view.node(layer.node);
    const TensorPlan* weight = QuantizedWeight(plan, view, layer);
    const auto observed = statistics.find(node.input(0));
    if (!layer.is_observed || observed == statistics.end() || weight == nullptr) continue;
    if (!biases.CanAdd(layer)) continue;
    const auto values = rounded.find(node.input(1));
    std::optional<std::vector<double>> errors =
        MeanErrors(model->tensors(), layer, weight->ParamsFor(node.name()),
                   values == rounded.end() ? nullptr : &values->second, observed->second.mean);
    if (!errors) continue;
    const double alpha = FloatAttribute(node, "alpha", 1);
    for (double& error : *errors) error *= alpha;
    const bool any = std::any_of(errors->begin(), errors->end(), [](double e) { return e != 0; });
    if (any && biases.Change(layer, {}, *errors)) ++corrected;
  }
  biases.Apply();
  return corrected;
}

}  // namespace ptq
