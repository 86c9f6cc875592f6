#include "repair/correct_biases.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "model/attributes.h"
#include "repair/layer_biases.h"
#include "repair/linear_layers.h"
#include "repair/mean_error_kernels.h"
#include "repair/weight_grid.h"

namespace ptq {
namespace {

// The weight as a matrix: a row for each output or, where inputs come first, for each input.
class MeanErrors {
 public:
  // `mean`: of each input channel. `params` are such that WeightGrid takes them.
  MeanErrors(const LinearLayer& layer, const QuantParams& params, const std::vector<double>& mean)
      : layer_(layer),
        params_(params),
        mean_(mean),
        columns_(
            static_cast<size_t>(layer.inputs_first ? layer.outputs : layer.inputs / layer.groups) *
            layer.kernel),
        by_row_(params.axis.value_or(0) == 0),
        errors_(static_cast<size_t>(layer.outputs)) {
    if (by_row_) return;
    for (size_t c = 0; c < columns_; ++c) {
      scales_.push_back(params.scales[c / layer.kernel]);
      zero_points_.push_back(static_cast<float>(params.zero_points[c / layer.kernel]));
    }
  }

  // By how much the mean of each output falls when the weight is rounded: to the nearest values, or
  // to those of `rounded`.
  std::vector<double> Sum(const TensorStore& tensors, const onnx::TensorProto* rounded) {
    const std::vector<float> given =
        rounded == nullptr ? std::vector<float>() : tensors.ReadFloats(*rounded);
    std::vector<float> nearest(given.empty() ? columns_ : 0);
    tensors.VisitFloats(*layer_.weight, [&](uint64_t first, std::span<const float> window) {
      for (size_t done = 0; done < window.size();) {
        const uint64_t element = first + done;
        const auto row = static_cast<size_t>(element / columns_);
        const auto column = static_cast<size_t>(element % columns_);
        const size_t length = std::min(columns_ - column, window.size() - done);
        const std::span<const float> weights = window.subspan(done, length);
        std::span<const float> values;
        if (given.empty()) {
          const std::span<float> to = std::span(nearest).first(length);
          Round(weights, row, column, to);
          values = to;
        } else {
          values = std::span(given).subspan(static_cast<size_t>(element), length);
        }
        Add(weights, values, row, column);
        done += length;
      }
    });
    return std::move(errors_);
  }

 private:
  void Round(std::span<const float> weights, size_t row, size_t column, std::span<float> to) const {
    const IntegerRange range = FullRange(params_.type);
    if (by_row_) {
      const size_t parameter = params_.axis ? row : 0;
      const auto zero_point = static_cast<float>(params_.zero_points[parameter]);
      RoundToNearest(weights, params_.scales[parameter], zero_point, range, to);
      return;
    }
    RoundToNearest(weights, std::span(scales_).subspan(column, to.size()),
                   std::span(zero_points_).subspan(column, to.size()), range, to);
  }

  void Add(std::span<const float> weights, std::span<const float> values, size_t row,
           size_t column) {
    if (layer_.inputs_first) {
      AddErrors(weights, values, mean_[row], std::span(errors_).subspan(column, weights.size()));
      return;
    }
    const size_t input = layer_.PlaceOf(row * columns_).input;
    if (means_.empty() || input != first_input_) {
      first_input_ = input;
      means_.clear();
      for (size_t c = 0; c < columns_; ++c) means_.push_back(mean_[input + c / layer_.kernel]);
    }
    const std::span<const double> means = std::span(means_).subspan(column, weights.size());
    errors_[row] = AddErrors(weights, values, means, errors_[row]);
  }

  const LinearLayer& layer_;
  const QuantParams& params_;
  const std::vector<double>& mean_;
  size_t columns_;
  bool by_row_;                     // parameters are; else by column
  std::vector<float> scales_;       // by column
  std::vector<float> zero_points_;  // by column
  std::vector<double> errors_;
  std::vector<double> means_;  // by column, of the inputs of a group from this one on
  size_t first_input_ = 0;
};

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
    const QuantParams& params = weight->ParamsFor(node.name());
    if (!biases.CanAdd(layer) || !WeightGrid::Of(layer, params)) continue;
    const auto values = rounded.find(node.input(1));
    std::vector<double> errors =
        MeanErrors(layer, params, observed->second.mean)
            .Sum(model->tensors(), values == rounded.end() ? nullptr : &values->second);
    const double alpha = FloatAttribute(node, "alpha", 1);
    for (double& error : errors) error *= alpha;
    const bool any = std::any_of(errors.begin(), errors.end(), [](double e) { return e != 0; });
    if (any && biases.Change(layer, {}, errors)) ++corrected;
  }
  biases.Apply();
  return corrected;
}

}  // namespace ptq
