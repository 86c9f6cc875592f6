// Entropy: see histogram.h. get_entropy_threshold, smooth_distribution and entropy of
// onnxruntime.quantization in their own arithmetic: counts and groups in integers, the rest in
// float32 with numpy's order of sums. Only the logarithm is another one, as numpy's depends on the
// processor: candidates that differ by a rounding may be taken for each other.
//
// That takes some operations for each bin of each candidate. Lower bounds, which take a few for
// each candidate, tell of nearly all that they are not the best.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include "calibration/histogram.h"
#include "quantization/kernels.h"

namespace ptq {
namespace {

// ln(x) of a positive normal float, within 1 ulp (the polynomial of Cephes' logf). A loop over it
// vectorizes, and its bits are the same on every engine.
inline float Log(float x) {
  const auto bits = std::bit_cast<int32_t>(x);
  // x = m * 2^e with m in [sqrt(1/2), sqrt(2)).
  const int32_t e = (bits - 0x3f3504f3) >> 23;
  const float m = std::bit_cast<float>(bits - (e << 23)) - 1;
  const float square = m * m;
  float y = 7.0376836292e-2f;
  y = y * m - 1.1514610310e-1f;
  y = y * m + 1.1676998740e-1f;
  y = y * m - 1.2420140846e-1f;
  y = y * m + 1.4249322787e-1f;
  y = y * m - 1.6668057665e-1f;
  y = y * m + 2.0000714765e-1f;
  y = y * m - 2.4999993993e-1f;
  y = y * m + 3.3333331174e-1f;
  y = y * m * square;
  const auto exponent = static_cast<float>(e);
  y += exponent * -2.12194440e-4f;
  y -= 0.5f * square;
  return m + y + exponent * 0.693359375f;
}

constexpr double kGain = 0.0001;

// smooth_distribution: zeros become 0.0001, and what they gained is taken off the others in equal
// parts, `minus` (negative). nullopt where nothing is left to take it off from.
std::optional<float> Minus(size_t zeros, size_t size) {
  const size_t others = size - zeros;
  if (others == 0) return std::nullopt;
  const double loss = kGain * static_cast<double>(zeros) / static_cast<double>(others);
  if (loss >= 1) return std::nullopt;
  return static_cast<float>(-loss);
}

inline float Smoothed(float value, float minus) {
  return value + (value == 0 ? static_cast<float>(kGain) : minus);
}

class DivergenceSearch {
 public:
  DivergenceSearch(std::span<const uint64_t> counts, int64_t quantized_bins)
      : counts_(counts), shares_(static_cast<size_t>(quantized_bins)) {
    sums_.resize(counts.size() + 1);
    occupied_.resize(counts.size() + 1);
    for (size_t i = 0; i < counts.size(); ++i) {
      sums_[i + 1] = sums_[i] + counts[i];
      occupied_[i + 1] = occupied_[i] + (counts[i] != 0 ? 1 : 0);
      as_float_.push_back(static_cast<float>(counts[i]));
    }
    p_.resize(counts.size());
    q_.resize(counts.size());
  }

  // Divergence of bins [begin, end) in groups from the whole histogram clipped to them.
  std::optional<float> Of(size_t begin, size_t end) {
    const size_t size = end - begin;
    const std::span<float> p(p_.data(), size);
    const std::span<float> q(q_.data(), size);
    if (!MakeP(begin, p) || !MakeQ(begin, q)) return std::nullopt;
    const float p_sum = PairwiseSum(p);
    const float q_sum = PairwiseSum(q);
    Diverge(p.data(), q.data(), size, p_sum, q_sum);
    return PairwiseSum(p);
  }

 private:
  static void Diverge(float* __restrict p, const float* __restrict q, size_t size, float p_sum,
                      float q_sum) {
    for (size_t i = 0; i < size; ++i) {
      const float share = p[i] / p_sum;
      p[i] = share * Log(share / (q[i] / q_sum));
    }
  }

  // How many values the clip cuts off at each side.
  uint64_t Left(size_t begin) const { return sums_[begin]; }
  uint64_t Right(size_t end) const { return sums_.back() - sums_[end]; }

  // The counts, those that were clipped in the outermost bins, smoothed.
  bool MakeP(size_t begin, std::span<float> p) const {
    const size_t size = p.size();
    const size_t end = begin + size;
    const uint64_t first = counts_[begin] + Left(begin) + (size == 1 ? Right(end) : 0);
    const uint64_t last = size == 1 ? first : counts_[end - 1] + Right(end);
    size_t occupied = occupied_[end] - occupied_[begin];
    if (counts_[begin] == 0 && first > 0) ++occupied;
    if (size > 1 && counts_[end - 1] == 0 && last > 0) ++occupied;
    const std::optional<float> minus = Minus(size - occupied, size);
    if (!minus) return false;
    const float* counts = as_float_.data() + begin;
    for (size_t i = 0; i < size; ++i) p[i] = Smoothed(counts[i], *minus);
    p.front() = Smoothed(static_cast<float>(first), *minus);
    p.back() = Smoothed(static_cast<float>(last), *minus);
    return true;
  }

  // Each group's sum over the number of its occupied bins, in whole numbers, in all of its bins;
  // bins that are left over belong to the last group's sum and are 0 themselves. Smoothed.
  bool MakeQ(size_t begin, std::span<float> q) {
    const size_t size = q.size();
    const size_t groups = shares_.size();
    const size_t width = size / groups;
    size_t zeros = size - groups * width;
    for (size_t group = 0; group < groups; ++group) {
      shares_[group] = Share(begin, size, group, width);
      if (shares_[group] == 0) zeros += width;
    }
    const std::optional<float> minus = Minus(zeros, size);
    if (!minus) return false;
    for (size_t group = 0; group < groups; ++group) {
      std::fill_n(q.begin() + static_cast<std::ptrdiff_t>(group * width), width,
                  Smoothed(shares_[group], *minus));
    }
    std::fill(q.begin() + static_cast<std::ptrdiff_t>(groups * width), q.end(),
              Smoothed(0, *minus));
    return true;
  }

  float Share(size_t begin, size_t size, size_t group, size_t width) const {
    const size_t start = group * width;
    const size_t stop = start + width;
    const size_t last = group + 1 == shares_.size() ? size : stop;
    uint64_t occupied = occupied_[begin + stop] - occupied_[begin + start];
    // The outermost bins are occupied by what was clipped, too.
    const bool holds_begin = width > 0 && start == 0;
    const bool holds_end = width > 0 && stop == size && size > 1;
    if (holds_begin && counts_[begin] == 0 && Left(begin) > 0) ++occupied;
    if (holds_end && counts_[begin + size - 1] == 0 && Right(begin + size) > 0) ++occupied;
    if (occupied == 0) return 0;
    const uint64_t sum = sums_[begin + last] - sums_[begin + start];
    // A quotient in double, cut off, as numpy stores it in int64.
    const double share = static_cast<double>(sum) / static_cast<double>(occupied);
    return static_cast<float>(static_cast<int64_t>(share));
  }

  std::span<const uint64_t> counts_;
  std::vector<float> as_float_;
  std::vector<uint64_t> sums_;    // of the bins before
  std::vector<size_t> occupied_;  // number of bins before that are not empty
  std::vector<float> shares_;     // of the groups
  std::vector<float> p_;
  std::vector<float> q_;
};

// Bounds from below for what DivergenceSearch finds, each in a few operations: of all but the
// outermost groups sums are kept from which those of any candidate follow.
class DivergenceBounds {
 public:
  DivergenceBounds(std::span<const uint64_t> counts, int64_t quantized_bins)
      : groups_(static_cast<size_t>(quantized_bins)),
        counts_(counts.size() + 1),
        occupied_(counts.size() + 1),
        logs_(counts.size() + 1),
        shares_(counts.size()),
        share_logs_(counts.size()),
        sums_(counts.size() + 1) {
    for (size_t i = 0; i < counts.size(); ++i) {
      const auto count = static_cast<double>(counts[i]);
      counts_[i + 1] = counts_[i] + count;
      occupied_[i + 1] = occupied_[i] + (count == 0 ? 0 : 1);
      logs_[i + 1] = logs_[i];
      if (count == 0) continue;
      const double log = std::log(count);
      logs_[i + 1].weighted += count * log;
      logs_[i + 1].plain += log;
      logs_[i + 1].inverse += 1 / count;
    }
  }

  // The divergence is no less; infinite where there is none, -infinite where nothing is known.
  // Fast for candidates that come in the order of their width.
  //
  // It is that of real numbers less what rounding may do. With u = 2^-24, sums of p and of q are
  // off by 32 u, so a ratio of shares and its logarithm, with all else, by 75 u, and by 4 u of
  // itself. With A, the sum of all |share * logarithm|, which is the divergence and 2 more at most,
  // these are 75 u + 74 u A. The logarithms here, up to 44, and the ends of series come to 180 u at
  // most.
  double Of(size_t begin, size_t end) {
    constexpr double kRounding = 512 * 0x1p-24;
    const size_t size = end - begin;
    const size_t width = size / groups_;
    if (groups_ < 2 || width == 0 || counts_.back() >= kMostExact) return -kInfinity;
    // The outermost bins hold what is clipped, too.
    const double first = counts_[begin + 1];
    const double last = counts_.back() - counts_[end - 1];
    const double occupied = occupied_[end - 1] - occupied_[begin + 1];
    const double empty = static_cast<double>(size - 2) - occupied;
    const size_t zeros = static_cast<size_t>(empty) + (first == 0 ? 1 : 0) + (last == 0 ? 1 : 0);
    const std::optional<float> minus = Minus(zeros, size);
    if (!minus) return kInfinity;
    const auto m = static_cast<double>(*minus);
    const double p_first = first + (first == 0 ? kGain : m);
    const double p_last = last + (last == 0 ? kGain : m);
    const double p_sum = P(begin + 1, end - 1, m) + p_first + p_last;
    // (x + m) log(x + m) as x log x + m (log x + 1) + m^2 / 2x.
    const Logs& from = logs_[begin + 1];
    const Logs& to = logs_[end - 1];
    const double p_logs = to.weighted - from.weighted + m * (to.plain - from.plain + occupied) +
                          m * m / 2 * (to.inverse - from.inverse) + empty * kGain * kGainLog +
                          p_first * std::log(p_first) + p_last * std::log(p_last);

    if (width != width_) MakeSums(width);
    const size_t second = begin + width;
    const size_t rest = begin + groups_ * width;
    const Sums inner = sums_[rest - width] - sums_[second];
    const bool has_rest = rest < end;
    const double share_first =
        Share(counts_[second] - counts_[begin], Occupied(begin, second, first > 0 ? begin : end));
    const double share_last = Share(counts_[end] - counts_[rest - width],
                                    Occupied(rest - width, rest, last > 0 ? end - 1 : end));
    const size_t empty_groups =
        static_cast<size_t>(inner.empty) + (share_first == 0 ? 1 : 0) + (share_last == 0 ? 1 : 0);
    const std::optional<float> q_minus = Minus(empty_groups * width + end - rest, size);
    if (!q_minus) return kInfinity;
    const auto n = static_cast<double>(*q_minus);
    if (m < -kMostMinus || n < -kMostMinus) return -kInfinity;
    const double q_first = share_first + (share_first == 0 ? kGain : n);
    const double q_last = share_last + (share_last == 0 ? kGain : n);
    const auto wide = static_cast<double>(width);
    const double filled = static_cast<double>(groups_ - 2) - inner.empty;
    const double q_sum =
        wide * (inner.share + n * filled + kGain * inner.empty + q_first + q_last) +
        kGain * static_cast<double>(end - rest);
    // log(x + n) as log x + n / x, whose second part is left out for what smoothing changes in p.
    const double clipped = p_last - P(end - 1, end, m);
    const double p_of_first = P(begin, second, m) + p_first - P(begin, begin + 1, m);
    const double p_of_last = P(rest - width, rest, m) + (has_rest ? 0 : clipped);
    const double p_of_rest = P(rest, end, m) + (has_rest ? clipped : 0);
    const double p_q_logs = inner.count_log + m * inner.occupied_log +
                            kGain * (wide * inner.log - inner.occupied_log) + n * inner.ratio +
                            (kGain * wide * inner.empty + p_of_rest) * kGainLog +
                            p_of_first * std::log(q_first) + p_of_last * std::log(q_last);
    const double left_out = -1.02 * n * (kGain * empty - (m + n) * occupied) / p_sum;
    const double divergence = (p_logs - p_q_logs) / p_sum + std::log(q_sum / p_sum);
    return divergence - kRounding * (1 + std::max(divergence, 0.0)) - left_out;
  }

 private:
  // Over bins that are not empty.
  struct Logs {
    double weighted = 0;  // count * log(count)
    double plain = 0;     // log(count)
    double inverse = 0;   // 1 / count
  };
  // Over groups, with those `width` further left, two times as far left and so on.
  struct Sums {
    double count_log = 0;     // count * log(share)
    double occupied_log = 0;  // number of occupied bins * log(share)
    double log = 0;           // log(share)
    double ratio = 0;         // count / share
    double share = 0;
    double empty = 0;  // number of groups without values, which are left out above

    Sums operator-(const Sums& other) const {
      return {count_log - other.count_log,
              occupied_log - other.occupied_log,
              log - other.log,
              ratio - other.ratio,
              share - other.share,
              empty - other.empty};
    }
  };

  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  static constexpr double kMostExact = 0x1p53;
  static constexpr double kMostMinus = 0.01;  // for series
  static constexpr double kGainLog = -9.210340371976182;

  static double Share(double count, double occupied) {
    return occupied == 0 ? 0 : std::floor(count / occupied);
  }

  // Of bins, of which one is not empty for what is clipped, where it is among them.
  double Occupied(size_t begin, size_t end, size_t clipped) const {
    const bool counts = clipped >= begin && clipped < end;
    const double number = occupied_[end] - occupied_[begin];
    return counts && occupied_[clipped] == occupied_[clipped + 1] ? number + 1 : number;
  }

  // The sum of the counts of bins, smoothed.
  double P(size_t begin, size_t end, double minus) const {
    const double occupied = occupied_[end] - occupied_[begin];
    const double empty = static_cast<double>(end - begin) - occupied;
    return counts_[end] - counts_[begin] + minus * occupied + kGain * empty;
  }

  // sums_[i] of the groups that end at i or `width` and so on before; only where candidates with
  // groups so wide have groups.
  void MakeSums(size_t width) {
    width_ = width;
    const size_t bins = shares_.size();
    const size_t reach = (width + 1) * groups_ / 2 + 1;  // to either side of the middle
    const size_t first = bins / 2 - std::min(reach, bins / 2);
    const size_t last = std::min(bins / 2 + reach, bins) - width;
    for (size_t i = first; i <= last; ++i) {
      const double count = counts_[i + width] - counts_[i];
      const double occupied = occupied_[i + width] - occupied_[i];
      const double share = std::floor(count / std::max(occupied, 1.0));
      shares_[i] = share;
      share_logs_[i] = Log(static_cast<float>(std::max(share, 1.0)));
    }
    for (size_t i = first; i < first + width; ++i) sums_[i] = {};
    for (size_t i = first; i <= last; ++i) {
      const double count = counts_[i + width] - counts_[i];
      const double occupied = occupied_[i + width] - occupied_[i];
      const auto log = static_cast<double>(share_logs_[i]);
      const Sums& before = sums_[i];
      sums_[i + width] = {before.count_log + count * log,
                          before.occupied_log + occupied * log,
                          before.log + log,
                          before.ratio + count / std::max(shares_[i], 1.0),
                          before.share + shares_[i],
                          before.empty + (occupied == 0 ? 1 : 0)};
    }
  }

  size_t groups_;
  // Of the bins before each.
  std::vector<double> counts_;
  std::vector<double> occupied_;  // how many are not empty
  std::vector<Logs> logs_;
  // Of the groups of this width that begin at each bin.
  size_t width_ = 0;
  std::vector<double> shares_;
  std::vector<float> share_logs_;
  std::vector<Sums> sums_;
};

}  // namespace

TensorRange EntropyRange(const Histogram& histogram, int64_t quantized_bins) {
  const size_t bins = histogram.counts.size();
  const size_t middle = bins / 2;
  const size_t narrowest = std::min(static_cast<size_t>(quantized_bins / 2), middle);
  const auto begin_of = [&](size_t i) { return middle - i; };
  const auto end_of = [&](size_t i) { return std::min(middle + i + 1, bins); };
  DivergenceSearch search(histogram.counts, quantized_bins);
  DivergenceBounds bounds(histogram.counts, quantized_bins);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<double> bound(middle + 1);
  double least_bound = std::numeric_limits<double>::infinity();
  size_t promising = narrowest;
  for (size_t i = narrowest; i <= middle; ++i) {
    bound[i] = bounds.Of(begin_of(i), end_of(i));
    if (!std::isfinite(bound[i]) || !(bound[i] < least_bound)) continue;
    least_bound = bound[i];
    promising = i;
  }
  const float reached = search.Of(begin_of(promising), end_of(promising)).value_or(kInfinity);
  TensorRange range{histogram.edges.front(), histogram.edges.back()};
  float least = kInfinity;
  for (size_t i = narrowest; i <= middle; ++i) {
    if (bound[i] > static_cast<double>(std::min(reached, least))) continue;
    const std::optional<float> divergence = search.Of(begin_of(i), end_of(i));
    if (!divergence || !(*divergence < least)) continue;
    least = *divergence;
    range = {histogram.edges[begin_of(i)], histogram.edges[end_of(i)]};
  }
  return WithinValues(range, histogram);
}

TensorRange SafeEntropyRange(const Histogram& histogram, int64_t quantized_bins,
                             const QuantGrid& grid) {
  const TensorRange all{histogram.lowest, histogram.highest};
  uint64_t values = 0;
  for (const uint64_t count : histogram.counts) values += count;
  if (values < kValuesPerBin * histogram.counts.size()) return all;
  const TensorRange clip = EntropyRange(histogram, quantized_bins);
  const bool better =
      QuantizationError(histogram, clip, grid) < QuantizationError(histogram, all, grid);
  return better ? clip : all;
}

}  // namespace ptq
