#include "quantization/bias.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/float16.h"

namespace ptq {
namespace {

constexpr double kInt32Min = std::numeric_limits<int32_t>::min();
constexpr double kInt32Max = std::numeric_limits<int32_t>::max();
constexpr double kMargin = 1.0001;

// float -> the stored type, as numpy multiplies arrays of that type.
float Round(float value, FloatType type) {
  return type == FloatType::kFloat ? value : HalfToFloat(FloatToHalf(value));
}

// Largest |value| of channel `c` of `channels` (the last axis).
double LargestMagnitude(std::span<const float> values, size_t c, size_t channels) {
  double largest = 0;
  for (size_t i = c; i < values.size(); i += channels) {
    largest = std::max(largest, std::abs(static_cast<double>(values[i])));
  }
  return largest;
}

std::vector<float> ScaleProducts(float input_scale, std::span<const float> weight_scales,
                                 float alpha, FloatType type) {
  std::vector<float> scales;
  for (float weight_scale : weight_scales) {
    scales.push_back(Round(Round(input_scale * weight_scale, type) * alpha, type));
  }
  return scales;
}

// A float16 scale may underflow to 0 or be too small for a value. Then the scale is kept in float
// and raised until all values fit.
bool HalfScalesSuffice(std::span<const float> bias, std::span<const float> scales) {
  for (size_t i = 0; i < bias.size(); ++i) {
    const double scale = scales[i % scales.size()];
    if (scale == 0 || std::abs(static_cast<double>(bias[i])) > kInt32Max * scale) return false;
  }
  return true;
}

std::vector<float> WideScales(std::span<const float> bias, float input_scale,
                              std::span<const float> weight_scales, float alpha) {
  std::vector<float> scales = ScaleProducts(input_scale, weight_scales, alpha, FloatType::kFloat);
  for (size_t c = 0; c < scales.size(); ++c) {
    const double needed = LargestMagnitude(bias, c, scales.size()) / kInt32Max;
    scales[c] = static_cast<float>(std::max(static_cast<double>(scales[c]), needed * kMargin));
    if (scales[c] == 0) scales[c] = 1;
  }
  return scales;
}

// The scale below which a bias of this magnitude leaves int32. Per channel the reference multiplies
// scalars of the bias's own type, per tensor doubles; the last bit of the scale depends on it.
double SmallestValidScale(double largest, bool per_channel, FloatType bias_type) {
  constexpr double kRange = kInt32Max - (kInt32Min + 1);
  const double in_double = kMargin * (2.0 * largest) / kRange;
  if (!per_channel) return in_double;
  const float doubled = Round(2.0f * static_cast<float>(largest), bias_type);
  const float margin = Round(static_cast<float>(kMargin), bias_type);
  const float needed = Round(margin * doubled, bias_type);
  return std::isfinite(needed) ? static_cast<double>(needed) / kRange : in_double;
}

}  // namespace

QuantizedBias QuantizeBias(std::span<const float> bias, FloatType bias_type, float input_scale,
                           std::span<const float> weight_scales, BiasFactors factors) {
  QuantizedBias result;
  result.scale_type = bias_type;
  result.scales = ScaleProducts(input_scale, weight_scales, factors.alpha, bias_type);
  if (bias_type == FloatType::kFloat16 && !HalfScalesSuffice(bias, result.scales)) {
    result.scale_type = FloatType::kFloat;
    result.scales = WideScales(bias, input_scale, weight_scales, factors.alpha);
  }
  result.values.reserve(bias.size());
  for (size_t i = 0; i < bias.size(); ++i) {
    const double real = static_cast<double>(factors.beta) * static_cast<double>(bias[i]);
    const double q = std::nearbyint(real / result.scales[i % result.scales.size()]);
    if (std::isnan(q)) {  // 0 / 0: a scale that underflowed and nothing to hold
      result.values.push_back(0);
      continue;
    }
    result.clipped = result.clipped || q < kInt32Min || q > kInt32Max;
    result.values.push_back(static_cast<int32_t>(std::clamp(q, kInt32Min, kInt32Max)));
  }
  return result;
}

bool FitsInt32(std::span<const float> bias, FloatType bias_type, float input_scale,
               std::span<const float> weight_scales, BiasFactors factors) {
  return std::all_of(bias.begin(), bias.end(), [](float value) { return std::isfinite(value); }) &&
         !QuantizeBias(bias, bias_type, input_scale, weight_scales, factors).clipped;
}

bool RaiseWeightScales(std::span<const float> bias, FloatType bias_type, float input_scale,
                       Raise which, QuantParams* weight) {
  bool raised = false;
  for (size_t c = 0; c < weight->scales.size(); ++c) {
    const double largest = LargestMagnitude(bias, c, weight->scales.size());
    if (which == Raise::kWhereClipped) {
      // A float16 bias gets a wider scale of its own (QuantizeBias).
      const bool clipped =
          bias_type == FloatType::kFloat &&
          largest > kInt32Max * static_cast<double>(input_scale * weight->scales[c]);
      if (!clipped) continue;
    }
    const double smallest_valid = SmallestValidScale(largest, weight->per_channel(), bias_type);
    const double weight_scale = weight->scales[c];
    const double candidate = static_cast<double>(input_scale) * weight_scale;
    if (candidate >= smallest_valid || candidate <= 0) continue;
    const double wanted = weight_scale * (smallest_valid / candidate);
    auto stored = static_cast<float>(wanted);
    if (weight->scale_type == FloatType::kFloat16) {
      // Rounding down would undo the minimum: take the next float16 up.
      uint16_t half = FloatToHalf(stored);
      if (static_cast<double>(HalfToFloat(half)) < wanted) ++half;
      stored = HalfToFloat(half);
    }
    if (!std::isfinite(stored)) continue;
    weight->scales[c] = stored;
    raised = true;
  }
  return raised;
}

}  // namespace ptq
