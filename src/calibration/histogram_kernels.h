// The loops over activations that fill histograms: uniform bins, and bins that are powers of two.
// Each goes through a tensor once. Plain loops in two steps: what compilers vectorize (SSE/AVX
// natively, SIMD128 in wasm) makes a block of bins' places, and a scalar loop counts them, in four
// tables in turn, because one and the same bin (zeros after a Relu) would make each increment wait
// for the one before. docs/performance.md has the figures.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/extremes_kernels.h"

namespace ptq {

// Bins of equal width, with the edges and the rule of numpy.histogram
// (numpy/lib/_histograms_impl.py): bin i holds edges[i] <= x < edges[i + 1], the last one also its
// right edge.
class UniformBins {
 public:
  // Edges from `first` to `last` (finite, first <= last) as numpy.linspace makes them in float32;
  // equal ends are moved apart by 0.5 each. `count` is at least 1.
  UniformBins(float first, float last, size_t count);

  std::span<const float> edges() const { return edges_; }
  size_t count() const { return edges_.size() - 1; }

  // Adds the values (or their magnitudes) to `counts`, one for each bin. NaN is passed over. Values
  // outside go to the outermost bins: ends come from the same data, in a run before this one.
  void Count(std::span<const float> values, Values kind, std::span<uint64_t> counts) const;

  // The bin of a value that is not NaN.
  size_t Find(float value) const;

 private:
  size_t FindNear(float value) const;
  uint32_t NearEdge(float scale) const;  // 0: too far
  void CountFast(std::span<const float> values, Values kind, std::span<uint64_t> counts) const;

  std::vector<float> edges_;
  float scale_ = 0;         // bins per unit; 0: too narrow or too wide for float32
  uint32_t near_edge_ = 0;  // closer than this to an edge, in a place's lowest bit: looked up
  float zero_bin_ = 0;      // the bin of 0
};

// Bins of width 2^k that cover [-2^n, 2^n): when a larger value comes, pairs of bins become one.
// All of it is exact, so the result depends neither on the order of values nor on how they were
// shared out, and no run to find the range is needed before.
class NestedBins {
 public:
  static constexpr int64_t kBins = 4096;
  static constexpr int64_t kMiddle = kBins / 2;  // the first bin of those from 0 on

  void Count(std::span<const float> values);
  void Add(const NestedBins& other);

  const Extremes& extremes() const { return extremes_; }
  // Values that come up again and again, as after Relu and Clip; also counted in their bins.
  uint64_t zeros() const { return zeros_; }
  uint64_t at_lowest() const { return at_lowest_; }
  uint64_t at_highest() const { return at_highest_; }
  uint64_t infinite() const { return infinite_; }  // in no bin
  std::span<const uint64_t> counts() const { return counts_; }
  // The values lie in [-2^exponent, 2^exponent).
  int exponent() const { return exponent_; }
  std::vector<float> Edges() const;

  // For what was saved. `counts` is empty or has kBins.
  NestedBins() = default;
  struct Saved {
    Extremes extremes;
    uint64_t zeros = 0;
    uint64_t at_lowest = 0;
    uint64_t at_highest = 0;
    uint64_t infinite = 0;
    int exponent = 0;
    std::vector<uint64_t> counts;
  };
  explicit NestedBins(Saved saved);

  // The bin of a finite value.
  size_t Find(float value) const;

 private:
  void GrowTo(int exponent);
  void Widen(const Extremes& extremes);

  static constexpr int kLowestExponent = -100;  // 2^-100 / 4096 is still a normal float

  Extremes extremes_;
  uint64_t zeros_ = 0;
  uint64_t at_lowest_ = 0;
  uint64_t at_highest_ = 0;
  uint64_t infinite_ = 0;
  int exponent_ = kLowestExponent;
  std::vector<uint64_t> counts_;  // empty until a value comes
};

}  // namespace ptq
