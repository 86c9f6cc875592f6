#include "calibration/range_collector.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace ptq {

RangeCollector::RangeCollector(std::vector<std::string> tensors, const StaticQuantConfig& config)
    : tensors_(std::move(tensors)),
      method_(config.calibrate_method),
      symmetric_(config.calib_tensor_range_symmetric ||
                 config.calibrate_method == CalibrationMethod::kDistribution),
      moving_average_(config.calib_moving_average),
      averaging_constant_(static_cast<float>(config.calib_moving_average_constant)),
      samples_per_stride_(static_cast<size_t>(config.calib_strided_min_max)),
      strides_(tensors_.size()),
      moments_(tensors_.size()) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  ranges_.assign(tensors_.size(), {kInfinity, -kInfinity});
}

void RangeCollector::Observe(std::span<const float> values) {
  const auto numbers = static_cast<size_t>(NumbersPerTensor(method_));
  if (values.size() != numbers * tensors_.size()) {
    throw Error(ErrorCode::kInvalidData, "Expected " + std::to_string(numbers * tensors_.size()) +
                                             " numbers for a sample but received " +
                                             std::to_string(values.size()) + ".");
  }
  ++samples_;
  const bool stride_ends = samples_per_stride_ > 0 && samples_ % samples_per_stride_ == 0;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const float* of_tensor = values.data() + numbers * i;
    ObserveMinMax(i, of_tensor[0], of_tensor[1]);
    if (moving_average_ && stride_ends) {
      ranges_[i] = Merged(ranges_[i], strides_[i]);
      strides_[i] = {};
    }
    if (method_ != CalibrationMethod::kDistribution) continue;
    const double count = of_tensor[2];
    const double mean = of_tensor[3];
    const double squares = of_tensor[4];
    if (count == 0 || !std::isfinite(mean) || !std::isfinite(squares)) continue;
    moments_[i].count += count;
    moments_[i].sum += count * mean;
    moments_[i].squares += count * squares;
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

TensorRanges RangeCollector::Ranges() const {
  if (samples_ == 0) {
    throw Error(ErrorCode::kNothingToQuantize, "No calibration sample was observed.")
        .WithHint(
            "Give a calibration data reader with at least one sample, or a calibration cache.");
  }
  TensorRanges ranges;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    TensorRange range = Mirrored(Merged(ranges_[i], strides_[i]));
    const Moments& moments = moments_[i];
    if (moments.count > 0) {
      const double mean = moments.sum / moments.count;
      const double variance = moments.squares / moments.count - mean * mean;
      range.mean = static_cast<float>(mean);
      range.deviation = static_cast<float>(std::sqrt(std::max(variance, 0.0)));
    }
    ranges.emplace(tensors_[i], range);
  }
  return ranges;
}

}  // namespace ptq
