// Percentile: see histogram.h. numpy's cumsum and searchsorted, in double.
#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "calibration/histogram.h"

namespace ptq {
namespace {

// Shares as PercentileRange sums them are off by half an ulp of 1 for each bin, at most.
double RoundingOf(const UniformBins& bins) {
  return std::ldexp(static_cast<double>(bins.count() + 4), -52);
}

// The lowest bin beyond which no more than a share `beyond` of `total` values lie. `largest` is
// sorted. nullopt where that is not sure.
std::optional<size_t> BinFromAbove(const Largest& largest, double total, double beyond,
                                   const UniformBins& bins) {
  const std::span<const float> values = largest.values();
  size_t count = 0;  // of values from the edge on
  for (size_t bin = bins.count() - 1; bin > 0; --bin) {
    const float edge = bins.edges()[bin];
    while (count < values.size() && values[count] >= edge) ++count;
    const double share = static_cast<double>(count) / total;
    if (std::fabs(share - beyond) <= RoundingOf(bins)) return std::nullopt;
    if (share > beyond) return bin;
    if (edge <= largest.all_above()) return std::nullopt;  // there may be more of them
  }
  return 0;
}

// The lowest bin with which more than a share `wanted` of `total` values is reached. `largest`, of
// the negated values, is sorted.
std::optional<size_t> BinFromBelow(const Largest& largest, double total, double wanted,
                                   const UniformBins& bins) {
  const std::span<const float> values = largest.values();
  size_t count = 0;  // of values below the edge
  for (size_t bin = 0; bin + 1 < bins.count(); ++bin) {
    const float edge = bins.edges()[bin + 1];
    while (count < values.size() && -values[count] < edge) ++count;
    const double share = static_cast<double>(count) / total;
    if (std::fabs(share - wanted) <= RoundingOf(bins)) return std::nullopt;
    if (share > wanted) return bin;
    if (-edge < largest.all_above()) return std::nullopt;
  }
  return bins.count() - 1;
}

// The magnitudes that are known.
Largest Magnitudes(const Largest& above, const Largest& below) {
  std::vector<float> values;
  for (const float value : above.values()) {
    if (value >= 0) values.push_back(value);
  }
  for (const float value : below.values()) {
    if (value > 0) values.push_back(value);
  }
  std::sort(values.begin(), values.end(), std::greater<>());
  return {std::move(values), std::max(above.all_above(), below.all_above())};
}

}  // namespace

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

bool TailsMayDo(double percentile) { return percentile >= 99.99 && percentile < 100; }

std::optional<TensorRange> PercentileRange(const Tails& tails, const UniformBins& bins,
                                           double percentile, bool symmetric) {
  const Extremes values = tails.values();
  const auto total = static_cast<double>(tails.count());
  const auto within = [&](TensorRange range) {
    return WithinValues(range, {{}, bins.edges(), values.lowest, values.highest});
  };
  if (const std::vector<float>* all = tails.all()) {
    std::vector<uint64_t> counts(bins.count());
    bins.Count(*all, symmetric ? Values::kAbsolute : Values::kSigned, counts);
    return PercentileRange({counts, bins.edges(), values.lowest, values.highest}, percentile,
                           symmetric);
  }
  Largest above = tails.above();
  Largest below = tails.below();
  if (symmetric) {
    const Largest magnitudes = Magnitudes(above, below);
    const auto bin = BinFromAbove(magnitudes, total, 1 - percentile / 100.0, bins);
    if (!bin) return std::nullopt;
    const float end = bins.edges()[*bin];
    return within({-end, end});
  }
  above.Sort();
  below.Sort();
  const double cut = (100.0 - percentile) / 200.0;
  const auto high = BinFromAbove(above, total, cut, bins);
  const auto low = BinFromBelow(below, total, cut, bins);
  if (!high || !low) return std::nullopt;
  return within({bins.edges()[*low], bins.edges()[*high]});
}

}  // namespace ptq
