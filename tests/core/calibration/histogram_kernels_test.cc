#include "calibration/histogram_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace ptq {
namespace histogram_kernels_test {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> Normal(size_t count, unsigned seed, float scale = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(generator) * scale;
  return values;
}

// By the definition: edges[i] <= x < edges[i + 1].
std::vector<uint64_t> CountByEdges(const UniformBins& bins, const std::vector<float>& values) {
  std::vector<uint64_t> counts(bins.count());
  for (const float value : values) {
    if (std::isnan(value)) continue;
    const auto after = std::upper_bound(bins.edges().begin(), bins.edges().end(), value);
    const auto bin = std::clamp<std::ptrdiff_t>(after - bins.edges().begin() - 1, 0,
                                                static_cast<std::ptrdiff_t>(bins.count()) - 1);
    ++counts[static_cast<size_t>(bin)];
  }
  return counts;
}

TEST(HistogramKernelsTest, UniformBinsHoldWhatLiesBetweenTheirEdges) {
  const std::pair<float, float> ranges[] = {
      {-1, 1}, {0, 6}, {-3e-7f, 1e-7f}, {999, 1001}, {-5e30f, 4e30f}, {0, 1e-40f}, {-3e38f, 3e38f}};
  unsigned seed = 0;
  for (const auto& [first, last] : ranges) {
    for (const size_t count :
         {size_t{1}, size_t{7}, size_t{2048}, size_t{2049}, size_t{65536}, size_t{70000}}) {
      const UniformBins bins(first, last, count);
      // Outside, too, where the bins are uncentered and after many values on edges.
      const float outside[] = {-kInfinity, std::nextafter(first, -kInfinity), kInfinity,
                               std::nextafter(last, kInfinity)};
      std::vector<float> values(std::begin(outside), std::end(outside));
      std::mt19937 generator(++seed);
      std::uniform_real_distribution<double> uniform(first, last);
      for (int i = 0; i < 3000; ++i) values.push_back(static_cast<float>(uniform(generator)));
      // Every edge and its neighbours, 0, the ends, NaN, and a length that is no multiple of 4.
      for (size_t i = 0; i < bins.edges().size(); i += 1 + bins.edges().size() / 500) {
        const float edge = bins.edges()[i];
        values.insert(values.end(),
                      {edge, std::nextafter(edge, -kInfinity), std::nextafter(edge, kInfinity)});
      }
      values.insert(values.end(), {0.0f, -0.0f, first, last, kNan});
      values.insert(values.end(), std::begin(outside), std::end(outside));
      std::vector<uint64_t> counts(count);
      bins.Count(values, Values::kSigned, counts);
      EXPECT_EQ(counts, CountByEdges(bins, values)) << first << " " << last << " " << count;
    }
  }
}

TEST(HistogramKernelsTest, MagnitudesAreCountedAsSuch) {
  const std::vector<float> values = Normal(1001, 1);
  std::vector<float> magnitudes = values;
  for (float& value : magnitudes) value = std::fabs(value);
  const UniformBins bins(0, 4, 100);
  std::vector<uint64_t> counts(100);
  bins.Count(values, Values::kAbsolute, counts);
  EXPECT_EQ(counts, CountByEdges(bins, magnitudes));
}

TEST(HistogramKernelsTest, EqualEndsAreMovedApartAsInNumpy) {
  const UniformBins bins(2.5f, 2.5f, 2);
  EXPECT_EQ(bins.edges()[0], 2.0f);
  EXPECT_EQ(bins.edges()[2], 3.0f);
}

void ExpectSame(const NestedBins& a, const NestedBins& b) {
  EXPECT_EQ(a.exponent(), b.exponent());
  EXPECT_EQ(std::vector(a.counts().begin(), a.counts().end()),
            std::vector(b.counts().begin(), b.counts().end()));
  EXPECT_EQ(a.zeros(), b.zeros());
  EXPECT_EQ(a.at_lowest(), b.at_lowest());
  EXPECT_EQ(a.at_highest(), b.at_highest());
  EXPECT_EQ(a.infinite(), b.infinite());
  EXPECT_EQ(a.extremes().lowest, b.extremes().lowest);
  EXPECT_EQ(a.extremes().nans, b.extremes().nans);
}

TEST(HistogramKernelsTest, NestedBinsAreTheSameInAnyOrderAndHoweverShared) {
  std::vector<std::vector<float>> samples = {Normal(500, 1, 1e-3f),
                                             {0, 0, 0},
                                             Normal(300, 2, 100),
                                             {},
                                             {kNan, 1},
                                             {kInfinity, -2e30f},
                                             Normal(7, 3, 1e-42f),
                                             {6, 6, 6, -0.0f}};
  NestedBins whole;
  for (const auto& sample : samples) whole.Count(sample);
  std::mt19937 generator(4);
  for (int round = 0; round < 10; ++round) {
    std::shuffle(samples.begin(), samples.end(), generator);
    NestedBins parts[3];
    for (size_t i = 0; i < samples.size(); ++i) parts[i % 3].Count(samples[i]);
    NestedBins merged;
    for (const NestedBins& part : parts) merged.Add(part);
    ExpectSame(merged, whole);
  }
}

TEST(HistogramKernelsTest, NestedBinsHoldWhatLiesBetweenTheirEdges) {
  const std::vector<float> values = Normal(5000, 5, 3);
  NestedBins bins;
  for (const float value : values) bins.Count({&value, 1});  // grows again and again
  const std::vector<float> edges = bins.Edges();
  std::vector<uint64_t> expected(NestedBins::kBins);
  for (const float value : values) {
    const auto after = std::upper_bound(edges.begin(), edges.end(), value);
    ++expected[static_cast<size_t>(after - edges.begin() - 1)];
    EXPECT_EQ(bins.Find(value), static_cast<size_t>(after - edges.begin() - 1));
  }
  EXPECT_EQ(std::vector(bins.counts().begin(), bins.counts().end()), expected);
}

}  // namespace histogram_kernels_test
}  // namespace ptq
