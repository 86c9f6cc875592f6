// Lowest and highest of many floats, in one loop that compilers vectorize (SSE/AVX natively,
// SIMD128 in wasm): over activations in calibration, over weights in quantization.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

namespace ptq {

// Lowest and highest of some values, and how many were NaN, which is neither.
struct Extremes {
  float lowest = std::numeric_limits<float>::infinity();
  float highest = -std::numeric_limits<float>::infinity();
  uint64_t nans = 0;

  bool is_empty() const { return lowest > highest; }
  // Whether there is a value, and none infinite.
  bool is_finite() const { return !is_empty() && std::isfinite(lowest) && std::isfinite(highest); }
  void Widen(const Extremes& other);
  void Widen(float value) {
    // Comparisons that a NaN never wins.
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
    if (value != value) ++nans;
  }
};

enum class Values { kSigned, kAbsolute };

// Extremes of x, or of |x|.
Extremes FindExtremes(std::span<const float> values, Values kind);

}  // namespace ptq
