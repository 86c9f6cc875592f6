#include "base/extremes_kernels.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace ptq {
namespace {

// Sixteen running ends, so that the loop has no chain of dependencies.
constexpr size_t kLanes = 16;

// The lanes of `values`, whose size is a multiple of kLanes.
template <bool kAbsolute>
Extremes FindInLanes(std::span<const float> values) {
  Extremes result;
  float lowest[kLanes];
  float highest[kLanes];
  std::fill_n(lowest, kLanes, result.lowest);
  std::fill_n(highest, kLanes, result.highest);
  for (size_t begin = 0; begin < values.size();) {
    // NaN per block in 32 bits, which vectorize as the floats do.
    uint32_t nans[kLanes] = {};
    const size_t end = std::min(values.size(), begin + (size_t{1} << 20));
    for (; begin < end; begin += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) {
        const float given = values[begin + lane];
        const float value = kAbsolute ? std::fabs(given) : given;
        // Comparisons that a NaN never wins.
        lowest[lane] = value < lowest[lane] ? value : lowest[lane];
        highest[lane] = value > highest[lane] ? value : highest[lane];
        nans[lane] += value != value ? 1u : 0u;
      }
    }
    for (const uint32_t count : nans) result.nans += count;
  }
  for (size_t lane = 0; lane < kLanes; ++lane) {
    result.lowest = std::min(result.lowest, lowest[lane]);
    result.highest = std::max(result.highest, highest[lane]);
  }
  return result;
}

template <bool kAbsolute>
Extremes FindExtremesOf(std::span<const float> values) {
  Extremes result;
  const size_t whole = values.size() / kLanes * kLanes;
  if (whole > 0) result = FindInLanes<kAbsolute>(values.first(whole));
  for (const float value : values.subspan(whole)) {
    result.Widen(kAbsolute ? std::fabs(value) : value);
  }
  return result;
}

}  // namespace

void Extremes::Widen(const Extremes& other) {
  lowest = std::min(lowest, other.lowest);
  highest = std::max(highest, other.highest);
  nans += other.nans;
}

Extremes FindExtremes(std::span<const float> values, Values kind) {
  return kind == Values::kAbsolute ? FindExtremesOf<true>(values) : FindExtremesOf<false>(values);
}

}  // namespace ptq
