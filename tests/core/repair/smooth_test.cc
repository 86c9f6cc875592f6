// SmoothQuant on a matrix product whose input has one outlier channel, computed here by hand.
#include "repair/smooth.h"

#include <gtest/gtest.h>

#include <cmath>

#include "passes/infer_shapes.h"
#include "testing/model_text.h"

namespace ptq {
namespace smooth_test {

constexpr char kTwoReaders[] = R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[2,3] x) => (float[2,2] y, float[2,2] z, float[2,3] r) <
      float[3,2] w = {0.5, 0.25, 1, -2, 4, 1}, float[3,2] v = {1, 1, 0.5, 0.5, -1, 0.25}>
    { r = Relu (x) y = MatMul (x, w) z = MatMul (x, v) })";

// Channel 0 is the outlier, channel 2 is dead.
TensorStatistics Statistics() { return {{"x", {{-100, -1, 0}, {50, 1, 0}, {10, 0.25, 0}}}}; }

std::vector<float> Floats(const Model& model, const std::string& name) {
  return model.tensors().ReadFloats(InitializerOf(model.graph(), name));
}

TEST(SmoothTest, TheOutlierMovesIntoTheWeightsAndProductsStayTheSame) {
  TextModel text(kTwoReaders);
  InferShapes(text.model);
  const TextModel before(text.model.proto());
  TensorRanges ranges = {{"x", {-100, 50}}};
  TensorStatistics statistics = Statistics();
  EXPECT_EQ(SmoothInputs(StaticQuantConfig{}, 0.5, &text.model, &ranges, &statistics), 1);
  EXPECT_EQ(OpTypes(text.model.graph()), "Relu Mul MatMul MatMul");
  const onnx::NodeProto& mul = text.model.graph().node(1);
  EXPECT_EQ(mul.input(0), "x");
  EXPECT_EQ(text.model.graph().node(0).input(0), "x");  // who else reads it reads it as it was
  EXPECT_EQ(text.model.graph().node(2).input(0), mul.output(0));
  EXPECT_EQ(text.model.graph().node(3).input(0), mul.output(0));
  const std::vector<float> inverse = Floats(text.model, mul.input(1));
  for (const char* weight : {"w", "v"}) {
    const std::vector<float> old = Floats(before.model, weight);
    const std::vector<float> scaled = Floats(text.model, weight);
    for (size_t i = 0; i < old.size(); ++i) {
      EXPECT_NEAR(scaled[i] * inverse[i / 2], old[i], 1e-6) << weight << i;
    }
  }
  EXPECT_EQ(inverse[2], 1);
  // The gain: channel 1 has a larger share of the range that both are read with.
  const TensorRange range = ranges.at(mul.output(0));
  const ChannelStatistics& seen = statistics.at(mul.output(0));
  EXPECT_EQ(range.lowest, seen.lowest[0]);
  EXPECT_GT(seen.highest[1] / -range.lowest, 5 * (1.0f / 100));
  EXPECT_NEAR(seen.mean[1], 0.25 * inverse[1], 1e-6);
  EXPECT_EQ(ranges.at("x").lowest, -100);
}

TEST(SmoothTest, RefusesWeightsThatOthersReadAndRangesThatAreNotThoseOfTheValues) {
  TextModel shared(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[2,2] x) => (float[2,2] y, float[2,2] z) <float[2,2] w = {1, 2, 3, 4}>
      { y = MatMul (x, w) z = Exp (w) })");
  InferShapes(shared.model);
  StaticQuantConfig config;
  TensorRanges ranges = {{"x", {-1, 1}}};
  TensorStatistics statistics = {{"x", {{-1, -1}, {1, 1}, {0, 0}}}};
  EXPECT_EQ(SmoothInputs(config, 0.5, &shared.model, &ranges, &statistics), 0);
  TextModel text(kTwoReaders);
  InferShapes(text.model);
  statistics = Statistics();
  config.calibrate_method = CalibrationMethod::kEntropy;
  EXPECT_EQ(SmoothInputs(config, 0.5, &text.model, &ranges, &statistics), 0);
  EXPECT_EQ(OpTypes(text.model.graph()), "Relu MatMul MatMul");
}

}  // namespace smooth_test
}  // namespace ptq
