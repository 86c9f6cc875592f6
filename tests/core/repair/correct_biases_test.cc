// Bias correction, on layers whose rounding has a mean.
#include "repair/correct_biases.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "model/tensor_builder.h"
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

// What correction adds to each bias, summed up weight by weight in their order.
std::vector<float> Expected(const Model& model, const QuantPlan& plan,
                            const std::vector<double>& mean) {
  const LinearLayer layer = FindLinearLayers(GraphView(model.graph())).at(0);
  const QuantParams& params = plan.Find("w")->params;
  const std::vector<float> weights = Floats(model, "w");
  std::vector<double> sums(static_cast<size_t>(layer.outputs));
  for (size_t i = 0; i < weights.size(); ++i) {
    const LinearLayer::Place place = layer.PlaceOf(i);
    const float scale = params.scales[params.axis ? place.output : 0];
    const float q = std::clamp(std::nearbyint(weights[i] / scale), -128.0f, 127.0f);
    sums[place.output] += (static_cast<double>(weights[i]) - q * scale) * mean[place.input];
  }
  return {sums.begin(), sums.end()};
}

// The biases, 0 before, of a layer with these weights.
void ExpectCorrected(const std::string& node, const std::vector<int64_t>& dims, size_t inputs,
                     bool per_channel) {
  SCOPED_TRACE(node + (per_channel ? " by channel" : ""));
  const bool conv = dims.size() > 2;
  const std::string outputs = std::to_string(dims[conv ? 0 : 1]);
  const std::string input = "1," + std::to_string(inputs) + (conv ? ",1,4" : "");
  TextModel text("<ir_version: 8, opset_import: [\"\" : 13]> g (float[" + input +
                 "] x) => (float[" + (conv ? "1," + outputs + ",1,3" : "1," + outputs) + "] y) { " +
                 node + " }");
  const auto count = static_cast<size_t>(dims[0] * dims[1] * (conv ? dims[3] : 1));
  const std::vector<float> zeros(static_cast<size_t>(dims[conv ? 0 : 1]));
  onnx::GraphProto& graph = text.model.graph();
  std::vector<float> weights = SomeFloats(count);
  weights[1] = 90;  // all others are rounded coarsely
  *graph.add_initializer() = RealTensor("w", onnx::TensorProto::FLOAT, dims, weights);
  const std::vector<int64_t> bias_dims = {static_cast<int64_t>(zeros.size())};
  *graph.add_initializer() = RealTensor("b", onnx::TensorProto::FLOAT, bias_dims, zeros);
  InferShapes(text.model);
  StaticQuantConfig config = Qdq();
  config.per_channel = per_channel;
  const QuantPlan plan = PlanOf(text.model, config);
  ChannelStatistics channels;
  for (const float value : SomeFloats(inputs, 2)) channels.mean.push_back(value);
  const std::vector<float> expected = Expected(text.model, plan, channels.mean);
  EXPECT_EQ(CorrectBiases(plan, {{"x", channels}}, {}, &text.model), 1);
  EXPECT_EQ(Floats(text.model, "b"), expected);
}

TEST(CorrectBiasesTest, ErrorsAreSummedUpInTheOrderOfTheWeights) {
  for (const bool per_channel : {false, true}) {
    ExpectCorrected("y = Conv <group = 2> (x, w, b)", {6, 5, 1, 2}, 10, per_channel);
    ExpectCorrected("y = Conv <group = 8> (x, w, b)", {8, 1, 1, 2}, 8, per_channel);
    ExpectCorrected("m = MatMul (x, w) y = Add (m, b)", {7, 13}, 7, per_channel);
  }
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
