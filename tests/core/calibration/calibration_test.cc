#include "calibration/calibration.h"

#include <gtest/gtest.h>

#include <limits>

namespace ptq {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

using enum CalibrationPass;

std::vector<CalibrationPass> Passes(CalibrationMethod method, bool symmetric = false) {
  StaticQuantConfig config;
  config.calibrate_method = method;
  config.calib_tensor_range_symmetric = symmetric;
  return PassesOf(config);
}

TEST(CalibrationTest, EachMethodNeedsItsPasses) {
  using V = std::vector<CalibrationPass>;
  EXPECT_EQ(Passes(CalibrationMethod::kMinMax), V{kRanges});
  EXPECT_EQ(Passes(CalibrationMethod::kEntropy), (V{kRanges, kHistograms}));
  EXPECT_EQ(Passes(CalibrationMethod::kDistribution), (V{kRanges, kHistograms}));
  EXPECT_EQ(Passes(CalibrationMethod::kPercentile), (V{kRanges, kHistograms}));
  EXPECT_EQ(Passes(CalibrationMethod::kPercentile, true), (V{kMagnitudes, kHistograms}));
  EXPECT_EQ(Passes(CalibrationMethod::kMse), V{kNestedHistograms});
  EXPECT_EQ(Passes(CalibrationMethod::kAuto), V{kNestedHistograms});
}

TEST(CalibrationTest, RangesByChannelAddUpToThatOfTheTensor) {
  StaticQuantConfig config;
  config.calib_per_channel = true;
  Calibration calibration({{"a", FloatType::kFloat, 2}, {"b"}}, config);
  calibration.ObserveRanges(std::vector<float>{-1, 1, 0, -3, 0, 0, 5, 6, 0});
  calibration.ObserveRanges(std::vector<float>{-2, 0, 0, -1, 4, 0, 5, 7, 0});
  calibration.EndPass();
  ASSERT_TRUE(calibration.done());
  EXPECT_EQ(calibration.Ranges().at("a").lowest, -3);
  EXPECT_EQ(calibration.Ranges().at("a").highest, 4);
  EXPECT_EQ(calibration.Ranges().at("b").highest, 7);
  const std::map<std::string, ChannelRange> channels = calibration.RangesByChannel();
  EXPECT_EQ(channels.at("a").lowest, (std::vector<float>{-2, -3}));
  EXPECT_EQ(channels.at("a").highest, (std::vector<float>{1, 4}));
}

TEST(CalibrationTest, TheFirstTensorWithNanIsNamed) {
  Calibration calibration({{"a"}, {"b"}, {"c"}}, {});
  calibration.ObserveRanges(std::vector<float>{-1, 1, 0, -1, 1, kNan, -1, 1, kNan});
  calibration.EndPass();
  const Diagnostics notes = calibration.Notes();
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0].code, "NAN_IN_TENSOR");
  EXPECT_EQ(notes[0].tensor, "b");
  EXPECT_NE(notes[0].message.find("1 more"), std::string::npos);
}

}  // namespace
}  // namespace ptq
