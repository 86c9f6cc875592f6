#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <random>

#include "calibration/histogram.h"
#include "calibration/histogram_kernels.h"

namespace ptq {
namespace {

constexpr int64_t kBins = 2048;
constexpr int64_t kQuantizedBins = 128;

// As Calibration makes it of one sample's values.
struct Counted {
  explicit Counted(const std::vector<float>& values) : counts(kBins) {
    const auto [lowest, highest] = std::minmax_element(values.begin(), values.end());
    const float largest = std::max(-*lowest, *highest);
    bins = UniformBins(-largest, largest, kBins);
    bins.Count(values, Values::kSigned, counts);
    histogram = {counts, bins.edges(), *lowest, *highest};
  }

  std::vector<uint64_t> counts;
  UniformBins bins{0, 0, 1};
  Histogram histogram;
};

std::vector<float> NormalValues(size_t count) {
  std::mt19937 random(1);
  std::vector<float> values(count);
  for (float& value : values) {
    // A sum of twelve uniform ones, as distributions of the library differ from one to the next.
    value = -6;
    for (int i = 0; i < 12; ++i) value += static_cast<float>(random()) * 0x1p-32f;
  }
  return values;
}

bool IsWhole(const TensorRange& range, const Histogram& histogram) {
  return range.lowest == histogram.lowest && range.highest == histogram.highest;
}

// smooth_distribution; false where it cannot be.
bool Smooth(std::vector<double>* p) {
  const auto zeros = static_cast<double>(std::count(p->begin(), p->end(), 0.0));
  const double others = static_cast<double>(p->size()) - zeros;
  const double minus = 0.0001 * zeros / others;
  if (others == 0 || minus >= 1) return false;
  for (double& value : *p) value = value == 0 ? 0.0001 : value - minus;
  return true;
}

// Of one candidate, bin by bin.
std::optional<double> Divergence(const std::vector<uint64_t>& counts, size_t begin, size_t end,
                                 size_t groups) {
  std::vector<double> p(counts.begin() + static_cast<std::ptrdiff_t>(begin),
                        counts.begin() + static_cast<std::ptrdiff_t>(end));
  std::vector<double> q(p.size());
  const std::vector<double> inside = p;
  for (size_t i = 0; i < begin; ++i) p.front() += static_cast<double>(counts[i]);
  for (size_t i = end; i < counts.size(); ++i) p.back() += static_cast<double>(counts[i]);
  const size_t width = p.size() / groups;
  for (size_t group = 0; group < groups; ++group) {
    const size_t last = group + 1 == groups ? p.size() : (group + 1) * width;
    double sum = 0;
    double occupied = 0;
    for (size_t i = group * width; i < last; ++i) sum += inside[i];
    for (size_t i = 0; i < width; ++i) occupied += p[group * width + i] > 0 ? 1 : 0;
    for (size_t i = 0; i < width && occupied > 0; ++i) {
      q[group * width + i] = std::floor(sum / occupied);
    }
  }
  if (!Smooth(&p) || !Smooth(&q)) return std::nullopt;
  double p_sum = 0;
  double q_sum = 0;
  for (size_t i = 0; i < p.size(); ++i) p_sum += p[i];
  for (size_t i = 0; i < p.size(); ++i) q_sum += q[i];
  double divergence = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    divergence += p[i] / p_sum * std::log(p[i] / p_sum / (q[i] / q_sum));
  }
  return divergence;
}

std::vector<uint64_t> SomeCounts(size_t bins, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<uint64_t> counts(bins);
  for (size_t i = 0; i < bins; ++i) {
    const double place = 8 * static_cast<double>(i) / static_cast<double>(bins) - 4;
    const auto bell = static_cast<uint64_t>(1e5 * std::exp(-place * place));
    switch (seed % 5) {
      case 0:
        counts[i] = bell;
        break;
      case 1:
        counts[i] = bell + random() % 3;
        break;
      case 2:
        counts[i] = random() % 20 == 0 ? random() % 1000 : 0;
        break;
      case 3:
        counts[i] = i < bins / 2 ? 0 : bell * (random() % 100);
        break;
      case 4:
        counts[i] = i == bins / 3 ? 1000000 : random() % 2;
        break;
    }
  }
  return counts;
}

TEST(EntropyRangeTest, NoCandidateDivergesLess) {
  for (const auto& [bins, groups] : std::vector<std::pair<size_t, size_t>>{
           {2048, 128}, {513, 128}, {300, 7}, {64, 1}, {100, 128}, {2, 2}, {33, 32}}) {
    for (uint32_t seed = 0; seed < 10; ++seed) {
      const std::vector<uint64_t> counts = SomeCounts(bins, seed);
      const UniformBins uniform(-1, 1, bins);
      const Histogram histogram{counts, uniform.edges(), -1, 1};
      const TensorRange range = EntropyRange(histogram, static_cast<int64_t>(groups));
      double least = std::numeric_limits<double>::infinity();
      double chosen = least;
      for (size_t i = std::min(groups / 2, bins / 2); i <= bins / 2; ++i) {
        const size_t begin = bins / 2 - i;
        const size_t end = std::min(bins / 2 + i + 1, bins);
        const double divergence = Divergence(counts, begin, end, groups)
                                      .value_or(std::numeric_limits<double>::infinity());
        least = std::min(least, divergence);
        const bool is_chosen =
            range.lowest == uniform.edges()[begin] && range.highest == uniform.edges()[end];
        if (is_chosen) chosen = divergence;
      }
      if (std::isinf(least)) continue;
      // What float32 rounds to is taken for the least.
      EXPECT_LE(chosen, least + 2e-5) << bins << " bins, " << groups << " groups, seed " << seed;
    }
  }
}

TEST(SafeEntropyRangeTest, TooFewValuesForTheBinsKeepTheirRange) {
  const Counted few(NormalValues(27));
  EXPECT_FALSE(IsWhole(EntropyRange(few.histogram, kQuantizedBins), few.histogram))
      << "the case must be one";
  EXPECT_TRUE(IsWhole(SafeEntropyRange(few.histogram, kQuantizedBins, QuantGrid{}), few.histogram));
}

// One value of them lies three times as far out as the others.
std::vector<float> OneFarOut(size_t count) {
  std::vector<float> values = NormalValues(count);
  values[0] = 12;
  return values;
}

QuantGrid GridOf(QuantType type) {
  QuantGrid grid;
  grid.type = type;
  return grid;
}

TEST(SafeEntropyRangeTest, TenValuesABinAreEnough) {
  const QuantGrid coarse = GridOf(QuantType::kUInt4);
  const Counted enough(OneFarOut(10 * kBins));
  EXPECT_LT(SafeEntropyRange(enough.histogram, kQuantizedBins, coarse).highest, 8);
  const Counted fewer(OneFarOut(10 * kBins - 1));
  EXPECT_TRUE(IsWhole(SafeEntropyRange(fewer.histogram, kQuantizedBins, coarse), fewer.histogram));
}

TEST(SafeEntropyRangeTest, AClipThatCostsMoreThanItGainsOnTheGridIsNotMade) {
  const Counted counted(OneFarOut(10 * kBins));
  const Histogram& histogram = counted.histogram;
  const TensorRange clip = EntropyRange(histogram, kQuantizedBins);
  const TensorRange all{histogram.lowest, histogram.highest};
  EXPECT_LT(clip.highest, 8) << "the case must be one";
  for (const QuantType type : {QuantType::kUInt8, QuantType::kUInt16}) {
    const QuantGrid grid = GridOf(type);
    EXPECT_GT(QuantizationError(histogram, clip, grid), QuantizationError(histogram, all, grid));
    EXPECT_TRUE(IsWhole(SafeEntropyRange(histogram, kQuantizedBins, grid), histogram));
  }
}

TEST(QuantizationErrorTest, OfAHistogramIsThatOfTheMiddlesOfItsBins) {
  // Two bins, middles -0.5 and 0.5. With 0..255 in steps of 1/255 the first becomes 0, the second
  // 127.5 / 255, which is off by half a step.
  const std::vector<uint64_t> counts = {3, 2};
  const std::vector<float> edges = {-1, 0, 1};
  const Histogram histogram{counts, edges, -1, 1};
  const double off = 0.5 / 255;
  EXPECT_NEAR(QuantizationError(histogram, {0, 1}, QuantGrid{}), 3 * 0.25 + 2 * off * off, 1e-8);
}

}  // namespace
}  // namespace ptq
