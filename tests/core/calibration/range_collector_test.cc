#include "calibration/range_collector.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"

namespace ptq {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TensorRange RangeOf(const StaticQuantConfig& config,
                    std::initializer_list<std::vector<float>> samples) {
  RangeCollector collector({"t"}, config);
  for (const std::vector<float>& sample : samples) collector.Observe(sample);
  return collector.Ranges().at("t");
}

TEST(RangeCollectorTest, MinMaxIsTheWidestAndPassesOverNanAndEmptySamples) {
  const TensorRange range = RangeOf({}, {{-1, 2}, {kNan, kNan}, {-3, 1}, {kInfinity, -kInfinity}});
  EXPECT_EQ(range.lowest, -3);
  EXPECT_EQ(range.highest, 2);
  EXPECT_FALSE(range.deviation);
}

TEST(RangeCollectorTest, ATensorWithoutAnyValueHasAnEmptyRange) {
  EXPECT_TRUE(RangeOf({}, {{kNan, kNan}}).is_empty());
  StaticQuantConfig moving;
  moving.calib_moving_average = true;
  EXPECT_TRUE(RangeOf(moving, {{kNan, kNan}, {kInfinity, -kInfinity}}).is_empty());
}

TEST(RangeCollectorTest, TheMovingAverageIsTheMeanOfTheSamplesEnds) {
  StaticQuantConfig config;
  config.calib_moving_average = true;
  const TensorRange range = RangeOf(config, {{-1, 2}, {-3, 4}, {kNan, kNan}});
  EXPECT_EQ(range.lowest, -2);
  EXPECT_EQ(range.highest, 3);
}

TEST(RangeCollectorTest, StridesMergeByTheConstantAndTheLastMayBeShorter) {
  StaticQuantConfig config;
  config.calib_moving_average = true;
  config.calib_moving_average_constant = 0.5;
  config.calib_strided_min_max = 2;
  // Means: [-2, 2] of the first two, then [-4, 6].
  const TensorRange range = RangeOf(config, {{-1, 1}, {-3, 3}, {-4, 6}});
  EXPECT_EQ(range.lowest, -3);
  EXPECT_EQ(range.highest, 4);
}

TEST(RangeCollectorTest, SymmetricRangesAreMirroredByTheLargerEnd) {
  StaticQuantConfig config;
  config.calib_tensor_range_symmetric = true;
  const TensorRange range = RangeOf(config, {{-1, 2}});
  EXPECT_EQ(range.lowest, -2);
  EXPECT_EQ(range.highest, 2);
}

TEST(RangeCollectorTest, DistributionGivesMeanAndDeviationOverSamplesOfAnySize) {
  StaticQuantConfig config;
  config.calibrate_method = CalibrationMethod::kDistribution;
  // {1, 3} and {-2}: count, mean, mean of squares.
  const TensorRange range = RangeOf(config, {{1, 3, 2, 2, 5}, {-2, -2, 1, -2, 4}});
  EXPECT_EQ(range.lowest, -3);
  EXPECT_EQ(range.highest, 3);
  EXPECT_FLOAT_EQ(range.mean, 2.0f / 3);
  EXPECT_FLOAT_EQ(*range.deviation, std::sqrt(14.0f / 3 - 4.0f / 9));
}

TEST(RangeCollectorTest, AWrongCountAndNoSampleAreErrors) {
  RangeCollector collector({"a", "b"}, {});
  EXPECT_THROW(collector.Observe(std::vector<float>{1, 2}), Error);
  EXPECT_THROW(collector.Ranges(), Error);
}

}  // namespace
}  // namespace ptq
