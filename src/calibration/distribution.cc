// Distribution: see histogram.h. HistogramCalibrater._avg_std: values in float32, sums in double.
#include <algorithm>
#include <cmath>

#include "calibration/histogram.h"
#include "quantization/kernels.h"

namespace ptq {

TensorRange DistributionRange(const Histogram& histogram, bool cube_root) {
  const size_t bins = histogram.counts.size();
  std::vector<double> weighted(bins);
  std::vector<double> squares(bins);
  double total = 0;
  for (size_t i = 0; i < bins; ++i) {
    float value = (histogram.edges[i] + histogram.edges[i + 1]) * 0.5f;
    if (cube_root) value = std::copysign(std::pow(std::fabs(value), 1.0f / 3.0f), value);
    const auto count = static_cast<double>(histogram.counts[i]);
    weighted[i] = count * static_cast<double>(value);
    // In double where float32 overflows or underflows and the reference gives NaN.
    const float square = value * value;
    const double wide = static_cast<double>(value) * static_cast<double>(value);
    squares[i] = count * (std::isnormal(square) ? static_cast<double>(square) : wide);
    total += count;
  }
  TensorRange range{histogram.edges.front(), histogram.edges.back()};
  if (total == 0) return range;
  const double mean = PairwiseSum(weighted) / total;
  const double variance = PairwiseSum(squares) / total - mean * mean;
  range.mean = static_cast<float>(mean);
  range.deviation = static_cast<float>(std::sqrt(std::max(variance, 0.0)));
  return range;
}

}  // namespace ptq
