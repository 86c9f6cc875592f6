// QOperator: the integer forms that nodes become.
#include <gtest/gtest.h>

#include "model/attributes.h"
#include "testing/quantize_text.h"

namespace ptq {
namespace rewrite_qoperator_test {

// y = 0.5 * x w + 2 * b
constexpr char kScaledGemm[] = R"(
  <ir_version: 8, opset_import: ["" : 13]>
  g (float[1,2] x) => (float[1,2] y) <float[2,2] w = {1, -0.5, 0.25, 2}, float[2] b = {3, -1}>
  { y = Gemm <alpha = 0.5, beta = 2.0> (x, w, b) })";

TEST(RewriteQOperatorTest, AlphaAndBetaReachTheBiasOfQGemm) {  // D1
  const QuantizedText result =
      QuantizeText(kScaledGemm, kQOperator, {{"x", {-1, 1}}, {"y", {-3, 8}}});
  const onnx::NodeProto& node = result.Node("QGemm");
  EXPECT_EQ(FloatAttribute(node, "alpha", 0), 0.5f);
  EXPECT_EQ(FindAttribute(node, "beta"), nullptr);
  // QGemm adds the int32 bias to the accumulator and multiplies both by alpha * scale of x * scale
  // of w.
  const double unit = 0.5 * result.Floats("x_scale")[0] * result.Floats("w_scale")[0];
  const std::vector<int64_t> bias = result.Ints("b_quantized");
  EXPECT_NEAR(static_cast<double>(bias[0]) * unit, 2.0 * 3, unit);
  EXPECT_NEAR(static_cast<double>(bias[1]) * unit, 2.0 * -1, unit);
}

TEST(RewriteQOperatorTest, SoftmaxBeforeOpset13KeepsItsDefaultAxis) {  // D19
  const auto quantize = [](const std::string& attribute, int opset) {
    return QuantizeText("<ir_version: 8, opset_import: [\"\" : " + std::to_string(opset) +
                            "]> g (float[1,4] x) => (float[1,4] y) { y = Softmax " + attribute +
                            " (x) }",
                        R"({})", {{"x", {-1, 1}}, {"y", {0, 1}}});
  };
  EXPECT_EQ(IntAttribute(quantize("", 12).Node("QLinearSoftmax"), "axis", -9), 1);
  EXPECT_EQ(IntAttribute(quantize("<axis = 0>", 12).Node("QLinearSoftmax"), "axis", -9), 0);
  EXPECT_EQ(FindAttribute(quantize("", 13).Node("QLinearSoftmax"), "axis"), nullptr);
}

TEST(RewriteQOperatorTest, WhatASubgraphReadsIsDequantized) {
  const QuantizedText result =
      QuantizeText(R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x, bool which) => (float[1,1,2,2] y) <float[1,1,1,1] w = {1}> {
        h = Conv (x, w)
        y = If (which) <
          then_branch = a () => (float[1,1,2,2] p) { p = Exp (h) },
          else_branch = b () => (float[1,1,2,2] q) { q = Neg (h) }>
      })",
                   kQOperator, {{"x", {-1, 1}}, {"h", {-1, 1}}, {"y", {-1, 3}}});
  EXPECT_EQ(result.Node("DequantizeLinear").output(0), "h");
  EXPECT_EQ(result.graph().node(result.graph().node_size() - 1).op_type(), "If");
}

TEST(RewriteQOperatorTest, TwoQOperatorConvsThatShareABiasGetOneEach) {
  const QuantizedText result =
      QuantizeText(R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x) => (float[1,1,2,2] y) <float[1,1,1,1] w = {1}, float[1,1,1,1] v = {8}, float[1] b = {2}> {
        h = Conv (x, w, b)
        y = Conv (h, v, b)
      })",
                   kQOperator, {{"x", {-1, 1}}, {"h", {-3, 3}}, {"y", {-30, 30}}});
  std::vector<double> biases;
  for (const onnx::NodeProto& node : result.graph().node()) {
    if (node.op_type() != "QLinearConv") continue;
    biases.push_back(static_cast<double>(result.Ints(node.input(8))[0]) *
                     result.Floats(node.input(1))[0] * result.Floats(node.input(4))[0]);
  }
  ASSERT_EQ(biases.size(), 2u);
  EXPECT_NEAR(biases[0], 2, 0.01);
  EXPECT_NEAR(biases[1], 2, 0.01);
}

std::string Inputs(const onnx::NodeProto& node) {
  std::string inputs;
  for (const std::string& input : node.input()) inputs += (inputs.empty() ? "" : ",") + input;
  return inputs;
}

TEST(RewriteQOperatorTest, OperandsAreDataScaleAndZeroPoint) {
  const QuantizedText result =
      QuantizeText(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x) => (float[1,1,1,1] y) <float[1,1,1,1] w = {1.5}, float[1] b = {1}> {
        [conv] c = Conv (x, w, b)
        [sum] s = Add (c, x)
        [mean] y = GlobalAveragePool (s)
      })",
                   kQOperator, {{"x", {-1, 1}}, {"c", {-2, 2}}, {"s", {-3, 3}}, {"y", {-3, 3}}});
  const onnx::NodeProto& conv = result.Node("QLinearConv");
  EXPECT_EQ(Inputs(conv),
            "x_quantized,x_scale,x_zero_point,w_quantized,w_scale,w_zero_point,c_scale,"
            "c_zero_point,b_quantized");
  EXPECT_EQ(conv.name(), "conv_quant");
  EXPECT_EQ(conv.domain(), "");
  const onnx::NodeProto& sum = result.Node("QLinearAdd");
  EXPECT_EQ(Inputs(sum),
            "c_quantized,c_scale,c_zero_point,x_quantized,x_scale,x_zero_point,s_scale,"
            "s_zero_point");
  EXPECT_EQ(sum.domain(), "com.microsoft");
  const onnx::NodeProto& mean = result.Node("QLinearGlobalAveragePool");
  EXPECT_EQ(Inputs(mean), "s_quantized,s_scale,s_zero_point,y_scale,y_zero_point");
  EXPECT_EQ(IntAttribute(mean, "channels_last", -1), 0);
}

TEST(RewriteQOperatorTest, SplitAndPadKeepTheirOperator) {
  const QuantizedText result =
      QuantizeText(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[4] x) => (float[2] a, float[4] y) <int64[2] pads = {1, 1}, float one = {1}> {
        [split] a, b = Split (x)
        [pad] y = Pad (b, pads, one)
      })",
                   kQOperator, {{"x", {-1, 1}}, {"a", {-1, 1}}, {"y", {-1, 1}}});
  const onnx::NodeProto& split = result.Node("Split");
  EXPECT_EQ(split.name(), "split_quant");
  EXPECT_EQ(split.output(0), "aquantized");
  EXPECT_EQ(split.output(1), "bquantized");
  const onnx::NodeProto& pad = result.Node("Pad");
  EXPECT_EQ(pad.name(), "pad");
  EXPECT_EQ(Inputs(pad), "bquantized,pads,one_quantized");
  EXPECT_EQ(pad.output(0), "y_quantized");
  EXPECT_EQ(result.Ints("one_quantized"), (std::vector<int64_t>{255}));
}

}  // namespace rewrite_qoperator_test
}  // namespace ptq
