// Distribution: see histogram.h. HistogramCalibrater._avg_std: values in float32, sums in double.
#include <algorithm>
#include <cmath>

#include "calibration/histogram.h"

namespace ptq {
namespace {

// numpy's add.reduce over doubles: pairs of halves, eight running sums in blocks of up to 128.
double PairwiseSum(std::span<const double> values) {
  const size_t count = values.size();
  if (count < 8) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum;
  }
  if (count > 128) {
    const size_t half = count / 2 - count / 2 % 8;
    return PairwiseSum(values.first(half)) + PairwiseSum(values.subspan(half));
  }
  double sums[8];
  std::copy_n(values.begin(), 8, sums);
  const size_t whole = count - count % 8;
  for (size_t i = 8; i < whole; i += 8) {
    for (size_t lane = 0; lane < 8; ++lane) sums[lane] += values[i + lane];
  }
  double sum =
      ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
  for (size_t i = whole; i < count; ++i) sum += values[i];
  return sum;
}

}  // namespace

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
