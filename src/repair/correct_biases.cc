#include "repair/correct_biases.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "model/attributes.h"
#include "repair/layer_biases.h"
#include "repair/linear_layers.h"
#include "repair/visit_weights.h"

namespace ptq {
namespace {

// As QuantizeLinear and DequantizeLinear compute it.
class Rounding {
 public:
  explicit Rounding(const QuantParams& params) : params_(params), clip_(FullRange(params.type)) {}

  float operator()(float value, size_t parameter) const {
    const float scale = params_.scales[parameter];
    const auto zero = static_cast<float>(params_.zero_points[parameter]);
    const float q = std::clamp(std::nearbyint(value / scale) + zero, static_cast<float>(clip_.min),
                               static_cast<float>(clip_.max));
    return (q - zero) * scale;
  }

 private:
  const QuantParams& params_;
  IntegerRange clip_;
};

enum class ParameterAxis { kNone, kOutput, kInput };

// nullopt: along an axis that is neither, or in blocks.
std::optional<ParameterAxis> AxisOf(const LinearLayer& layer, const QuantParams& params) {
  if (params.blocked() || IsFloat8(params.type)) return std::nullopt;
  if (!params.axis) return ParameterAxis::kNone;
  const int64_t output = layer.inputs_first ? 1 : 0;
  if (*params.axis == output) return ParameterAxis::kOutput;
  if (*params.axis == 1 - output && layer.groups == 1) return ParameterAxis::kInput;
  return std::nullopt;
}

// By how much the mean of each output falls when the weight is rounded; nullopt where that is not
// known.
std::optional<std::vector<double>> MeanErrors(const TensorStore& tensors, const LinearLayer& layer,
                                              const QuantParams& params,
                                              const std::vector<double>& mean) {
  const std::optional<ParameterAxis> axis = AxisOf(layer, params);
  if (!axis) return std::nullopt;
  const Rounding rounded(params);
  std::vector<double> errors(static_cast<size_t>(layer.outputs));
  VisitWeights(tensors, layer, [&](float weight, LinearLayer::Place place) {
    size_t parameter = 0;
    if (*axis == ParameterAxis::kOutput) parameter = place.output;
    if (*axis == ParameterAxis::kInput) parameter = place.input;
    const double error = static_cast<double>(weight) - rounded(weight, parameter);
    errors[place.output] += error * mean[place.input];
  });
  return errors;
}

}  // namespace

int CorrectBiases(const QuantPlan& plan, const TensorStatistics& statistics, Model* model) {
  const GraphView view(model->graph());
  LayerBiases biases(view, model);
  int corrected = 0;
  for (const LinearLayer& layer : FindLinearLayers(view)) {
    const onnx::NodeProto& node = view.node(layer.node);
    const TensorPlan* weight = plan.Find(node.input(1));
    const auto observed = statistics.find(node.input(0));
    if (!layer.is_observed || observed == statistics.end() || weight == nullptr) continue;
    const bool rounded = weight->role == TensorRole::kInitializer &&
                         plan.nodes[static_cast<size_t>(layer.node)].action != NodeAction::kFloat;
    if (!rounded || !biases.CanAdd(layer)) continue;
    std::optional<std::vector<double>> errors =
        MeanErrors(model->tensors(), layer, weight->ParamsFor(node.name()), observed->second.mean);
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
