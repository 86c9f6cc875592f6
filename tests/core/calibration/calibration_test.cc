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

TEST(CalibrationTest, AnEffortReducesWhatRepairsAreMadeFrom) {
  using V = std::vector<CalibrationPass>;
  const auto passes = [](CalibrationMethod method) {
    StaticQuantConfig config;
    config.calibrate_method = method;
    config.effort = Effort::kNormal;
    return PassesOf(config);
  };
  EXPECT_EQ(passes(CalibrationMethod::kMinMax), V{kRanges});
  EXPECT_EQ(passes(CalibrationMethod::kPercentile), (V{kRanges, kMagnitudes, kHistograms}));
  EXPECT_EQ(passes(CalibrationMethod::kMse), (V{kRanges, kNestedHistograms}));
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

TEST(CalibrationTest, RangesForRepairsAreOfTheSamplesThatTheyAreMadeFrom) {
  StaticQuantConfig config;
  config.effort = Effort::kNormal;
  const std::vector<CalibratedTensor> tensors = {{"a", FloatType::kFloat, 2, true}, {"b"}, {"c"}};
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Calibration calibration(tensors, config);
  calibration.ObserveRanges(
      std::vector<float>{-1, 1, 0, -3, 0, 0, 5, 6, 0, kInfinity, -kInfinity, 0});
  Calibration other(tensors, config);
  other.Restore(calibration.Fork());
  other.ObserveRanges(std::vector<float>{-9, 9, 0, 1, 8, 0, 2, 3, 0}, false);  // by tensor
  other.ObserveRanges(std::vector<float>{-2, 2, 0, 0, 1, 0, 5, 7, 0, 2, 3, 0}, true);
  calibration.Add(other.Save());
  calibration.EndPass();
  EXPECT_EQ(calibration.Ranges().at("a").lowest, -9);
  EXPECT_EQ(calibration.Ranges().at("b").lowest, 1);
  const TensorRanges ranges = calibration.RangesForRepairs();
  EXPECT_EQ(ranges.at("a").lowest, -3);
  EXPECT_EQ(ranges.at("a").highest, 2);
  EXPECT_EQ(ranges.at("b").lowest, 5);
  EXPECT_EQ(ranges.at("b").highest, 7);
  EXPECT_EQ(ranges.at("c").lowest, 2);
}

TEST(CalibrationTest, RangesForRepairsAreAllWhereNoneOfTheirSamplesHasAValue) {
  StaticQuantConfig config;
  config.effort = Effort::kNormal;
  Calibration calibration({{"a", FloatType::kFloat, 1, true}}, config);
  calibration.ObserveRanges(std::vector<float>{-1, 1, 0}, false);
  calibration.EndPass();
  EXPECT_EQ(calibration.RangesForRepairs().at("a").highest, 1);
}

TEST(CalibrationTest, TheFirstTensorWithNanIsNamed) {
  Calibration calibration({{"a"}, {"b"}, {"c"}}, {});
  calibration.ObserveRanges(std::vector<float>{-1, 1, 0, -1, 1, kNan, -1, 1, kNan});
  calibration.EndPass();
  const Diagnostics notes = calibration.Notes();
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0].code, "NAN_IN_TENSOR");
  EXPECT_EQ(notes[0].tensor, "b");
  EXPECT_NE(notes[0].message.str().find("1 more"), std::string::npos);
}

// What the notes say of clipped tensors; "" where they say nothing.
std::string ClippedNote(const Calibration& calibration) {
  for (const Diagnostic& note : calibration.Notes()) {
    if (note.code == "CALIBRATION_CLIPPED") return note.message;
  }
  return "";
}

TEST(CalibrationTest, TensorsWhoseValuesAreCutOffAreCounted) {
  StaticQuantConfig config;
  config.calibrate_method = CalibrationMethod::kPercentile;
  config.calib_percentile = 90;
  config.calib_tensor_range_symmetric = false;
  // All of a is needed; a twentieth is cut off at either side of b, where few values are, and of
  // c, which loses nine tenths of where its values lie.
  const std::vector<float> a(1000, 1);
  std::vector<float> b(1000);
  std::vector<float> c(1000, 1);
  for (size_t i = 0; i < 1000; ++i) {
    b[i] = i < 40 ? 0 : i < 80 ? 1 : static_cast<float>(i - 80) / 920;
  }
  for (size_t i = 0; i < 540; ++i) c[i] = i < 500 ? 0 : 10;
  Calibration calibration({{"a"}, {"b"}, {"c"}}, config);
  calibration.ObserveRanges(std::vector<float>{1, 1, 0, 0, 1, 0, 0, 10, 0});
  calibration.EndPass();
  calibration.ObserveTensor(0, a);
  calibration.ObserveTensor(1, b);
  calibration.ObserveTensor(2, c);
  calibration.EndPass();
  EXPECT_EQ(calibration.Ranges().at("a").highest, 1);
  EXPECT_LT(calibration.Ranges().at("c").highest, 2);
  EXPECT_LT(calibration.Ranges().at("b").highest, 1);
  EXPECT_EQ(
      ClippedNote(calibration),
      "2 of 3 tensors have a range that cuts values off, 1 of them by more than 10 % of where "
      "their values lie.");
}

TEST(CalibrationTest, MinMaxClipsNothing) {
  Calibration calibration({{"a"}}, StaticQuantConfig{});
  calibration.ObserveRanges(std::vector<float>{-1, 1, 0});
  calibration.EndPass();
  EXPECT_EQ(ClippedNote(calibration), "");
}

}  // namespace
}  // namespace ptq
