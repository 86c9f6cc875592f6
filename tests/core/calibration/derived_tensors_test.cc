#include "calibration/derived_tensors.h"

#include <gtest/gtest.h>

#include <cmath>

#include "calibration/calibration_model.h"
#include "calibration/clip_kernels.h"
#include "passes/infer_shapes.h"
#include "testing/model_text.h"

namespace ptq {
namespace derived_tensors_test {

std::vector<CalibratedTensor> TensorsOf(const std::string& graph, int opset = 13) {
  TextModel text("<ir_version: 8, opset_import: [\"\" : " + std::to_string(opset) + "]> " + graph);
  InferShapes(text.model);
  return TensorsToCalibrate(text.model, StaticQuantConfig{});
}

// "r of c in 0..6" for each tensor that is derived.
std::vector<std::string> Derived(const std::vector<CalibratedTensor>& tensors) {
  std::vector<std::string> texts;
  for (const CalibratedTensor& tensor : tensors) {
    if (!tensor.derived) continue;
    const auto& [source, clip] = *tensor.derived;
    const auto end = [](float value) {
      return std::isfinite(value) ? std::to_string(std::lround(value)) : "";
    };
    texts.push_back(tensor.name + " of " + tensors[source].name + " in " + end(clip.low) + ".." +
                    end(clip.high));
  }
  return texts;
}

using Strings = std::vector<std::string>;

TEST(DerivedTensorsTest, ClippedAndMovedTensorsFollowFromTheFirstOfTheirChain) {
  const auto tensors = TensorsOf(R"(
    g (float[1,1,2,2] x) => (float[4] y)
    <float[1,1,1,1] w = {1}, int64[1] flat = {-1}, float low = {-1}, float high = {6}>
    { c = Conv (x, w)  r = Relu (c)  k = Clip (r, low, high)  y = Reshape (k, flat) })");
  EXPECT_EQ(Derived(tensors), (Strings{"r of c in 0..", "k of c in 0..6", "y of c in 0..6"}));
}

TEST(DerivedTensorsTest, WhatComputesIsObserved) {
  EXPECT_TRUE(Derived(TensorsOf(R"(g (float[1,1,2,2] x, float high) => (float[1,1,2,2] y)
    <float[1,1,1,1] w = {1}> { c = Conv (x, w)  k = Clip (c, , high)  y = Sigmoid (k) })"))
                  .empty());
}

TEST(DerivedTensorsTest, ASourceThatIsNotCalibratedTellsNothing) {
  // Erf is no operator to be quantized, so that e is read by the Relu only as its input.
  const auto tensors = TensorsOf(R"(g (float[1,1,2,2] x) => (float[1,1,2,2] y)
    <float[1,1,1,1] w = {1}> { e = Erf (x)  r = Relu (e)  y = Conv (r, w) })");
  EXPECT_EQ(Derived(tensors), (Strings{"r of e in 0.."}));
  StaticQuantConfig config;
  config.op_types_to_quantize = {"Conv"};
  TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[1,1,2,2] x) => (float[1,1,2,2] y)
    <float[1,1,1,1] w = {1}> { e = Erf (x)  r = Relu (e)  y = Conv (r, w) })");
  InferShapes(text.model);
  EXPECT_TRUE(Derived(TensorsToCalibrate(text.model, config)).empty());
}

TEST(DerivedTensorsTest, Float16IsMovedButNotClipped) {
  const auto tensors = TensorsOf(R"(g (float16[1,1,2,2] x) => (float16[4] y)
    <float16[1,1,1,1] w = {1}, int64[1] flat = {-1}>
    { c = Conv (x, w)  r = Relu (c)  y = Reshape (r, flat) })");
  EXPECT_EQ(Derived(tensors), (Strings{"y of r in .."}));
}

// Values in several parts, with all that could go wrong in them.
std::vector<std::vector<float>> Parts() {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<std::vector<float>> parts = {{0.0f, -0.0f, -3, 2.5f, std::nanf(""), 9, -4.5f}, {}};
  for (int i = 0; i < 5000; ++i) {
    parts[1].push_back(static_cast<float>(std::sin(i) * (i % 97) / 8));
  }
  parts.push_back({1, kInfinity});
  return parts;
}

struct Case {
  CalibrationMethod method;
  bool symmetric;
  size_t parts;  // the third has an infinite value
};

class DerivedCountsTest : public testing::TestWithParam<Case> {};

// What a calibration saves and finds is the same whether derived tensors are observed or not.
TEST_P(DerivedCountsTest, AreThoseOfTheValuesThemselves) {
  const auto& [method, symmetric, count] = GetParam();
  StaticQuantConfig config;
  config.calibrate_method = method;
  config.calib_tensor_range_symmetric = symmetric;
  const ClipBounds all;
  const ClipBounds clips[] = {{0, all.high}, {-2, 2}, {0, 6}, all, {0, 100}};
  std::vector<CalibratedTensor> plain = {{"x"}};
  std::vector<CalibratedTensor> derived = {{"x"}};
  for (const ClipBounds& clip : clips) {
    plain.push_back({"t" + std::to_string(plain.size())});
    derived.push_back(plain.back());
    derived.back().derived = Derivation{0, clip};
  }
  Calibration observed(plain, config);
  Calibration followed(derived, config);
  while (!observed.done()) {
    std::vector<std::vector<float>> parts = Parts();
    parts.resize(count);
    for (const std::vector<float>& values : parts) {
      std::vector<float> reductions;
      for (size_t i = 0; i < plain.size(); ++i) {
        const ClipBounds clip = i == 0 ? all : clips[i - 1];
        std::vector<float> clipped;
        for (const float value : values) clipped.push_back(Clip(value, clip));
        const Extremes extremes = FindExtremes(clipped, Values::kSigned);
        reductions.insert(reductions.end(), {extremes.lowest, extremes.highest, 0});
        if (observed.pass() != CalibrationPass::kRanges) observed.ObserveTensor(i, clipped);
      }
      if (observed.pass() == CalibrationPass::kRanges) {
        observed.ObserveRanges(reductions);
        followed.ObserveRanges(reductions);
      } else {
        followed.ObserveTensor(0, values);
      }
    }
    observed.EndPass();
    followed.EndPass();
    EXPECT_EQ(observed.Save(), followed.Save());
  }
  for (const auto& [name, range] : observed.Ranges()) {
    EXPECT_EQ(range.lowest, followed.Ranges().at(name).lowest) << name;
    EXPECT_EQ(range.highest, followed.Ranges().at(name).highest) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, DerivedCountsTest,
                         testing::Values(Case{CalibrationMethod::kEntropy, false, 2},
                                         Case{CalibrationMethod::kPercentile, false, 2},
                                         Case{CalibrationMethod::kPercentile, true, 2},
                                         Case{CalibrationMethod::kPercentile, false, 3},
                                         Case{CalibrationMethod::kPercentile, true, 3},
                                         Case{CalibrationMethod::kDistribution, false, 2},
                                         Case{CalibrationMethod::kMse, false, 2},
                                         Case{CalibrationMethod::kMse, false, 3},
                                         Case{CalibrationMethod::kAuto, false, 2}));

TEST(DerivedTensorsTest, NoneIsDerivedFromALaterOrADerivedTensor) {
  const auto make = [](size_t source) {
    std::vector<CalibratedTensor> tensors = {{"x"}, {"a"}, {"b"}};
    tensors[1].derived = Derivation{0, {}};
    tensors[2].derived = Derivation{source, {}};
    return Calibration(tensors, {});
  };
  EXPECT_NO_THROW(make(0));
  EXPECT_ANY_THROW(make(1));
  EXPECT_ANY_THROW(make(2));
  EXPECT_ANY_THROW(make(7));
}

}  // namespace derived_tensors_test
}  // namespace ptq
