#include "repair/mean_error_kernels.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace ptq {
namespace {

float Rounded(float weight, float scale, float zero_point, float lowest, float highest) {
  const float q = std::clamp(std::nearbyint(weight / scale) + zero_point, lowest, highest);
  return (q - zero_point) * scale;
}

}  // namespace

void RoundToNearest(std::span<const float> weights, float scale, float zero_point,
                    IntegerRange range, std::span<float> rounded) {
  const auto lowest = static_cast<float>(range.min);
  const auto highest = static_cast<float>(range.max);
  for (size_t i = 0; i < weights.size(); ++i) {
    rounded[i] = Rounded(weights[i], scale, zero_point, lowest, highest);
  }
}

void RoundToNearest(std::span<const float> weights, std::span<const float> scales,
                    std::span<const float> zero_points, IntegerRange range,
                    std::span<float> rounded) {
  const auto lowest = static_cast<float>(range.min);
  const auto highest = static_cast<float>(range.max);
  for (size_t i = 0; i < weights.size(); ++i) {
    rounded[i] = Rounded(weights[i], scales[i], zero_points[i], lowest, highest);
  }
}

double AddErrors(std::span<const float> weights, std::span<const float> rounded,
                 std::span<const double> means, double sum) {
  for (size_t i = 0; i < weights.size(); ++i) {
    sum += (static_cast<double>(weights[i]) - rounded[i]) * means[i];
  }
  return sum;
}

void AddErrors(std::span<const float> weights, std::span<const float> rounded, double mean,
               std::span<double> errors) {
  for (size_t i = 0; i < weights.size(); ++i) {
    errors[i] += (static_cast<double>(weights[i]) - rounded[i]) * mean;
  }
}

}  // namespace ptq
