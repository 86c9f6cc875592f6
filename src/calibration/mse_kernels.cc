// MSE and auto: see histogram.h. Candidates are judged by prefix sums, so that each costs a few
// operations.
#include <algorithm>
#include <cmath>
#include <limits>

#include "calibration/histogram.h"

namespace ptq {
namespace {

constexpr size_t kMostCandidates = 512;  // for either end

double Levels(QuantType type) { return std::ldexp(1.0, Bits(type)) - 1; }

// One end: its distance from 0 and what the values on its side, nearest first, cost with it.
struct Candidate {
  double end = 0;
  double inside = 0;   // values from 0 to `end`, 0 itself apart
  double outside = 0;  // squared distances of the others to `end`
};

// Candidates for the end at one side of 0: the largest magnitude there, and up to 512 edges below
// it. `count(i)` is the number of values in the i-th bin outwards.
template <typename Count>
std::vector<Candidate> Candidates(double largest, double width, const Count& count) {
  if (!(largest > 0)) return {Candidate{}};
  const auto bins = static_cast<size_t>(
      std::min(std::ceil(largest / width), static_cast<double>(NestedBins::kMiddle)));
  std::vector<double> number(bins + 1);   // of values in the bins before
  std::vector<double> sum(bins + 1);      // of their magnitudes
  std::vector<double> squares(bins + 1);  // of their squares
  for (size_t i = 0; i < bins; ++i) {
    const double middle = (static_cast<double>(i) + 0.5) * width;
    const double values = count(i);
    number[i + 1] = number[i] + values;
    sum[i + 1] = sum[i] + values * middle;
    squares[i + 1] = squares[i] + values * middle * middle;
  }
  const size_t stride = (bins + kMostCandidates - 1) / kMostCandidates;
  std::vector<Candidate> candidates = {{largest, number[bins], 0}};
  for (size_t i = stride; i < bins; i += stride) {
    const double end = static_cast<double>(i) * width;
    const double outside = number[bins] - number[i];
    candidates.push_back(
        {end, number[i],
         squares[bins] - squares[i] - 2 * end * (sum[bins] - sum[i]) + outside * end * end});
  }
  return candidates;
}

double Width(const NestedBins& bins) {
  return std::ldexp(2.0, bins.exponent()) / static_cast<double>(NestedBins::kBins);
}

// Counts of the bins outwards from 0, zeros apart.
double CountAbove(const NestedBins& bins, size_t i) {
  const auto middle = static_cast<size_t>(NestedBins::kMiddle);
  return static_cast<double>(bins.counts()[middle + i] - (i == 0 ? bins.zeros() : 0));
}

double CountBelow(const NestedBins& bins, size_t i) {
  const auto middle = static_cast<size_t>(NestedBins::kMiddle);
  return static_cast<double>(bins.counts()[middle - 1 - i]);
}

// The clip with the least error, if errors inside it were uniform: step^2 / 12 for each value but
// 0, and the squared distance to the nearer end outside. Judged by prefix sums, for up to 512
// candidates for either end.
TensorRange UniformNoiseClip(const NestedBins& bins, const QuantGrid& grid) {
  const Extremes& extremes = bins.extremes();
  const TensorRange all{extremes.lowest, extremes.highest};
  const double width = Width(bins);
  const double step = 1 / (12 * Levels(grid.type) * Levels(grid.type));
  const double lowest = std::max(0.0, -static_cast<double>(all.lowest));
  const double highest = std::max(0.0, static_cast<double>(all.highest));
  double least = std::numeric_limits<double>::infinity();
  TensorRange best = all;
  if (grid.fit.symmetric) {
    const auto both = Candidates(std::max(lowest, highest), width, [&](size_t i) {
      return CountAbove(bins, i) + CountBelow(bins, i);
    });
    for (const Candidate& end : both) {
      const double error = 4 * end.end * end.end * step * end.inside + end.outside;
      if (!(error < least)) continue;
      least = error;
      best.highest = std::min(all.highest, static_cast<float>(end.end));
      best.lowest = std::max(all.lowest, static_cast<float>(-end.end));
    }
    return best;
  }
  auto above = Candidates(highest, width, [&](size_t i) { return CountAbove(bins, i); });
  auto below = Candidates(lowest, width, [&](size_t i) { return CountBelow(bins, i); });
  // With values to one side of 0 the zero point is the end of the grid, so that the other end,
  // which Clip makes the most common value, is exact.
  if (lowest == 0 && highest > 0) above[0].inside -= static_cast<double>(bins.at_highest());
  if (highest == 0 && lowest > 0) below[0].inside -= static_cast<double>(bins.at_lowest());
  double least_outside = std::numeric_limits<double>::infinity();
  for (const Candidate& high : above) least_outside = std::min(least_outside, high.outside);
  for (const Candidate& low : below) {
    // What is cut off there is already as bad, whatever the other end.
    if (!(low.outside + least_outside < least)) continue;
    for (const Candidate& high : above) {
      const double span = low.end + high.end;
      const double error =
          span * span * step * (low.inside + high.inside) + low.outside + high.outside;
      if (!(error < least)) continue;
      least = error;
      best.lowest = std::max(all.lowest, static_cast<float>(-low.end));
      best.highest = std::min(all.highest, static_cast<float>(high.end));
    }
  }
  return best;
}

// The square of a value's quantization error on the grid that `range` gives.
class SquaredError {
 public:
  SquaredError(TensorRange range, const QuantGrid& grid) {
    const ScaleZeroPoint fitted = FitScaleZeroPoint(range, grid.type, grid.scale_type, grid.fit);
    const IntegerRange integers = FullRange(grid.type);
    scale_ = static_cast<double>(fitted.scale);
    lowest_ = scale_ * (static_cast<double>(integers.min) - fitted.zero_point);
    highest_ = scale_ * (static_cast<double>(integers.max) - fitted.zero_point);
  }
  double Of(double value) const {
    const double inside = std::clamp(value, lowest_, highest_);
    const double difference = value - scale_ * std::nearbyint(inside / scale_);
    return difference * difference;
  }

 private:
  double scale_ = 1;
  double lowest_ = 0;
  double highest_ = 0;
};

// Values and how often they are there. Zeros, which are exact, are left out, the ends are known
// exactly; the rest is taken for the middle of its bin.
struct Points {
  std::vector<double> values;
  std::vector<double> counts;
};

Points PointsOf(const NestedBins& bins) {
  Points points;
  const auto add = [&](double value, uint64_t count) {
    if (count == 0) return;
    points.values.push_back(value);
    points.counts.push_back(static_cast<double>(count));
  };
  std::vector<uint64_t> counts(bins.counts().begin(), bins.counts().end());
  counts[NestedBins::kMiddle] -= bins.zeros();
  const auto add_end = [&](float end, uint64_t count) {
    if (end == 0 || count == 0) return;
    counts[bins.Find(end)] -= count;
    add(static_cast<double>(end), count);
  };
  const Extremes& extremes = bins.extremes();
  add_end(extremes.lowest, bins.at_lowest());
  if (extremes.highest != extremes.lowest) add_end(extremes.highest, bins.at_highest());
  const double width = Width(bins);
  for (int64_t i = 0; i < NestedBins::kBins; ++i) {
    const double middle = (static_cast<double>(i - NestedBins::kMiddle) + 0.5) * width;
    add(middle, counts[static_cast<size_t>(i)]);
  }
  return points;
}

// Where that is not less than `limit`, any sum from there on.
double QuantizationError(const Points& points, TensorRange range, const QuantGrid& grid,
                         double limit) {
  constexpr size_t kBlock = 128;
  const SquaredError squared(range, grid);
  double error = 0;
  for (size_t first = 0; first < points.values.size() && error < limit; first += kBlock) {
    const size_t size = std::min(kBlock, points.values.size() - first);
    double errors[kBlock];
    for (size_t i = 0; i < size; ++i) {
      errors[i] = points.counts[first + i] * squared.Of(points.values[first + i]);
    }
    for (size_t i = 0; i < size; ++i) error += errors[i];
  }
  return error;
}

}  // namespace

double QuantizationError(const NestedBins& bins, TensorRange range, const QuantGrid& grid) {
  return QuantizationError(PointsOf(bins), range, grid, std::numeric_limits<double>::infinity());
}

double QuantizationError(const Histogram& histogram, TensorRange range, const QuantGrid& grid) {
  const SquaredError squared(range, grid);
  double error = 0;
  for (size_t i = 0; i < histogram.counts.size(); ++i) {
    if (histogram.counts[i] == 0) continue;
    const double middle =
        (static_cast<double>(histogram.edges[i]) + static_cast<double>(histogram.edges[i + 1])) / 2;
    error += static_cast<double>(histogram.counts[i]) * squared.Of(middle);
  }
  return error;
}

TensorRange MseRange(const NestedBins& bins, const QuantGrid& grid) {
  const Extremes& extremes = bins.extremes();
  const TensorRange all{extremes.lowest, extremes.highest};
  if (all.is_empty() || bins.infinite() > 0) return all;
  // With wide steps the errors inside are not uniform, so each candidate is judged by its real
  // error.
  constexpr int kSteps = 32;
  TensorRange best = all;
  const Points points = PointsOf(bins);
  double least = QuantizationError(points, all, grid, std::numeric_limits<double>::infinity());
  const auto consider = [&](TensorRange range) {
    const double error = QuantizationError(points, range, grid, least);
    if (!(error < least)) return;
    least = error;
    best = range;
  };
  consider(UniformNoiseClip(bins, grid));
  for (int i = kSteps - 1; i > 0; --i) {
    const float share = static_cast<float>(i) / kSteps;
    // The range ends where the values end, even if they all lie to one side of 0.
    consider(
        {std::min(all.lowest * share, all.highest), std::max(all.highest * share, all.lowest)});
  }
  return best;
}

AutoRange BestRange(const NestedBins& bins, const QuantGrid& grid) {
  const Extremes& extremes = bins.extremes();
  AutoRange best{{extremes.lowest, extremes.highest}, "MinMax"};
  if (best.range.is_empty() || bins.infinite() > 0) return best;
  const std::vector<float> edges = bins.Edges();
  const Histogram histogram{bins.counts(), edges, extremes.lowest, extremes.highest};
  // For the search half as many bins, which is Entropy's own number.
  std::vector<uint64_t> half_counts;
  std::vector<float> half_edges = {edges.front()};
  for (size_t i = 0; i + 1 < histogram.counts.size(); i += 2) {
    half_counts.push_back(histogram.counts[i] + histogram.counts[i + 1]);
    half_edges.push_back(edges[i + 2]);
  }
  const Histogram halved{half_counts, half_edges, extremes.lowest, extremes.highest};
  const AutoRange others[] = {
      {PercentileRange(histogram, 99.999, false), "Percentile 99.999"},
      {PercentileRange(histogram, 99.99, false), "Percentile 99.99"},
      {PercentileRange(histogram, 99.9, false), "Percentile 99.9"},
      {EntropyRange(halved, 128), "Entropy"},
      {MseRange(bins, grid), "MSE"},
  };
  const Points points = PointsOf(bins);
  double least =
      QuantizationError(points, best.range, grid, std::numeric_limits<double>::infinity());
  for (const AutoRange& other : others) {
    const double error = QuantizationError(points, other.range, grid, least);
    if (!(error < least)) continue;
    least = error;
    best = other;
  }
  return best;
}

}  // namespace ptq
