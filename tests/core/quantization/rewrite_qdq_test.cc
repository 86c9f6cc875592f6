// QDQ: what the graph looks like afterwards.
#include <gtest/gtest.h>

#include "model/attributes.h"
#include "testing/quantize_text.h"

namespace ptq {
namespace rewrite_qdq_test {

TEST(RewriteQdqTest, PairsStandAroundAConv) {
  const QuantizedText result = QuantizeText(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x) => (float[1,1,2,2] y)
      <float[1,1,1,1] w = {1.5}, float[1] b = {1}> { [conv] y = Conv (x, w, b) })",
                                            kQdq, {{"x", {-1, 1}}, {"y", {-2, 2}}});
  const onnx::NodeProto& conv = result.Node("Conv");
  EXPECT_EQ(conv.input(0), "x_DequantizeLinear_Output");
  EXPECT_EQ(conv.input(1), "w_DequantizeLinear_Output");
  EXPECT_EQ(conv.input(2), "b");
  EXPECT_EQ(conv.output(0), "y_QuantizeLinear_Input");
  EXPECT_EQ(result.graph().output(0).name(), "y");
  EXPECT_EQ(result.Ints("w_quantized"), (std::vector<int64_t>{127}));
}

// y = 0.5 * x w + 2 * b
constexpr char kScaledGemm[] = R"(
  <ir_version: 8, opset_import: ["" : 13]>
  g (float[1,2] x) => (float[1,2] y) <float[2,2] w = {1, -0.5, 0.25, 2}, float[2] b = {3, -1}>
  { y = Gemm <alpha = 0.5, beta = 2.0> (x, w, b) })";

TEST(RewriteQdqTest, BetaReachesTheDequantizedBiasOfQdqOnce) {  // D1
  const QuantizedText result = QuantizeText(kScaledGemm, kQdq, {{"x", {-1, 1}}, {"y", {-3, 8}}});
  const onnx::NodeProto& node = result.Node("Gemm");
  EXPECT_EQ(FloatAttribute(node, "alpha", 0), 0.5f);
  const float beta = FloatAttribute(node, "beta", 1);
  const double scale = result.Floats("b_quantized_scale")[0];
  const std::vector<int64_t> bias = result.Ints("b_quantized");
  EXPECT_NEAR(beta * static_cast<double>(bias[0]) * scale, 2.0 * 3, scale);
  EXPECT_NEAR(beta * static_cast<double>(bias[1]) * scale, 2.0 * -1, scale);
}

TEST(RewriteQdqTest, ABiasSharedByTwoBetasIsCopied) {  // D1
  const QuantizedText result =
      QuantizeText(R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (float[1,2] x) => (float[1,2] y) <float[2,2] w = {1, -0.5, 0.25, 2}, float[2] b = {3, -1}> {
        h = Gemm <beta = 2.0> (x, w, b)
        y = Gemm <beta = 1.0> (h, w, b)
      })",
                   kQdq, {{"x", {-1, 1}}, {"h", {-3, 8}}, {"y", {-8, 20}}});
  // Each Gemm reads a DequantizeLinear of its own: 2 * 3 and 3.
  std::vector<double> firsts;
  for (const onnx::NodeProto& node : result.graph().node()) {
    if (node.op_type() != "Gemm") continue;
    EXPECT_EQ(FloatAttribute(node, "beta", 1), 1.0f);
    for (const onnx::NodeProto& maker : result.graph().node()) {
      if (maker.output(0) != node.input(2)) continue;
      firsts.push_back(static_cast<double>(result.Ints(maker.input(0))[0]) *
                       result.Floats(maker.input(1))[0]);
    }
  }
  ASSERT_EQ(firsts.size(), 2u);
  EXPECT_NEAR(firsts[0], 6.0, 0.01);
  EXPECT_NEAR(firsts[1], 3.0, 0.01);
}

TEST(RewriteQdqTest, AGraphInputThatIsAlsoAnOutputKeepsItsName) {  // E10
  const QuantizedText result =
      QuantizeText(R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (float[2] x) => (float[2] y, float[2] x) { y = Sigmoid (x) })",
                   R"({"quant_format": "QDQ"})", {{"x", {-1, 1}}, {"y", {0, 1}}});
  for (const onnx::NodeProto& node : result.graph().node()) {
    for (const std::string& output : node.output()) EXPECT_NE(output, "x");
  }
  EXPECT_EQ(result.Node("Sigmoid").input(0), "x_DequantizeLinear_Output");
}

TEST(RewriteQdqTest, TheNamesOfABiasYieldToThoseOfTheModel) {  // E3
  const QuantizedText result = QuantizeText(
      R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x) => (float[1,1,2,2] y)
      <float[1,1,1,1] w = {1}, float[1] b = {1}, float b_quantized_scale = {7}> {
        a = Mul (x, b_quantized_scale)
        y = Conv (a, w, b)
      })",
      R"({"quant_format": "QDQ", "op_types_to_quantize": ["Conv"]})",
      {{"a", {-1, 1}}, {"y", {-2, 2}}});
  EXPECT_EQ(result.Floats("b_quantized_scale"), std::vector<float>{7});
  EXPECT_EQ(result.Floats("b_quantized_scale_1").size(), 1u);
}

}  // namespace rewrite_qdq_test
}  // namespace ptq
