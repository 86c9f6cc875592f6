// Entropy: see histogram.h. get_entropy_threshold, smooth_distribution and entropy of
// onnxruntime.quantization in their own arithmetic: counts and groups in integers, the rest in
// float32 with numpy's order of sums. Only the logarithm is another one, as numpy's depends on the
// processor: candidates that differ by a rounding may be taken for each other.
#include <algorithm>
#include <bit>
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

}  // namespace

TensorRange EntropyRange(const Histogram& histogram, int64_t quantized_bins) {
  const size_t bins = histogram.counts.size();
  const size_t middle = bins / 2;
  const auto half = static_cast<size_t>(quantized_bins / 2);
  TensorRange range{histogram.edges.front(), histogram.edges.back()};
  DivergenceSearch search(histogram.counts, quantized_bins);
  float least = std::numeric_limits<float>::infinity();
  for (size_t i = std::min(half, middle); i <= middle; ++i) {
    const size_t begin = middle - i;
    const size_t end = std::min(middle + i + 1, bins);
    const std::optional<float> divergence = search.Of(begin, end);
    if (!divergence || !(*divergence < least)) continue;
    least = *divergence;
    range = {histogram.edges[begin], histogram.edges[end]};
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
