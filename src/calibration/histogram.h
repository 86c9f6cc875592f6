// A tensor's values as counts in bins, and the calibration methods that make a range of them. The
// first three are onnxruntime.quantization's (calibrate.py, HistogramCollector), number for number.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "calibration/histogram_kernels.h"
#include "calibration/tail_kernels.h"
#include "quantization/quant_params.h"

namespace ptq {

struct Histogram {
  std::span<const uint64_t> counts;
  std::span<const float> edges;  // one more than counts
  float lowest = 0;              // of the values themselves
  float highest = 0;
};

// `range` cut off at the lowest and highest value. Few values far from 0 may lie outside of `range`
// altogether: then the range of the values (the reference returns reversed ends there).
TensorRange WithinValues(TensorRange range, const Histogram& histogram);

// Percentile. With `symmetric` the bins hold magnitudes: ± the edge at which the share of the
// values reaches `percentile` / 100; else as much is cut off at either side. Neither end goes
// beyond the values.
TensorRange PercentileRange(const Histogram& histogram, double percentile, bool symmetric);

// The same from the outermost values alone, to the bit, with the bins that all values would be
// counted in: their counts beyond an edge are known. nullopt where that is not enough: further in
// than values are kept, or where a share is so close to the percentile that the rounding of its sum
// decides.
std::optional<TensorRange> PercentileRange(const Tails& tails, const UniformBins& bins,
                                           double percentile, bool symmetric);

// Whether it usually is: the percentile is 99.99 or more, but not all values.
bool TailsMayDo(double percentile);

// Entropy: the clip whose distribution, in `quantized_bins` bins, diverges least from that of the
// values (Kullback-Leibler; S. Migacz, 8-bit Inference with TensorRT, GTC 2017). Candidates are
// centred on the middle bin. Where a distribution can't be smoothed the candidate is passed over.
TensorRange EntropyRange(const Histogram& histogram, int64_t quantized_bins);

// Whether EntropyRange has one candidate only, which is the whole histogram.
constexpr bool NothingToSearch(int64_t bins, int64_t quantized_bins) {
  return bins / 2 <= quantized_bins / 2;
}

// Distribution: the outermost edges, with mean and standard deviation of the bins' middles, or of
// their cube roots.
TensorRange DistributionRange(const Histogram& histogram, bool cube_root);

// How a tensor will be quantized, which is what a range is judged by.
struct QuantGrid {
  QuantType type = QuantType::kUInt8;
  FloatType scale_type = FloatType::kFloat;
  FitOptions fit;
};

// MSE: the clip with the least QuantizationError. Candidates are the range of all values, 31
// fractions of it, and the clip that would be best if errors inside were uniform, which is searched
// for each end by itself.
TensorRange MseRange(const NestedBins& bins, const QuantGrid& grid);

// Expected square of the quantization error with `range`: every bin's middle is quantized.
double QuantizationError(const NestedBins& bins, TensorRange range, const QuantGrid& grid);
double QuantizationError(const Histogram& histogram, TensorRange range, const QuantGrid& grid);

// EntropyRange, but the range of all values where these are too few to fill the bins (the least
// divergence is then that of an arbitrary clip), or where clipping makes the QuantizationError
// larger.
TensorRange SafeEntropyRange(const Histogram& histogram, int64_t quantized_bins,
                             const QuantGrid& grid);

// A rule of thumb for histograms: fewer than 10 values a bin are too few.
constexpr uint64_t kValuesPerBin = 10;

// auto: the range with the least QuantizationError out of those of MinMax, Percentile 99.9, 99.99
// and 99.999, Entropy and MSE; the first of equals.
struct AutoRange {
  TensorRange range;
  const char* method = "";
};
AutoRange BestRange(const NestedBins& bins, const QuantGrid& grid);

}  // namespace ptq
