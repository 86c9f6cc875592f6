// Cross-layer equalization, on pairs of 1x1 convolutions that are computed here by hand.
#include "repair/equalize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "passes/infer_shapes.h"
#include "testing/model_text.h"

namespace ptq {
namespace equalize_test {

std::string Model2(const std::string& between, const std::string& outputs = "") {
  return R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,2,1,1] x) => (float[1,1,1,1] y)" +
         outputs + R"() <
        float[2,2,1,1] w = {100, 50, 0.02, 0.01}, float[2] b = {1, 0.001},
        float[1,2,1,1] v = {0.01, 90}, float[1] c = {0.5}, float low = {0}, float high = {6}> {
        a = Conv (x, w, b)
        h = )" +
         between + R"( (a)
        y = Conv (h, v, c)
      })";
}

TensorRanges Ranges() { return {{"x", {-1, 1}}, {"a", {-9, 9}}, {"h", {0, 9}}, {"y", {-9, 9}}}; }
TensorStatistics Statistics() {
  return {{"x", {{-1, -1}, {1, 1}, {0, 0}}}, {"h", {{0, 0}, {9, 0.002f}, {3, 0.001}}}};
}

std::vector<float> Floats(const Model& model, const std::string& name) {
  return model.tensors().ReadFloats(InitializerOf(model.graph(), name));
}

// y of the model at x.
float Output(const Model& model, float x0, float x1, float high) {
  const std::vector<float> w = Floats(model, "w"), b = Floats(model, "b");
  const std::vector<float> v = Floats(model, "v"), c = Floats(model, "c");
  float y = c[0];
  for (size_t o = 0; o < 2; ++o) {
    y += v[o] * std::clamp(w[2 * o] * x0 + w[2 * o + 1] * x1 + b[o], 0.0f, high);
  }
  return y;
}

float LargestOf(const std::vector<float>& values) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::fabs(value));
  return largest;
}

TEST(EqualizeTest, ChannelsReachEquallyFarAndTheModelStaysTheSame) {
  TextModel text(Model2("Relu"));
  InferShapes(text.model);
  const TextModel before(text.model.proto());
  TensorRanges ranges = Ranges();
  TensorStatistics statistics = Statistics();
  EXPECT_EQ(EqualizeLayers(StaticQuantConfig{}, &text.model, &ranges, &statistics), 1);
  for (const auto& [x0, x1] : {std::pair(0.3f, -0.2f), std::pair(-0.01f, 0.04f)}) {
    EXPECT_NEAR(Output(text.model, x0, x1, 1e9f), Output(before.model, x0, x1, 1e9f), 1e-5);
  }
  const std::vector<float> w = Floats(text.model, "w"), v = Floats(text.model, "v");
  EXPECT_NEAR(w[0], v[0], 1e-4);  // each channel reaches as far in both
  EXPECT_NEAR(w[2], v[1], 1e-4);
  // The gain: with one scale for all, the small channel was rounded to nothing.
  EXPECT_LT(0.02f, LargestOf({100, 50, 0.02f, 0.01f}) / 255 / 2);
  EXPECT_GT(w[3], LargestOf(w) / 255 * 2);
  // What lies between has the range that it has now.
  const ChannelStatistics& h = statistics.at("h");
  EXPECT_NEAR(h.highest[0], 9 * w[0] / 100, 1e-5);
  EXPECT_NEAR(h.mean[1], 0.001 * w[2] / 0.02, 1e-5);
  EXPECT_EQ(ranges.at("h").highest, std::max(h.highest[0], h.highest[1]));
  EXPECT_EQ(ranges.at("a").highest, ranges.at("h").highest);
}

TEST(EqualizeTest, AClipCountsForChannelsThatStayWellWithinItsBounds) {
  std::string model = Model2("Clip");
  model.replace(model.find("(a)"), 3, "(a, low, high)");
  TextModel text(model);
  InferShapes(text.model);
  TensorRanges ranges = Ranges();
  TensorStatistics statistics = Statistics();  // channel 0 reaches 9, channel 1 0.002
  EXPECT_EQ(EqualizeLayers(StaticQuantConfig{}, &text.model, &ranges, &statistics), 1);
  const std::vector<float> w = Floats(text.model, "w");
  EXPECT_EQ(w[0], 100);
  EXPECT_GT(w[2], 1);
  EXPECT_LE(statistics.at("h").highest[1], 6 / 2);
}

TEST(EqualizeTest, WhatIsAboveZeroInEverySampleMovesIntoTheNextBias) {
  TextModel text(Model2("Relu"));
  InferShapes(text.model);
  const TextModel before(text.model.proto());
  TensorRanges ranges = Ranges();
  TensorStatistics statistics = Statistics();
  statistics["h"].lowest = {4, 0};
  EXPECT_EQ(EqualizeLayers(StaticQuantConfig{}, &text.model, &ranges, &statistics), 1);
  const float scale = Floats(text.model, "w")[0] / 100;
  EXPECT_NEAR(statistics.at("h").lowest[0], 2 * scale, 1e-5);
  EXPECT_NEAR(statistics.at("h").highest[0], 7 * scale, 1e-5);
  EXPECT_NEAR(Floats(text.model, "b")[0], (1 - 2) * scale, 1e-5);
  EXPECT_NEAR(Output(text.model, 0.3f, -0.2f, 1e9f), Output(before.model, 0.3f, -0.2f, 1e9f), 1e-4);
}

TEST(EqualizeTest, RefusesAMatrixProductAlongAnotherAxisThanTheChannels) {
  TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,2,1,2] x) => (float[1,2,1,1] y) <
        float[2,2,1,1] w = {100, 50, 0.02, 0.01}, float[2] b = {1, 0.001}, float[2,1] v = {0.01, 90}>
      { a = Conv (x, w, b) h = Relu (a) y = MatMul (h, v) })");
  InferShapes(text.model);
  TensorRanges ranges = Ranges();
  TensorStatistics statistics = Statistics();
  EXPECT_EQ(EqualizeLayers(StaticQuantConfig{}, &text.model, &ranges, &statistics), 0);
}

TEST(EqualizeTest, RefusesWhereAnyoneElseReadsWhatChanges) {
  StaticQuantConfig config;
  const auto pairs = [&](const std::string& model) {
    TextModel text(model);
    InferShapes(text.model);
    TensorRanges ranges = Ranges();
    TensorStatistics statistics = Statistics();
    return EqualizeLayers(config, &text.model, &ranges, &statistics);
  };
  EXPECT_EQ(pairs(Model2("Relu")), 1);
  EXPECT_EQ(pairs(Model2("Relu", ", float[1,2,1,1] h")), 0);
  EXPECT_EQ(pairs(Model2("Sigmoid")), 0);
  config.per_channel = true;  // each channel has a scale of its own already
  EXPECT_EQ(pairs(Model2("Relu")), 0);
  config.per_channel = false;
  config.calibrate_method = CalibrationMethod::kEntropy;
  EXPECT_EQ(pairs(Model2("Relu")), 0);
}

}  // namespace equalize_test
}  // namespace ptq
