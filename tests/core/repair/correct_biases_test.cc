// Bias correction, on layers whose rounding has a mean.
#include "repair/correct_biases.h"

#include <gtest/gtest.h>

#include <cmath>

#include "passes/infer_shapes.h"
#include "quantization/plan_context.h"
#include "testing/model_text.h"

namespace ptq {
namespace correct_biases_test {

StaticQuantConfig Qdq() {
  StaticQuantConfig config;
  config.quant_format = QuantFormat::kQDQ;
  config.weight_type = QuantType::kInt8;
  return config;
}

QuantPlan PlanOf(const Model& model, const StaticQuantConfig& config) {
  TensorRanges ranges;
  const GraphView view(model.graph());
  for (const std::string& tensor : view.TensorNames()) ranges[tensor] = {-4, 4};
  return PlanQdq(PlanContext(model, config, ranges));
}

std::vector<float> Floats(const Model& model, const std::string& name) {
  return model.tensors().ReadFloats(InitializerOf(model.graph(), name));
}

// The weight as the plan rounds it.
std::vector<float> Rounded(const Model& model, const QuantPlan& plan, const std::string& name) {
  std::vector<float> values = Floats(model, name);
  const float scale = plan.Find(name)->params.scales[0];
  for (float& value : values) value = std::nearbyint(value / scale) * scale;
  return values;
}

TEST(CorrectBiasesTest, TheMeanOutputOfADepthwiseConvIsThatOfTheFloatModel) {
  // All small weights round to 0 beside the large one: a channel that is shifted as a whole.
  TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,2,4,4] x) => (float[1,2,4,4] y) <
        float[2,1,1,2] w = {127, 0.25, 0.4, 0.3}, float[2] b = {1, 2}>
      { y = Conv <group = 2, pads = [0, 0, 0, 1]> (x, w, b) })");
  InferShapes(text.model);
  const QuantPlan plan = PlanOf(text.model, Qdq());
  const std::vector<float> rounded = Rounded(text.model, plan, "w");
  const TensorStatistics statistics = {{"x", {{-4, -4}, {4, 4}, {3, 2}}}};
  EXPECT_EQ(CorrectBiases(plan, statistics, {}, &text.model), 1);
  const std::vector<float> weight = Floats(text.model, "w");
  const std::vector<float> bias = Floats(text.model, "b");
  const float float_mean = 2 * (weight[2] + weight[3]) + 2;
  EXPECT_GT(std::fabs(float_mean - (2 * (rounded[2] + rounded[3]) + 2)), 1);  // uncorrected
  EXPECT_NEAR(2 * (rounded[2] + rounded[3]) + bias[1], float_mean, 1e-5);
  EXPECT_NEAR(3 * (rounded[0] + rounded[1]) + bias[0], 3 * (weight[0] + weight[1]) + 1, 1e-4);
}

TEST(CorrectBiasesTest, ALayerWithoutABiasIsGivenOne) {
  TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,1,1] x) => (float[1,2,1,1] y) <float[2,1,1,1] w = {127, 0.4}>
      { y = Conv (x, w) })");
  InferShapes(text.model);
  const QuantPlan plan = PlanOf(text.model, Qdq());
  EXPECT_EQ(CorrectBiases(plan, {{"x", {{0}, {4}, {2}}}}, {}, &text.model), 1);
  ASSERT_EQ(text.model.graph().node(0).input_size(), 3);
  const std::vector<float> bias = Floats(text.model, text.model.graph().node(0).input(2));
  EXPECT_EQ(bias[0], 0);
  EXPECT_NEAR(bias[1], 0.8, 1e-6);
}

TEST(CorrectBiasesTest, AGemmHasItsFactorsAndAMatMulTheAddBehindIt) {
  TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1] x) => (float[1,2] y) <
        float[1,2] w = {127, 0.4}, float[2] b = {0, 1}, float[2,2] v = {127, 0, 0, 0.3},
        float[1,2] c = {0, 5}>
      { h = Gemm <alpha = 3.0, beta = 2.0> (x, w, b) m = MatMul (h, v) y = Add (c, m) })");
  InferShapes(text.model);
  const QuantPlan plan = PlanOf(text.model, Qdq());
  const TensorStatistics statistics = {{"x", {{0}, {4}, {2}}}, {"h", {{0, 0}, {4, 4}, {1, 2}}}};
  EXPECT_EQ(CorrectBiases(plan, statistics, {}, &text.model), 2);
  EXPECT_NEAR(Floats(text.model, "b")[1], 1 + 3 * 0.4f * 2 / 2, 1e-5);
  EXPECT_NEAR(Floats(text.model, "c")[1], 5 + 0.3f * 2, 1e-5);
}

TEST(CorrectBiasesTest, ABiasThatAnotherNodeReadsStaysAsItIs) {
  TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,1,1] x) => (float[1,2,1,1] y, float[2] z) <
        float[2,1,1,1] w = {127, 0.4}, float[2] b = {1, 1}>
      { y = Conv (x, w, b) z = Exp (b) })");
  InferShapes(text.model);
  const QuantPlan plan = PlanOf(text.model, Qdq());
  EXPECT_EQ(CorrectBiases(plan, {{"x", {{0}, {4}, {2}}}}, {}, &text.model), 1);
  EXPECT_EQ(Floats(text.model, "b"), (std::vector<float>{1, 1}));
  EXPECT_EQ(text.model.graph().node(1).input(0), "b");
  EXPECT_NE(text.model.graph().node(0).input(2), "b");
}

TEST(CorrectBiasesTest, WhatIsNotRoundedOrNotObservedIsLeftAlone) {
  const std::string model = R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,1,1] x) => (float[1,2,1,1] y) <float[2,1,1,1] w = {127, 0.4}, float[2] b = {1, 1}>
      { [conv] y = Conv (x, w, b) })";
  TextModel unobserved(model);
  InferShapes(unobserved.model);
  EXPECT_EQ(CorrectBiases(PlanOf(unobserved.model, Qdq()), {}, {}, &unobserved.model), 0);
  TextModel excluded(model);
  InferShapes(excluded.model);
  StaticQuantConfig config = Qdq();
  config.nodes_to_exclude = {"conv"};
  const TensorStatistics statistics = {{"x", {{0}, {4}, {2}}}};
  EXPECT_EQ(CorrectBiases(PlanOf(excluded.model, config), statistics, {}, &excluded.model), 0);
  EXPECT_EQ(Floats(excluded.model, "b"), (std::vector<float>{1, 1}));
}

}  // namespace correct_biases_test
}  // namespace ptq
