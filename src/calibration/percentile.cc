// Percentile: see histogram.h. numpy's cumsum and searchsorted, in double.
#include <algorithm>

#include "calibration/histogram.h"

namespace ptq {

TensorRange WithinValues(TensorRange range, const Histogram& histogram) {
  range.lowest = std::max(range.lowest, histogram.lowest);
  range.highest = std::min(range.highest, histogram.highest);
  return range.is_empty() ? TensorRange{histogram.lowest, histogram.highest} : range;
}

TensorRange PercentileRange(const Histogram& histogram, double percentile, bool symmetric) {
  uint64_t total = 0;
  for (const uint64_t count : histogram.counts) total += count;
  if (total == 0) return {histogram.lowest, histogram.highest};
  std::vector<double> share(histogram.counts.size());
  double sum = 0;
  for (size_t i = 0; i < share.size(); ++i) {
    sum += static_cast<double>(histogram.counts[i]) / static_cast<double>(total);
    share[i] = sum;
  }
  // The left edge of the first bin with which the share is reached; the last edge where rounding
  // keeps it from being reached.
  const auto edge_at = [&](double wanted) {
    const auto bin = std::lower_bound(share.begin(), share.end(), wanted) - share.begin();
    return histogram.edges[static_cast<size_t>(bin)];
  };
  TensorRange range;
  if (symmetric) {
    range.highest = edge_at(percentile / 100.0);
    range.lowest = -range.highest;
  } else {
    const double cut = (100.0 - percentile) / 200.0;
    range.highest = edge_at(1.0 - cut);
    range.lowest = edge_at(cut);
  }
  return WithinValues(range, histogram);
}

}  // namespace ptq
