#include "quantization/kernels.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/float16.h"
#include "base/float8.h"

namespace ptq {
namespace {

// Adding and subtracting 1.5 * 2^23 rounds half to even for |x| < 2^22 and needs no library call.
// Values beyond are clipped to +-2^20 before, which changes nothing: every clip range is narrower
// than that.
constexpr float kRoundingShift = 12582912.0f;
constexpr float kClipLimit = 1048576.0f;

template <typename Number>
Number SumInPairs(std::span<const Number> values) {
  constexpr size_t kBlock = 128;
  const size_t count = values.size();
  if (count < 8) {
    Number sum = 0;
    for (const Number value : values) sum += value;
    return sum;
  }
  if (count > kBlock) {
    const size_t half = count / 2 - count / 2 % 8;
    return SumInPairs(values.first(half)) + SumInPairs(values.subspan(half));
  }
  Number sums[8];
  std::copy_n(values.begin(), 8, sums);
  const size_t whole = count - count % 8;
  for (size_t i = 8; i < whole; i += 8) {
    for (size_t lane = 0; lane < 8; ++lane) sums[lane] += values[i + lane];
  }
  Number sum =
      ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
  for (size_t i = whole; i < count; ++i) sum += values[i];
  return sum;
}

}  // namespace

float PairwiseSum(std::span<const float> values) { return SumInPairs(values); }
double PairwiseSum(std::span<const double> values) { return SumInPairs(values); }

template <typename Element>
void QuantizeValues(std::span<const float> values, float scale, int32_t zero_point,
                    IntegerRange clip, std::span<Element> out) {
  const auto zero = static_cast<float>(zero_point);
  const auto low = static_cast<float>(clip.min);
  const auto high = static_cast<float>(clip.max);
  for (size_t i = 0; i < values.size(); ++i) {
    float x = values[i] / scale;
    x = x < kClipLimit ? x : kClipLimit;  // false for NaN: becomes kClipLimit, mended below
    x = x > -kClipLimit ? x : -kClipLimit;
    float q = (x + kRoundingShift) - kRoundingShift + zero;
    q = q > low ? q : low;
    q = q < high ? q : high;
    q = values[i] == values[i] ? q : 0.0f;
    out[i] = static_cast<Element>(static_cast<int32_t>(q));
  }
}

template void QuantizeValues(std::span<const float>, float, int32_t, IntegerRange,
                             std::span<uint8_t>);
template void QuantizeValues(std::span<const float>, float, int32_t, IntegerRange,
                             std::span<uint16_t>);

void QuantizeFloat8(std::span<const float> values, float scale, bool half, std::span<uint8_t> out) {
  for (size_t i = 0; i < values.size(); ++i) {
    const float quotient = values[i] / scale;
    out[i] = FloatToFloat8E4M3FN(half ? HalfToFloat(FloatToHalf(quotient)) : quotient);
  }
}

float StandardDeviation(std::span<const float> values, bool half) {
  if (values.empty()) return 0;
  const auto round = [half](float value) { return half ? HalfToFloat(FloatToHalf(value)) : value; };
  const auto count = static_cast<float>(values.size());
  const float mean = round(round(PairwiseSum(values)) / count);
  std::vector<float> squares(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const float difference = round(values[i] - mean);
    squares[i] = round(difference * difference);
  }
  const float variance = round(round(PairwiseSum(squares)) / count);
  if (half && !std::isfinite(variance)) return StandardDeviation(values, false);
  return round(std::sqrt(variance));
}

}  // namespace ptq
