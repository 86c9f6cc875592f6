#include "quantization/quant_params.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/float16.h"

namespace ptq {
namespace {

constexpr float kSmallestHalfSubnormal = 0x1p-24f;

// double to float16, rounded once. The float in between is rounded to odd: its last bit then says
// whether anything was cut off, so that the second rounding is right.
float ToHalf(double value) {
  float near = static_cast<float>(value);
  if (static_cast<double>(near) != value && std::isfinite(near)) {
    if (std::abs(static_cast<double>(near)) > std::abs(value)) near = std::nextafter(near, 0.0f);
    near = std::bit_cast<float>(std::bit_cast<uint32_t>(near) | 1u);
  }
  return HalfToFloat(FloatToHalf(near));
}

// Half to even, as numpy.round and ONNX's QuantizeLinear: the default rounding mode.
double RoundHalfEven(double value) { return std::nearbyint(value); }

void CheckRange(TensorRange range) {
  if (!std::isfinite(range.lowest) || !std::isfinite(range.highest)) {
    throw Error(ErrorCode::kInvalidRange, "The tensor range has an end that is NaN or infinite.")
        .WithHint("Look for the sample that makes it, or exclude the node.");
  }
}

// The range with 0 in it, at least options.min_real_range wide, mirrored where symmetric.
std::pair<float, float> Widened(TensorRange range, FloatType scale_type,
                                const FitOptions& options) {
  CheckRange(range);
  float lowest = std::min(range.lowest, 0.0f);
  float highest = std::max(range.highest, 0.0f);
  if (options.min_real_range) {
    const float floor = RoundTo(scale_type, *options.min_real_range);
    highest = std::max(highest, RoundTo(scale_type, static_cast<double>(lowest + floor)));
  }
  if (options.symmetric) {
    highest = std::max(std::abs(lowest), std::abs(highest));
    lowest = -highest;
  }
  return {lowest, highest};
}

double Middle(IntegerRange q) { return RoundHalfEven((static_cast<double>(q.min) + q.max) / 2.0); }

}  // namespace

float RoundTo(FloatType type, double value) {
  return type == FloatType::kFloat ? static_cast<float>(value) : ToHalf(value);
}

float NextScale(FloatType type, float scale) {
  if (type == FloatType::kFloat16)
    return HalfToFloat(static_cast<uint16_t>(FloatToHalf(scale) + 1));
  return std::nextafter(scale, std::numeric_limits<float>::infinity());
}

ScaleZeroPoint FitScaleZeroPoint(TensorRange range, QuantType type, FloatType scale_type,
                                 const FitOptions& options) {
  const auto [lowest, highest] = Widened(range, scale_type, options);
  const IntegerRange q = FittedRange(type, options.reduce_range, options.symmetric);
  const double scale = (static_cast<double>(highest) - static_cast<double>(lowest)) /
                       (static_cast<double>(q.max) - static_cast<double>(q.min));
  const float stored = RoundTo(scale_type, scale);
  const bool degenerate = scale_type == FloatType::kFloat16
                              ? stored < kSmallestHalfSubnormal
                              : scale < std::numeric_limits<float>::min();
  if (degenerate) return {1.0f, 0};

  // The unrounded scale gives the zero point (1.32; earlier releases used the stored one).
  const double zero_point =
      options.symmetric ? Middle(q) : RoundHalfEven(q.min - static_cast<double>(lowest) / scale);
  return {stored, static_cast<int32_t>(zero_point)};
}

ScaleZeroPoint FitBlock(TensorRange range, QuantType type, FloatType scale_type,
                        const FitOptions& options) {
  const auto [lowest, highest] = Widened(range, scale_type, options);
  const IntegerRange q = FittedRange(type, options.reduce_range, options.symmetric);
  const double width = RoundTo(scale_type, static_cast<double>(highest - lowest));
  const float scale = RoundTo(scale_type, width / (static_cast<double>(q.max) - q.min));
  const float smallest = scale_type == FloatType::kFloat16 ? kSmallestHalfSubnormal
                                                           : std::numeric_limits<float>::min();
  if (options.symmetric) {
    return {scale < smallest ? 1.0f : scale, static_cast<int32_t>(Middle(q))};
  }
  if (scale < smallest) return {1.0f, 0};
  const double zero_point = RoundHalfEven(q.min - static_cast<double>(lowest) / scale);
  return {scale, static_cast<int32_t>(std::clamp<double>(zero_point, q.min, q.max))};
}

ScaleZeroPoint FitFloat8(float deviation, FloatType scale_type) {
  // numpy.std of the 254 finite float8e4m3fn values.
  constexpr float kFloat8Deviation = 100.057724f;
  if (!std::isfinite(deviation)) CheckRange({deviation, deviation});
  const float scale = RoundTo(scale_type, static_cast<double>(deviation / kFloat8Deviation));
  return {scale > 0 ? scale : 1.0f, 0};
}

ScaleZeroPoint FitRestrictedAsymmetric(TensorRange range, const FitOptions& options) {
  CheckRange(range);
  const IntegerRange q = FittedRange(QuantType::kUInt8, options.reduce_range, options.symmetric);
  const int32_t middle = (q.min + q.max + 1) / 2;
  const double lowest = std::min(static_cast<double>(range.lowest), 0.0);
  double highest = std::max(static_cast<double>(range.highest), 0.0);
  const double min_range = options.min_real_range.value_or(0.0);
  if (min_range > 0) highest = std::max(highest, lowest + min_range);

  const int32_t zero_point = lowest >= 0 ? q.min : middle;
  double scale;
  if (highest <= lowest) {  // only [0, 0] is left here
    scale = 1.0 / (q.max - q.min);
  } else if (lowest >= 0) {
    scale = highest / (q.max - q.min);
  } else {
    scale = std::max(-lowest / (middle - q.min), highest / (q.max - middle));
  }
  const auto stored = static_cast<float>(scale);
  const double floor = min_range / (q.max - q.min);
  return {static_cast<double>(stored) < floor ? static_cast<float>(floor) : stored, zero_point};
}

}  // namespace ptq
