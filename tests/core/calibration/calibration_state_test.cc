// Saving, forking, restoring and adding what a calibration has collected.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "calibration/calibration.h"

namespace ptq {
namespace {

using nlohmann::json;

StaticQuantConfig ConfigOf(CalibrationMethod method) {
  StaticQuantConfig config;
  config.calibrate_method = method;
  return config;
}

Calibration New(CalibrationMethod method) { return {{{"a"}, {"b"}}, ConfigOf(method)}; }

// One sample of both tensors in whatever pass it is.
void Observe(Calibration* calibration, float scale) {
  const std::vector<float> a = {-1.1f * scale, 0, 0.3f * scale};
  const std::vector<float> b = {scale, 2.7f * scale};
  if (calibration->pass() == CalibrationPass::kRanges) {
    calibration->ObserveRanges(std::vector<float>{a[0], a[2], 0, b[0], b[1], 0});
  } else {
    calibration->ObserveTensor(0, a);
    calibration->ObserveTensor(1, b);
  }
}

void ExpectSameRanges(const Calibration& a, const Calibration& b) {
  for (const auto& [tensor, range] : a.Ranges()) {
    EXPECT_EQ(b.Ranges().at(tensor).lowest, range.lowest) << tensor;
    EXPECT_EQ(b.Ranges().at(tensor).highest, range.highest) << tensor;
  }
}

ErrorCode CodeOfRestore(CalibrationMethod method, const std::string& state) {
  try {
    New(method).Restore(state);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kInternal;
}

class CalibrationStateTest : public testing::TestWithParam<CalibrationMethod> {};

TEST_P(CalibrationStateTest, PartsAddUpToTheWhole) {
  Calibration whole = New(GetParam());
  Calibration main = New(GetParam());
  while (!whole.done()) {
    for (const float scale : {1.0f, 2.0f, 0.5f}) Observe(&whole, scale);
    whole.EndPass();
    // A worker takes the second sample; it starts without the first.
    Observe(&main, 1.0f);
    Calibration worker = New(GetParam());
    worker.Restore(main.Fork());
    Observe(&worker, 2.0f);
    main.Add(worker.Save());
    Observe(&main, 0.5f);
    main.EndPass();
  }
  ExpectSameRanges(whole, main);
  EXPECT_EQ(whole.Save(), main.Save());
}

TEST_P(CalibrationStateTest, WhatWasSavedGoesOnInEveryPass) {
  Calibration whole = New(GetParam());
  Calibration resumed = New(GetParam());
  while (!whole.done()) {
    for (const float scale : {1.0f, 2.0f}) {
      Observe(&whole, scale);
      Observe(&resumed, scale);
      Calibration next = New(GetParam());
      next.Restore(resumed.Save());
      EXPECT_EQ(next.Save(), resumed.Save());
      resumed = next;
    }
    whole.EndPass();
    resumed.EndPass();
  }
  Calibration done = New(GetParam());
  done.Restore(resumed.Save());
  EXPECT_TRUE(done.done());
  ExpectSameRanges(whole, done);
}

TEST_P(CalibrationStateTest, AStateOfOtherTensorsOrBinsIsRefused) {
  Calibration calibration = New(GetParam());
  Observe(&calibration, 1);
  calibration.EndPass();
  json state = json::parse(calibration.Save());
  state["tensors"][1]["name"] = "c";
  EXPECT_EQ(CodeOfRestore(GetParam(), state.dump()), ErrorCode::kInvalidCalibrationState);
  state = json::parse(calibration.Save());
  state["tensors"].erase(1);
  EXPECT_EQ(CodeOfRestore(GetParam(), state.dump()), ErrorCode::kInvalidCalibrationState);
  state = json::parse(calibration.Save());
  state["pass"] = 9;
  EXPECT_EQ(CodeOfRestore(GetParam(), state.dump()), ErrorCode::kInvalidCalibrationState);
  state = json::parse(calibration.Save());
  for (const char* counts : {"1 2 3 ", "1 2 3", "-1 ", "0.5 "}) {
    state = json::parse(calibration.Save());
    bool any = false;
    const auto spoil = [&](json& of_counts) {
      if (of_counts["hex"] == "") return;
      of_counts["hex"] = counts;
      any = true;
    };
    for (json& tensor : state["tensors"]) {
      if (tensor.contains("counts")) spoil(tensor["counts"]);
      if (tensor.contains("nested")) spoil(tensor["nested"]["counts"]);
    }
    EXPECT_EQ(any, GetParam() != CalibrationMethod::kMinMax);
    if (any) {
      EXPECT_EQ(CodeOfRestore(GetParam(), state.dump()), ErrorCode::kInvalidCalibrationState)
          << counts;
    }
  }
  EXPECT_EQ(CodeOfRestore(GetParam(), "not JSON"), ErrorCode::kInvalidCalibrationState);
  EXPECT_EQ(CodeOfRestore(GetParam(), "{}"), ErrorCode::kInvalidCalibrationState);
}

INSTANTIATE_TEST_SUITE_P(Methods, CalibrationStateTest,
                         testing::Values(CalibrationMethod::kMinMax, CalibrationMethod::kEntropy,
                                         CalibrationMethod::kPercentile, CalibrationMethod::kMse));

TEST(CalibrationAddTest, AnotherPassIsNotAdded) {
  Calibration first = New(CalibrationMethod::kEntropy);
  Calibration second = New(CalibrationMethod::kEntropy);
  Observe(&first, 1);
  Observe(&second, 1);
  first.EndPass();
  EXPECT_THROW(first.Add(second.Save()), Error);
}

TEST(CalibrationAddTest, WhatIsCollectedInALaterPassIsAdded) {
  // With an effort, MSE and Percentile reduce ranges first.
  for (const auto method : {CalibrationMethod::kMse, CalibrationMethod::kPercentile}) {
    StaticQuantConfig config = ConfigOf(method);
    config.effort = Effort::kFast;
    Calibration whole({{"a"}, {"b"}}, config);
    Calibration first({{"a"}, {"b"}}, config);
    while (!whole.done()) {
      Calibration second({{"a"}, {"b"}}, config);
      second.Restore(first.Fork());
      Observe(&whole, 1);
      Observe(&whole, 2);
      Observe(&first, 1);
      Observe(&second, 2);
      first.Add(second.Save());
      whole.EndPass();
      first.EndPass();
    }
    ExpectSameRanges(whole, first);
    EXPECT_LT(first.Ranges().at("a").lowest, -1);
  }
}

}  // namespace
}  // namespace ptq
