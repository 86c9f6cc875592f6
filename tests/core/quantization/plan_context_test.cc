#include "quantization/plan_context.h"

#include <gtest/gtest.h>

#include <limits>

#include "testing/reasons_model.h"

namespace ptq {
namespace {

class ReasonToSkipTest : public testing::TestWithParam<const char*> {};

TEST_P(ReasonToSkipTest, EveryFloatNodeSaysWhy) {
  const QuantizedText result = Plan(std::string(R"({"quant_format": ")") + GetParam() + R"("})");
  EXPECT_EQ(result.Reason("conv"), "");
  EXPECT_EQ(result.Reason("sum"), "");
  EXPECT_TRUE(Contains(result.Reason("pool"), "input is not quantized")) << result.Reason("pool");
  EXPECT_TRUE(Contains(result.Reason("tanh"), "Tanh is not quantized by default"));
  EXPECT_TRUE(Contains(result.Reason("own"), "domain 'acme'"));
  EXPECT_TRUE(Contains(result.Reason("count"), "float")) << result.Reason("count");
}

TEST_P(ReasonToSkipTest, SelectionByNameAndType) {
  const std::string format = std::string(R"({"quant_format": ")") + GetParam() + R"(", )";
  const QuantizedText excluded = Plan(format + R"("nodes_to_exclude": ["conv"]})");
  EXPECT_TRUE(Contains(excluded.Reason("conv"), "nodes_to_exclude"));
  EXPECT_EQ(excluded.Reason("sum"), "");
  const QuantizedText named = Plan(format + R"("nodes_to_quantize": ["conv"]})");
  EXPECT_EQ(named.Reason("conv"), "");
  EXPECT_TRUE(Contains(named.Reason("sum"), "nodes_to_quantize"));
  const QuantizedText typed = Plan(format + R"("op_types_to_quantize": ["Add"]})");
  EXPECT_TRUE(Contains(typed.Reason("conv"), "op_types_to_quantize"));
  EXPECT_EQ(typed.Reason("sum"), "");
}

INSTANTIATE_TEST_SUITE_P(Formats, ReasonToSkipTest, testing::Values("QDQ", "QOperator"));

TEST(ReasonToSkipTest, CodesTellTheReasonsApart) {
  const TextModel text(R"(<ir_version: 8, opset_import: ["" : 13, "acme" : 1]>
      g (float[2,2] x) => (float[2,2] y) {
        [dq] q = QuantizeLinear (x, x)
        [own] o = acme.MatMul (x, x)
        [exp] e = Exp (x)
        [one] m = MatMul (x, x)
        [two] y = MatMul (m, e)
      })");
  StaticQuantConfig config;
  config.nodes_to_exclude = {"one"};
  config.matmul_const_b_only = true;
  const PlanContext context(text.model, config, {});
  const auto code = [&](int node) { return context.ReasonToSkip(context.node(node)).code; };
  EXPECT_EQ(code(0), FloatReasonCode::kAlreadyQuantized);
  EXPECT_EQ(code(1), FloatReasonCode::kOtherDomain);
  EXPECT_EQ(code(2), FloatReasonCode::kOpTypeNotSelected);
  EXPECT_EQ(code(3), FloatReasonCode::kNodeExcluded);
  EXPECT_EQ(code(4), FloatReasonCode::kInputNotConstant);
  StaticQuantConfig named;
  named.nodes_to_quantize = {"one"};
  const PlanContext other(text.model, named, {});
  EXPECT_EQ(other.ReasonToSkip(other.node(3)).code, FloatReasonCode::kNone);
  EXPECT_EQ(other.ReasonToSkip(other.node(4)).code, FloatReasonCode::kNodeNotSelected);
}

TEST(PlanContextTest, MaxPoolBeforeOpset12StaysFloat) {
  const std::string text = R"(<ir_version: 7, opset_import: ["" : 11]>
      g (float[1,1,4,4] x) => (float[1,1,3,3] y) <float[1,1,1,1] w = {1}>
      { c = Conv (x, w) [pool] y = MaxPool <kernel_shape = [2, 2]> (c) })";
  for (const std::string format : {"QDQ", "QOperator"}) {
    const QuantizedText result = QuantizeText(text, R"({"quant_format": ")" + format + R"("})",
                                              {{"x", {-1, 1}}, {"c", {-1, 1}}, {"y", {-1, 1}}});
    EXPECT_TRUE(Contains(result.Reason("pool"), "opset 12")) << result.Reason("pool");
  }
}

TEST(PlanContextTest, AModelWithNothingToQuantizeComesBackAsItIsWithReasons) {  // D24
  const QuantizedText result = QuantizeText(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[2] x) => (float[2] y) { [e] y = Exp (x) })",
                                            R"({"quant_format": "QDQ"})", {});
  EXPECT_NE(result.Reason("e"), "");
  EXPECT_EQ(OpTypes(result.graph()), "Exp");
}

TEST(PlanContextTest, AComputedBiasLeavesTheNodeFloatInQOperatorAndTheBiasFloatInQdq) {  // D23
  const std::string text = R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x, float[1] c) => (float[1,1,2,2] y) <float[1,1,1,1] w = {1.5}> {
        b = Exp (c)
        [conv] y = Conv (x, w, b)
      })";
  const TensorRanges ranges = {{"x", {-1, 1}}, {"b", {0, 1}}, {"y", {-2, 2}}};
  const QuantizedText qoperator = QuantizeText(text, kQOperator, ranges);
  EXPECT_NE(qoperator.Reason("conv").find("bias 'b'"), std::string::npos);
  EXPECT_EQ(OpTypes(qoperator.graph()), "Exp Conv");
  const QuantizedText qdq = QuantizeText(text, kQdq, ranges);
  EXPECT_EQ(qdq.Reason("conv"), "");
  EXPECT_TRUE(qdq.Diagnosed("BIAS_NOT_CONSTANT"));
  EXPECT_EQ(qdq.Node("Conv").input(2), "b");
}

TEST(PlanContextTest, AMovedTensorHasTheRangeOfItsOtherEnd) {
  const TextModel text(R"(<ir_version: 8, opset_import: ["" : 13, "acme" : 1]>
      g (float[2,2] x, int64[1] s) => (float[4] y, float[4] o) {
        f = Flatten (x)
        y = ai.onnx.Reshape (f, s)
        o = acme.Reshape (x, s)
      })");
  const StaticQuantConfig config;
  const PlanContext forward(text.model, config, {{"x", {-1, 2}}});
  ASSERT_NE(forward.Range("y"), nullptr);
  EXPECT_EQ(forward.Range("y")->highest, 2);
  EXPECT_EQ(forward.Range("o"), nullptr);
  const PlanContext backward(text.model, config, {{"y", {-3, 2}}});
  ASSERT_NE(backward.Range("x"), nullptr);
  EXPECT_EQ(backward.Range("x")->lowest, -3);
}

TEST(PlanContextTest, WhatFeedsAReluTakesItsRange) {
  const TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[2] x) => (float[2] y, float[2] s, float[2] p) {
        p = Neg (x)
        h = Neg (x)
        y = Relu (h)
        q = Relu (p)
        s = Softmax (q)
      })");
  const StaticQuantConfig config;
  const PlanContext context(
      text.model, config,
      {{"p", {-5, 3}}, {"h", {-5, 3}}, {"y", {0, 3}}, {"q", {0, 3}}, {"s", {0.25f, 0.5f}}});
  EXPECT_EQ(context.Range("h")->lowest, 0);
  EXPECT_EQ(context.Range("p")->lowest, -5);  // is read unclipped as well
  EXPECT_EQ(context.Range("s")->highest, 1);
}

TEST(PlanContextTest, ARangeWithoutValuesIsNone) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[2] x) => (float[2] y) { y = Sigmoid (x) })");
  const StaticQuantConfig config;
  const PlanContext context(text.model, config, {{"x", {kInfinity, -kInfinity}}, {"y", {0, 1}}});
  EXPECT_TRUE(context.IsValueless("x"));
  EXPECT_EQ(context.ActivationParams("x"), std::nullopt);
  EXPECT_FALSE(context.IsValueless("y"));
  EXPECT_FALSE(context.IsValueless("none"));
}

// c = Conv(x), y = <activation>(c)
std::string ConvThen(const std::string& activation) {
  return R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x) => (float[1,1,2,2] y)
      <float[1,1,1,1] w = {1.5}, float low = {-0.5}, float high = {0.25}, float zero = {0}, float six = {6}>
      { [conv] c = Conv (x, w) [clip] y = )" +
         activation + " }";
}

TEST(ClipsNothingTest, GoesWhereTheRangeDoesItsWork) {
  for (const char* options : {kQdq, kQOperator}) {
    EXPECT_FALSE(
        QuantizeText(ConvThen("Relu (c)"), options, {{"x", {-1, 1}}, {"c", {-2, 3}}, {"y", {0, 3}}})
            .Has("Relu"));
    EXPECT_FALSE(QuantizeText(ConvThen("Clip (c, zero, six)"), options,
                              {{"x", {-1, 1}}, {"c", {-2, 9}}, {"y", {0, 6}}})
                     .Has("Clip"));
  }
}

TEST(ClipsNothingTest, StaysWhereTheRangeReachesPastItsBounds) {  // D2
  for (const char* options : {kQdq, kQOperator}) {
    // A mirrored range, as CalibTensorRangeSymmetric makes it.
    EXPECT_TRUE(QuantizeText(ConvThen("Relu (c)"), options,
                             {{"x", {-1, 1}}, {"c", {-3, 3}}, {"y", {-3, 3}}})
                    .Has("Relu"));
    EXPECT_TRUE(QuantizeText(ConvThen("Clip (c, zero, six)"), options,
                             {{"x", {-1, 1}}, {"c", {-2, 9}}, {"y", {0, 9}}})
                    .Has("Clip"));
  }
}

TEST(ClipsNothingTest, StaysWhereTheSnappedZeroPointReachesPastItsBounds) {  // D2
  for (const std::string format : {"QDQ", "QOperator"}) {
    const std::string options = R"({"quant_format": ")" + format +
                                R"(", "extra_options": {"ActivationRestrictedAsymmetric": true}})";
    // The zero point is 128, so that 255 stands for twice the upper bound.
    EXPECT_TRUE(QuantizeText(ConvThen("Clip (c, low, high)"), options,
                             {{"x", {-1, 1}}, {"c", {-2, 2}}, {"y", {-0.5f, 0.25f}}})
                    .Has("Clip"));
    EXPECT_FALSE(
        QuantizeText(ConvThen("Relu (c)"), options, {{"x", {-1, 1}}, {"c", {-2, 3}}, {"y", {0, 3}}})
            .Has("Relu"));
  }
}

TEST(ClipsNothingTest, StaysWhereABoundIsComputed) {
  const std::string text = R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x, float top) => (float[1,1,2,2] y) <float[1,1,1,1] w = {1.5}, float zero = {0}>
      { c = Conv (x, w)  y = Clip (c, zero, top) })";
  for (const char* options : {kQdq, kQOperator}) {
    const TensorRanges ranges = {{"x", {-1, 1}}, {"c", {-2, 3}}, {"y", {0, 3}}, {"top", {3, 3}}};
    EXPECT_TRUE(QuantizeText(text, options, ranges).Has("Clip"));
  }
}

}  // namespace
}  // namespace ptq
