#include "quantization/kernels.h"

#include <algorithm>
#include <cmath>

namespace ptq {
namespace {

// Adding and subtracting 1.5 * 2^23 rounds half to even for |x| < 2^22 and needs no library call.
// Values beyond are clipped to +-2^20 before, which changes nothing: every clip range is narrower
// than that.
constexpr float kRoundingShift = 12582912.0f;
constexpr float kClipLimit = 1048576.0f;

}  // namespace

void WidenRange(std::span<const float> values, TensorRange* range) {
  // Eight running ends, so that the loop has no chain of dependencies; comparisons written so that
  // a NaN never wins.
  constexpr size_t kLanes = 8;
  float lowest[kLanes];
  float highest[kLanes];
  std::fill_n(lowest, kLanes, range->lowest);
  std::fill_n(highest, kLanes, range->highest);
  const size_t whole = values.size() / kLanes * kLanes;
  for (size_t i = 0; i < whole; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const float value = values[i + lane];
      lowest[lane] = value < lowest[lane] ? value : lowest[lane];
      highest[lane] = value > highest[lane] ? value : highest[lane];
    }
  }
  for (size_t i = whole; i < values.size(); ++i) {
    lowest[0] = values[i] < lowest[0] ? values[i] : lowest[0];
    highest[0] = values[i] > highest[0] ? values[i] : highest[0];
  }
  range->lowest = *std::min_element(lowest, lowest + kLanes);
  range->highest = *std::max_element(highest, highest + kLanes);
}

void QuantizeValues(std::span<const float> values, float scale, int32_t zero_point,
                    IntegerRange clip, std::span<uint8_t> out) {
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
    out[i] = static_cast<uint8_t>(static_cast<int32_t>(q));
  }
}

}  // namespace ptq
