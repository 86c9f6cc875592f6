#include <gtest/gtest.h>

#include <algorithm>
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
