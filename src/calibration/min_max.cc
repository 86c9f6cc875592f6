#include "calibration/min_max.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace ptq {

MinMaxCollector::MinMaxCollector(std::vector<std::string> tensors) : tensors_(std::move(tensors)) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  ranges_.assign(tensors_.size(), {kInfinity, -kInfinity});
}

void MinMaxCollector::Observe(std::span<const float> values) {
  if (values.size() != 2 * tensors_.size()) {
    throw Error(ErrorCode::kInvalidData, "Expected " + std::to_string(2 * tensors_.size()) +
                                             " range ends for a sample but received " +
                                             std::to_string(values.size()) + ".");
  }
  for (size_t i = 0; i < tensors_.size(); ++i) {
    // Comparisons that a NaN never wins.
    if (values[2 * i] < ranges_[i].lowest) ranges_[i].lowest = values[2 * i];
    if (values[2 * i + 1] > ranges_[i].highest) ranges_[i].highest = values[2 * i + 1];
  }
  ++samples_;
}

TensorRanges MinMaxCollector::Ranges(bool symmetric) const {
  if (samples_ == 0) {
    throw Error(ErrorCode::kNothingToQuantize, "No calibration sample was observed.")
        .WithHint(
            "Give a calibration data reader with at least one sample, or a calibration cache.");
  }
  TensorRanges ranges;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    TensorRange range = ranges_[i];
    if (symmetric && !range.is_empty()) {
      range.highest = std::max(std::abs(range.lowest), std::abs(range.highest));
      range.lowest = -range.highest;
    }
    ranges.emplace(tensors_[i], range);
  }
  return ranges;
}

}  // namespace ptq
