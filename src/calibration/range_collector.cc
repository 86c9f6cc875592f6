#include "calibration/range_collector.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "calibration/range_json.h"

namespace ptq {
namespace {

using nlohmann::json;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

RangeCollector::RangeCollector(size_t tensors, const StaticQuantConfig& config)
    : numbers_(NumbersPerTensor(config.bodies())),
      symmetric_(config.calibrate_method == CalibrationMethod::kMinMax && config.RangeSymmetric()),
      moving_average_(config.calib_moving_average),
      averaging_constant_(static_cast<float>(config.calib_moving_average_constant)),
      samples_per_stride_(static_cast<size_t>(config.calib_strided_min_max)),
      ranges_(tensors, TensorRange{kInfinity, -kInfinity}),
      strides_(tensors),
      nan_samples_(tensors) {}

void RangeCollector::Observe(std::span<const float> values) {
  if (values.size() != numbers_ * ranges_.size()) {
    throw Error(ErrorCode::kInvalidData,
                Text("Expected ") + std::to_string(numbers_ * ranges_.size()) +
                    " numbers for a sample but received " + std::to_string(values.size()) + ".");
  }
  ++samples_;
  const bool stride_ends = samples_per_stride_ > 0 && samples_ % samples_per_stride_ == 0;
  for (size_t i = 0; i < ranges_.size(); ++i) {
    const float* of_tensor = values.data() + numbers_ * i;
    const float lowest = of_tensor[0];
    const float highest = of_tensor[1];
    ObserveMinMax(i, lowest, highest);
    // Infinities of both signs make the sum NaN as well.
    const bool by_infinities = lowest == -kInfinity && highest == kInfinity;
    const bool sum_is_nan = numbers_ > 2 && std::isnan(of_tensor[2]) && !by_infinities;
    if (std::isnan(lowest) || std::isnan(highest) || sum_is_nan) ++nan_samples_[i];
    if (moving_average_ && stride_ends) {
      ranges_[i] = Merged(ranges_[i], strides_[i]);
      strides_[i] = {};
    }
  }
}

void RangeCollector::ObserveMinMax(size_t tensor, float lowest, float highest) {
  if (moving_average_) {
    if (!(lowest <= highest)) return;  // empty or NaN
    Stride& stride = strides_[tensor];
    stride.lowest_sum += lowest;
    stride.highest_sum += highest;
    ++stride.samples;
    return;
  }
  // Comparisons that a NaN never wins.
  TensorRange& range = ranges_[tensor];
  if (lowest < range.lowest) range.lowest = lowest;
  if (highest > range.highest) range.highest = highest;
}

// MinMaxCalibrater.merge_range: old + constant * (new - old).
TensorRange RangeCollector::Merged(TensorRange range, const Stride& stride) const {
  if (stride.samples == 0) return range;
  const TensorRange mean =
      Mirrored({stride.lowest_sum / stride.samples, stride.highest_sum / stride.samples});
  if (range.is_empty()) return mean;
  range.lowest += averaging_constant_ * (mean.lowest - range.lowest);
  range.highest += averaging_constant_ * (mean.highest - range.highest);
  return range;
}

TensorRange RangeCollector::Mirrored(TensorRange range) const {
  if (symmetric_ && !range.is_empty()) {
    range.highest = std::max(std::abs(range.lowest), std::abs(range.highest));
    range.lowest = -range.highest;
  }
  return range;
}

TensorRange RangeCollector::Range(size_t tensor) const {
  return Mirrored(Merged(ranges_[tensor], strides_[tensor]));
}

void RangeCollector::Add(const RangeCollector& other) {
  if (moving_average_) {
    throw Error(ErrorCode::kUnsupportedOption,
                "CalibMovingAverage depends on the order of the samples: shards cannot be merged.")
        .WithHint("Run all samples in one go, or leave CalibMovingAverage out.");
  }
  samples_ += other.samples_;
  for (size_t i = 0; i < ranges_.size(); ++i) {
    ranges_[i].lowest = std::min(ranges_[i].lowest, other.ranges_[i].lowest);
    ranges_[i].highest = std::max(ranges_[i].highest, other.ranges_[i].highest);
    nan_samples_[i] += other.nan_samples_[i];
  }
}

json RangeCollector::Save() const {
  json tensors = json::array();
  for (size_t i = 0; i < ranges_.size(); ++i) {
    // Infinities are no JSON: an empty range is null.
    json tensor = {{"nan_samples", nan_samples_[i]}};
    tensor["range"] = RangeToJson(ranges_[i]);
    const Stride& stride = strides_[i];
    if (moving_average_) {
      tensor["stride"] = {stride.lowest_sum, stride.highest_sum, stride.samples};
    }
    tensors.push_back(std::move(tensor));
  }
  return {{"samples", samples_}, {"tensors", std::move(tensors)}};
}

void RangeCollector::Restore(const json& state) {
  samples_ = CountFromJson(state.at("samples"));
  for (size_t i = 0; i < ranges_.size(); ++i) {
    const json& tensor = state.at("tensors").at(i);
    ranges_[i] = RangeFromJson(tensor.at("range"));
    nan_samples_[i] = CountFromJson(tensor.at("nan_samples"));
    if (!moving_average_) continue;
    const json& stride = tensor.at("stride");
    strides_[i] = {stride.at(0).get<float>(), stride.at(1).get<float>(), stride.at(2).get<float>()};
  }
}

}  // namespace ptq
