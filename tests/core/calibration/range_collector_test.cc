#include "calibration/range_collector.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace ptq {
namespace range_collector_test {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TensorRange RangeOf(const StaticQuantConfig& config,
                    std::initializer_list<std::vector<float>> samples) {
  RangeCollector collector(1, config);
  for (std::vector<float> sample : samples) {
    sample.push_back(0);  // the sum
    collector.Observe(sample);
  }
  return collector.Range(0);
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

TEST(RangeCollectorTest, AWrongCountIsAnError) {
  RangeCollector collector(2, {});
  EXPECT_THROW(collector.Observe(std::vector<float>{1, 2}), Error);
}

TEST(RangeCollectorTest, NanIsCountedByTheSumUnlessInfinitiesMakeIt) {
  RangeCollector collector(1, {});
  collector.Observe(std::vector<float>{-1, 1, 0});
  collector.Observe(std::vector<float>{-1, 1, kNan});
  collector.Observe(std::vector<float>{kNan, kNan, kNan});
  collector.Observe(std::vector<float>{-kInfinity, kInfinity, kNan});
  EXPECT_EQ(collector.nan_samples(0), 2u);
}

TEST(RangeCollectorTest, PartsAddUpAndWhatWasSavedGoesOn) {
  StaticQuantConfig moving;
  moving.calib_moving_average = true;
  for (const StaticQuantConfig& config : {StaticQuantConfig{}, moving}) {
    RangeCollector whole(1, config);
    RangeCollector first(1, config);
    whole.Observe(std::vector<float>{-1, 2, 0});
    first.Observe(std::vector<float>{-1, 2, 0});
    RangeCollector second(1, config);
    second.Restore(first.Save());
    for (RangeCollector* collector : {&whole, &second}) {
      collector->Observe(std::vector<float>{-0.1f, 3.7f, 0});
    }
    EXPECT_EQ(whole.Range(0).lowest, second.Range(0).lowest);
    EXPECT_EQ(whole.Range(0).highest, second.Range(0).highest);
    EXPECT_EQ(second.samples(), 2u);
  }
  RangeCollector average(1, moving);
  EXPECT_THROW(average.Add(average), Error);
}

}  // namespace range_collector_test
}  // namespace ptq
