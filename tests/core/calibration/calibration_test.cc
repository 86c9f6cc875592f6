#include "calibration/calibration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <random>

#include "calibration/clip_kernels.h"

namespace ptq {
namespace calibration_test {

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

StaticQuantConfig Percentile(double percentile, bool symmetric, bool only) {
  StaticQuantConfig config;
  config.calibrate_method = CalibrationMethod::kPercentile;
  config.calib_percentile = percentile;
  config.calib_tensor_range_symmetric = symmetric;
  config.only_percentile = only;
  return config;
}

// Two tensors, and three that follow from the first by a Clip, a Relu and by moving values.
std::vector<CalibratedTensor> WithDerived() {
  std::vector<CalibratedTensor> tensors = {{"a"}, {"clip"}, {"relu"}, {"moved"}, {"b"}};
  tensors[1].derived = Derivation{0, {-0.5f, 1}};
  tensors[2].derived = Derivation{0, {0, std::numeric_limits<float>::infinity()}};
  tensors[3].derived = Derivation{0, {}};
  return tensors;
}

// Samples of a heavy-tailed tensor "a" of `size` values and a small one "b".
std::vector<std::array<std::vector<float>, 2>> HeavyTailed(size_t samples, size_t size,
                                                           uint32_t seed) {
  std::mt19937 random(seed);
  std::student_t_distribution<float> heavy(3);
  std::vector<std::array<std::vector<float>, 2>> all(samples);
  for (auto& [a, b] : all) {
    for (size_t i = 0; i < size; ++i) a.push_back(heavy(random));
    for (size_t i = 0; i < size / 50; ++i) b.push_back(std::max(0.0f, heavy(random) - 1));
  }
  return all;
}

// Passes run until the ranges are there; returns how many.
template <typename Samples>
size_t RunAll(const Samples& samples, Calibration* calibration) {
  size_t passes = 0;
  for (; !calibration->done(); ++passes) {
    for (const auto& [a, b] : samples) {
      if (calibration->pass() == kRanges) {
        const auto [lowest, highest] = std::minmax_element(a.begin(), a.end());
        const auto [low, high] = std::minmax_element(b.begin(), b.end());
        const ClipBounds clip{-0.5f, 1};
        calibration->ObserveRanges(
            std::vector<float>{*lowest, *highest, 0, Clip(*lowest, clip), Clip(*highest, clip), 0,
                               std::max(*lowest, 0.0f), std::max(*highest, 0.0f), 0, *lowest,
                               *highest, 0, *low, *high, 0});
        continue;
      }
      if (calibration->needs(0)) calibration->ObserveTensor(0, a);
      if (calibration->needs(4)) calibration->ObserveTensor(4, b);
    }
    calibration->EndPass();
  }
  return passes;
}

TEST(CalibrationTest, APercentileNear100FollowsFromTheOutermostValues) {
  size_t in_one_pass = 0;
  for (uint32_t seed = 0; seed < 12; ++seed) {
    const auto samples = HeavyTailed(4, 6007 + 977 * seed, seed);
    for (const bool symmetric : {true, false}) {
      for (const double percentile : {99.99, 99.995, 99.999, 99.9999}) {
        Calibration whole(WithDerived(), Percentile(percentile, symmetric, false));
        EXPECT_EQ(RunAll(samples, &whole), 2u);
        Calibration only(WithDerived(), Percentile(percentile, symmetric, true));
        in_one_pass += RunAll(samples, &only) == 1;
        const TensorRanges expected = whole.Ranges();
        const TensorRanges ranges = only.Ranges();
        for (const auto& [name, range] : expected) {
          EXPECT_EQ(ranges.at(name).lowest, range.lowest) << name << " " << percentile;
          EXPECT_EQ(ranges.at(name).highest, range.highest) << name << " " << percentile;
        }
      }
    }
  }
  EXPECT_GT(in_one_pass, 90u);  // of 96
}

TEST(CalibrationTest, WhereTheOutermostValuesAreNotEnoughTheirTensorIsCounted) {
  // A share of 1e-5 of the two million values of "a" is 20 of them exactly.
  const auto samples = HeavyTailed(20, 100'000, 5);
  Calibration only(WithDerived(), Percentile(99.999, true, true));
  for (const auto& [a, b] : samples) {
    only.ObserveTensor(0, a);
    only.ObserveTensor(4, b);
  }
  EXPECT_TRUE(only.may_add_pass());
  only.EndPass();
  ASSERT_FALSE(only.done());
  EXPECT_EQ(only.pass(), kHistograms);
  EXPECT_EQ(only.pass_count(), 2u);
  EXPECT_TRUE(only.needs(0));
  EXPECT_FALSE(only.needs(4));
  // A worker and a later run go on from there.
  Calibration other(WithDerived(), Percentile(99.999, true, true));
  other.Restore(only.Fork());
  EXPECT_EQ(other.pass(), kHistograms);
  RunAll(samples, &other);
  Calibration whole(WithDerived(), Percentile(99.999, true, false));
  RunAll(samples, &whole);
  for (const auto& [name, range] : whole.Ranges()) {
    EXPECT_EQ(other.Ranges().at(name).highest, range.highest) << name;
  }
}

TEST(CalibrationTest, OfFewValuesAPercentileIsKnownWhereverItsShareEnds) {
  // 100 samples of 1,000 classes: a share of 1e-5 is one of them exactly.
  for (uint32_t seed = 0; seed < 8; ++seed) {
    const auto samples = HeavyTailed(100, 1000, seed);
    for (const bool symmetric : {true, false}) {
      const double percentile = symmetric ? 99.999 : 99.998;
      Calibration only(WithDerived(), Percentile(percentile, symmetric, true));
      EXPECT_EQ(RunAll(samples, &only), 1u);
      Calibration whole(WithDerived(), Percentile(percentile, symmetric, false));
      RunAll(samples, &whole);
      for (const auto& [name, range] : whole.Ranges()) {
        EXPECT_EQ(only.Ranges().at(name).lowest, range.lowest) << name << " " << seed;
        EXPECT_EQ(only.Ranges().at(name).highest, range.highest) << name << " " << seed;
      }
    }
  }
}

TEST(CalibrationTest, PartsOfOutermostValuesAddUpInAnyOrder) {
  const auto samples = HeavyTailed(4, 30'011, 6);
  const auto observe = [&](Calibration* calibration, size_t first, size_t step) {
    for (size_t i = first; i < samples.size(); i += step) {
      calibration->ObserveTensor(0, samples[i][0]);
      calibration->ObserveTensor(4, samples[i][1]);
    }
  };
  const StaticQuantConfig config = Percentile(99.99, false, true);
  Calibration whole(WithDerived(), config);
  observe(&whole, 0, 1);
  whole.EndPass();
  Calibration first(WithDerived(), config);
  Calibration second(WithDerived(), config);
  observe(&first, 1, 2);
  observe(&second, 0, 2);
  first.Add(second.Save());
  first.EndPass();
  EXPECT_EQ(first.Save(), whole.Save());
  Calibration restored(WithDerived(), config);
  restored.Restore(whole.Save());
  EXPECT_EQ(restored.Save(), whole.Save());
  EXPECT_EQ(restored.done(), whole.done());
}

}  // namespace calibration_test
}  // namespace ptq
