#include "repair/round_weights.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

#include "base/float16.h"
#include "model/tensor_builder.h"
#include "repair/layer_rows.h"
#include "repair/rounding_kernels.h"
#include "repair/weight_grid.h"

namespace ptq {
namespace {

constexpr float kDamping = 0.01f;  // of the mean of the diagonal: Frantar et al.

// What equalization or smoothing multiplied each input channel with since it was observed.
std::vector<float> FactorsOf(const ChannelStatistics& observed, const ChannelStatistics& now) {
  std::vector<float> factors(observed.lowest.size(), 1);
  for (size_t c = 0; c < factors.size(); ++c) {
    const float before = observed.highest[c] - observed.lowest[c];
    const float after = now.highest[c] - now.lowest[c];
    if (before > 0 && after > 0) factors[c] = after / before;
  }
  return factors;
}

bool AreSame(const QuantParams& a, const QuantParams& b) {
  return a.type == b.type && a.axis == b.axis && a.scales == b.scales &&
         a.zero_points == b.zero_points;
}

// One layer's weights, as they are and then as they are rounded.
class LayerRounding {
 public:
  LayerRounding(const SecondMoments::OfLayer& moments, const LinearLayer& layer,
                const WeightGrid& grid, std::span<const float> factors, std::vector<float> values)
      : moments_(moments),
        layer_(layer),
        grid_(grid),
        factors_(factors),
        columns_(LayerRows::Columns(layer)),
        values_(std::move(values)) {}

  std::vector<float> Run() {
    const auto groups = static_cast<size_t>(layer_.groups);
    const size_t outputs = static_cast<size_t>(layer_.outputs) / groups;
    for (size_t group = 0; group < groups; ++group) {
      const std::vector<size_t> order = OrderOf(group);
      const ErrorPropagation propagation(MatrixOf(group, order), columns_);
      for (size_t first = 0; first < outputs; first += kPanel) {
        RoundOutputs(group, order, propagation, group * outputs + first,
                     std::min(kPanel, outputs - first));
      }
    }
    return std::move(values_);
  }

 private:
  size_t InputOf(size_t group, size_t column) const {
    const size_t per_group = columns_ / static_cast<size_t>(layer_.kernel);
    return group * per_group + column / static_cast<size_t>(layer_.kernel);
  }

  float Moment(size_t group, size_t i, size_t j) const {
    return moments_.by_group[group].At(i, j) * factors_[InputOf(group, i)] *
           factors_[InputOf(group, j)];
  }

  // What matters most is rounded first, when all others can still make up for it: the last.
  std::vector<size_t> OrderOf(size_t group) const {
    std::vector<size_t> order(columns_);
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return std::pair(Moment(group, a, a), a) < std::pair(Moment(group, b, b), b);
    });
    return order;
  }

  // In that order, over the mean of its diagonal.
  std::vector<float> MatrixOf(size_t group, const std::vector<size_t>& order) const {
    double sum = 0;
    for (size_t i = 0; i < columns_; ++i) sum += Moment(group, i, i);
    const double mean = sum / static_cast<double>(columns_);
    const float factor = mean > 0 ? static_cast<float>(1 / mean) : 0;
    std::vector<float> matrix(columns_ * columns_);
    for (size_t i = 0; i < columns_; ++i) {
      float* const row = matrix.data() + i * columns_;
      for (size_t j = 0; j <= i; ++j) row[j] = Moment(group, order[i], order[j]) * factor;
      row[i] += kDamping;
    }
    return matrix;
  }

  size_t ElementOf(size_t output, size_t column) const {
    return layer_.inputs_first ? column * static_cast<size_t>(layer_.outputs) + output
                               : output * columns_ + column;
  }

  void RoundOutputs(size_t group, const std::vector<size_t>& order,
                    const ErrorPropagation& propagation, size_t first, size_t count) {
    weights_.assign(columns_ * kPanel, 0);
    scales_.assign(columns_ * kPanel, 1);
    zero_points_.assign(columns_ * kPanel, 0);
    for (size_t i = 0; i < columns_; ++i) {
      for (size_t o = 0; o < count; ++o) {
        const LinearLayer::Place place{first + o, InputOf(group, order[i])};
        weights_[i * kPanel + o] = values_[ElementOf(first + o, order[i])];
        scales_[i * kPanel + o] = grid_.scale(place);
        zero_points_[i * kPanel + o] = grid_.zero_point(place);
      }
    }
    RoundPanel(propagation, scales_, zero_points_, grid_.range(), weights_);
    for (size_t i = 0; i < columns_; ++i) {
      for (size_t o = 0; o < count; ++o) {
        values_[ElementOf(first + o, order[i])] = weights_[i * kPanel + o];
      }
    }
  }

  const SecondMoments::OfLayer& moments_;
  const LinearLayer& layer_;
  const WeightGrid& grid_;
  std::span<const float> factors_;
  size_t columns_;
  std::vector<float> values_;
  // Of a panel.
  std::vector<float> weights_;
  std::vector<float> scales_;
  std::vector<float> zero_points_;
};

std::vector<uint8_t> StepsOf(const std::vector<float>& values, const LinearLayer& layer,
                             const WeightGrid& grid) {
  std::vector<uint8_t> steps(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const LinearLayer::Place place = layer.PlaceOf(i);
    const float q = std::nearbyint(values[i] / grid.scale(place)) + grid.zero_point(place);
    steps[i] = static_cast<uint8_t>(static_cast<int64_t>(q) - grid.range().min);
  }
  return steps;
}

std::vector<float> ValuesOf(const std::vector<uint8_t>& steps, const LinearLayer& layer,
                            const WeightGrid& grid) {
  std::vector<float> values(steps.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const LinearLayer::Place place = layer.PlaceOf(i);
    const auto q = static_cast<float>(steps[i] + grid.range().min);
    values[i] = (q - grid.zero_point(place)) * grid.scale(place);
  }
  return values;
}

// A tensor like `weight`, with these values.
onnx::TensorProto Stored(const onnx::TensorProto& weight, const std::vector<float>& values,
                         TensorStore* tensors) {
  onnx::TensorProto stored =
      EmptyTensor(weight.name(), weight.data_type(),
                  std::vector<int64_t>(weight.dims().begin(), weight.dims().end()));
  if (weight.data_type() == onnx::TensorProto::FLOAT) {
    tensors->SetBytes(
        &stored, {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)});
    return stored;
  }
  std::vector<uint16_t> halves(values.size());
  std::transform(values.begin(), values.end(), halves.begin(), FloatToHalf);
  tensors->SetBytes(
      &stored, {reinterpret_cast<const uint8_t*>(halves.data()), halves.size() * sizeof(uint16_t)});
  return stored;
}

}  // namespace

RoundedWeights WeightRounder::Round(const QuantPlan& plan, const TensorStatistics& statistics,
                                    Model* model) {
  RoundedWeights rounded;
  const GraphView view(model->graph());
  for (const LinearLayer& layer : FindLinearLayers(view)) {
    const onnx::NodeProto& node = view.node(layer.node);
    const SecondMoments::OfLayer* moments = moments_->Find(node.input(1));
    const TensorPlan* planned = QuantizedWeight(plan, view, layer);
    const auto now = statistics.find(node.input(0));
    if (moments == nullptr || planned == nullptr || now == statistics.end()) continue;
    // A type of 16 bits has no rounding to speak of.
    if (planned->convert || !planned->shares_with.empty() || Bits(planned->params.type) > 8) {
      continue;
    }
    const std::optional<WeightGrid> grid = WeightGrid::Of(layer, planned->params);
    if (!grid) continue;
    const std::vector<float> factors = FactorsOf(moments->observed, now->second);
    const std::string weight = layer.weight->SerializeAsString();
    Done& done = done_[layer.weight->name()];
    const bool is_done =
        done.weight == weight && AreSame(done.params, planned->params) && done.factors == factors;
    if (!is_done) {
      LayerRounding rounding(*moments, layer, *grid, factors,
                             model->tensors().ReadFloats(*layer.weight));
      done = {weight, planned->params, factors, StepsOf(rounding.Run(), layer, *grid)};
    }
    const std::vector<float> values = ValuesOf(done.steps, layer, *grid);
    rounded[layer.weight->name()] = Stored(*layer.weight, values, &model->tensors());
  }
  return rounded;
}

}  // namespace ptq
