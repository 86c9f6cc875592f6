// Models in which onnxruntime.quantization is wrong, hangs or gives up (D numbers: the research
// notes' list), and what comes out here. What it gets right is covered by
// tests/js/conformance.test.ts.
#include "pipeline/quantize_static.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "model/attributes.h"
#include "quantization/quantize_text.h"

namespace ptq {
namespace {

constexpr char kQdq[] = R"({"quant_format": "QDQ", "weight_type": "QInt8"})";
constexpr char kQOperator[] = R"({"quant_format": "QOperator", "weight_type": "QInt8"})";

// y = 0.5 * x w + 2 * b
constexpr char kScaledGemm[] = R"(
  <ir_version: 8, opset_import: ["" : 13]>
  g (float[1,2] x) => (float[1,2] y) <float[2,2] w = {1, -0.5, 0.25, 2}, float[2] b = {3, -1}>
  { y = Gemm <alpha = 0.5, beta = 2.0> (x, w, b) })";

TEST(GemmTest, AlphaAndBetaReachTheBiasOfQGemm) {  // D1
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

TEST(GemmTest, BetaReachesTheDequantizedBiasOfQdqOnce) {  // D1
  const QuantizedText result = QuantizeText(kScaledGemm, kQdq, {{"x", {-1, 1}}, {"y", {-3, 8}}});
  const onnx::NodeProto& node = result.Node("Gemm");
  EXPECT_EQ(FloatAttribute(node, "alpha", 0), 0.5f);
  const float beta = FloatAttribute(node, "beta", 1);
  const double scale = result.Floats("b_quantized_scale")[0];
  const std::vector<int64_t> bias = result.Ints("b_quantized");
  EXPECT_NEAR(beta * static_cast<double>(bias[0]) * scale, 2.0 * 3, scale);
  EXPECT_NEAR(beta * static_cast<double>(bias[1]) * scale, 2.0 * -1, scale);
}

TEST(GemmTest, ABiasSharedByTwoBetasIsCopied) {  // D1
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

// c = Conv(x), y = <activation>(c)
std::string ConvThen(const std::string& activation) {
  return R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x) => (float[1,1,2,2] y)
      <float[1,1,1,1] w = {1.5}, float low = {-0.5}, float high = {0.25}, float zero = {0}, float six = {6}>
      { [conv] c = Conv (x, w) [clip] y = )" +
         activation + " }";
}

TEST(RemovableActivationTest, GoesWhereTheRangeDoesItsWork) {
  for (const char* options : {kQdq, kQOperator}) {
    EXPECT_FALSE(
        QuantizeText(ConvThen("Relu (c)"), options, {{"x", {-1, 1}}, {"c", {-2, 3}}, {"y", {0, 3}}})
            .Has("Relu"));
    EXPECT_FALSE(QuantizeText(ConvThen("Clip (c, zero, six)"), options,
                              {{"x", {-1, 1}}, {"c", {-2, 9}}, {"y", {0, 6}}})
                     .Has("Clip"));
  }
}

TEST(RemovableActivationTest, StaysWhereTheRangeReachesPastItsBounds) {  // D2
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

TEST(RemovableActivationTest, StaysWhereTheSnappedZeroPointReachesPastItsBounds) {  // D2
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

TEST(RemovableActivationTest, StaysWhereABoundIsComputed) {
  const std::string text = R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x, float top) => (float[1,1,2,2] y) <float[1,1,1,1] w = {1.5}, float zero = {0}>
      { c = Conv (x, w)  y = Clip (c, zero, top) })";
  for (const char* options : {kQdq, kQOperator}) {
    const TensorRanges ranges = {{"x", {-1, 1}}, {"c", {-2, 3}}, {"y", {0, 3}}, {"top", {3, 3}}};
    EXPECT_TRUE(QuantizeText(text, options, ranges).Has("Clip"));
  }
}

TEST(QdqTest, EndsWhereAProviderOfParametersIsQuantizedAlready) {  // D7
  const QuantizedText result = QuantizeText(
      R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (uint8[2,3] q) => (float[3,2] y) <float s = {0.5}, uint8 z = {128}> {
        d = DequantizeLinear (q, s, z)
        [turn] y = Transpose <perm = [1, 0]> (d)
      })",
      R"({"quant_format": "QDQ", "extra_options": {"ForceQuantizeNoInputCheck": true}})",
      {{"d", {-1, 1}}, {"y", {-1, 1}}});
  EXPECT_EQ(OpTypes(result.graph()), "DequantizeLinear Transpose");
  EXPECT_NE(result.Reason("turn"), "");
}

TEST(QdqTest, MatMulWeightsOfRank3HaveOneScale) {  // D12
  const QuantizedText result =
      QuantizeText(R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (float[1,2,2] x) => (float[1,2,3] y) <float[1,2,3] w = {1, 10, 100, -2, 20, 200}> { y = MatMul (x, w) })",
                   R"({"quant_format": "QDQ", "weight_type": "QInt8", "per_channel": true})",
                   {{"x", {-1, 1}}, {"y", {-300, 300}}});
  const std::vector<float> scales = result.Floats("w_scale");
  ASSERT_EQ(scales.size(), 1u);
  EXPECT_FLOAT_EQ(scales[0], 200.0f / 127);
}

TEST(QdqTest, AReluThatASubgraphReadsStays) {  // E8
  const QuantizedText result = QuantizeText(
      R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x, bool c) => (float[1,1,2,2] y, float[1,1,2,2] z) <float[1,1,1,1] w = {1}> {
        p = Conv (x, w)
        r = Relu (p)
        y = Conv (r, w)
        z = If (c) <then_branch = a () => (float[1,1,2,2] t) { t = Identity (r) },
                    else_branch = b () => (float[1,1,2,2] e) { e = Neg (r) }>
      })",
      R"({"quant_format": "QDQ"})", {{"x", {-1, 1}}, {"p", {-1, 1}}, {"r", {0, 1}}, {"y", {0, 1}}});
  EXPECT_TRUE(result.Has("Relu"));
}

TEST(QdqTest, AReluWhoseOutputIsNotQuantizedStays) {  // E8
  const QuantizedText result = QuantizeText(
      R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x) => (float[1,1,2,2] y) <float[1,1,1,1] w = {1}> {
        p = Conv (x, w)
        r = Relu (p)
        y = Elu (r)
      })",
      R"({"quant_format": "QDQ", "extra_options": {"OpTypesToExcludeOutputQuantization": ["Relu"]}})",
      {{"x", {-1, 1}}, {"p", {-1, 1}}, {"r", {0, 1}}});
  EXPECT_TRUE(result.Has("Relu"));
}

TEST(QdqTest, TiedEmbeddingsHaveOneScale) {  // E9
  const QuantizedText result = QuantizeText(
      R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (int64[2] ids) => (float[2,3] y) <float[3,2] e = {1, 2, 3, 4, 5, 6}> {
        rows = Gather (e, ids)
        y = Gemm <transB = 1> (rows, e)
      })",
      R"({"quant_format": "QDQ", "weight_type": "QInt8", "per_channel": true})",
      {{"rows", {0, 6}}, {"y", {0, 60}}});
  EXPECT_EQ(result.Floats("e_scale").size(), 1u);
}

TEST(QOperatorTest, AWeightAlongTwoAxesIsQuantizedForTheFirstReaderOnly) {  // E9
  const QuantizedText result = QuantizeText(
      R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (float[2,2] x) => (float[2,2] y) <float[2,2] w = {1, 2, 3, 4}> {
        a = MatMul (x, w)
        [second] y = Gemm <transB = 1> (a, w)
      })",
      R"({"weight_type": "QInt8", "per_channel": true})",
      {{"x", {-1, 1}}, {"a", {-6, 6}}, {"y", {-40, 40}}});
  EXPECT_TRUE(result.Has("QLinearMatMul"));
  EXPECT_NE(result.Reason("second").find("per channel"), std::string::npos);
}

TEST(QdqTest, AGraphInputThatIsAlsoAnOutputKeepsItsName) {  // E10
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

TEST(QdqTest, TheNamesOfABiasYieldToThoseOfTheModel) {  // E3
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

TEST(PrepareTest, NodesOutOfOrderAreSorted) {
  const QuantizedText result = QuantizeText(
      R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x) => (float[4] y) <float[1,1,1,1] w = {1}, int64[1] s = {4}> {
        y = Reshape (c, s)
        c = Conv (x, w)
      })",
      "{}", {{"x", {-1, 1}}, {"c", {-1, 1}}, {"y", {-1, 1}}});
  EXPECT_EQ(OpTypes(result.graph()), "QuantizeLinear QLinearConv Reshape DequantizeLinear");
}

TEST(CalibrationTest, ATensorWithoutValuesStaysFloatWithAWarning) {  // D6
  const float infinity = std::numeric_limits<float>::infinity();
  const QuantizedText result =
      QuantizeText(R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (float[2] x) => (float[2] y) { y = Sigmoid (x) })",
                   R"({"quant_format": "QDQ"})", {{"x", {infinity, -infinity}}, {"y", {0, 1}}});
  EXPECT_TRUE(result.Diagnosed("TENSOR_WITHOUT_VALUES"));
  EXPECT_EQ(result.Node("Sigmoid").input(0), "x");
}

TEST(QOperatorTest, ForcedMovementOfActivationsStaysInteger) {  // D13
  const QuantizedText result =
      QuantizeText(R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (float[2,3] x) => (float[2,2] y) <float[2,3] w = {1, 2, 3, 4, 5, 6}> {
        t = Transpose <perm = [1, 0]> (x)
        y = MatMul (w, t)
      })",
                   R"({"extra_options": {"ForceQuantizeNoInputCheck": true}})",
                   {{"x", {-1, 1}}, {"t", {-1, 1}}, {"y", {-9, 9}}});
  EXPECT_EQ(OpTypes(result.graph()), "QuantizeLinear Transpose QLinearMatMul DequantizeLinear");
}

TEST(QOperatorTest, SoftmaxBeforeOpset13KeepsItsDefaultAxis) {  // D19
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

TEST(OpsetTest, PerChannelQdqRaisesItTo13) {  // D20
  const std::string text = R"(<ir_version: 7, opset_import: ["" : 11]>
      g (float[1,1,2,2] x) => (float[1,2,2,2] y) <float[2,1,1,1] w = {1, 2}> { y = Conv (x, w) })";
  const TensorRanges ranges = {{"x", {-1, 1}}, {"y", {-2, 2}}};
  EXPECT_EQ(
      QuantizeText(text, R"({"quant_format": "QDQ", "per_channel": true})", ranges).report.opset,
      13);
  EXPECT_EQ(QuantizeText(text, R"({"quant_format": "QDQ"})", ranges).report.opset, 11);
  EXPECT_EQ(QuantizeText(text, R"({"per_channel": true})", ranges).report.opset, 11);
}

TEST(BiasTest, APerChannelMatMulWithABiasAsLargeAsItsWeightIsSmallIsRaised) {  // D22
  const QuantizedText result =
      QuantizeText(R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (float[1,2] x) => (float[1,2] y) <float[2,2] w = {1e-12, 1, 1e-12, 1}, float[2] b = {30, 30}>
      { y = Gemm (x, w, b) })",
                   R"({"quant_format": "QDQ", "weight_type": "QInt8", "per_channel": true})",
                   {{"x", {-1, 1}}, {"y", {28, 32}}});
  const std::vector<float> scales = result.Floats("w_scale");
  EXPECT_GT(scales[0], 1e-12f / 127);
  EXPECT_EQ(scales[1], 1.0f / 127);
  EXPECT_FALSE(result.Diagnosed("BIAS_CLIPPED"));
}

TEST(BiasTest, AComputedBiasLeavesTheNodeFloatInQOperatorAndTheBiasFloatInQdq) {  // D23
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

TEST(BiasTest, TwoQOperatorConvsThatShareABiasGetOneEach) {
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

TEST(BiasTest, QOperatorWarnsWhereUnsignedWeightsClipIt) {
  const QuantizedText result = QuantizeText(R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x) => (float[1,1,2,2] y) <float[1,1,1,1] w = {1e-12}, float[1] b = {30}> { y = Conv (x, w, b) })",
                                            R"({})", {{"x", {-1, 1}}, {"y", {0, 30}}});
  EXPECT_TRUE(result.Diagnosed("BIAS_CLIPPED"));
}

TEST(QOperatorTest, WhatASubgraphReadsIsDequantized) {
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

TEST(QdqTest, AMissingRangeIsAnErrorThatNamesTensorAndNode) {
  try {
    QuantizeText(ConvThen("Sigmoid (c)"), kQdq, {{"x", {-1, 1}}, {"y", {0, 1}}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kMissingRange);
    EXPECT_EQ(error.tensor(), "c");
    EXPECT_EQ(error.node(), "conv");
  }
}

TEST(QdqTest, ARangeThatIsNotFiniteNamesTheTensor) {  // D6
  const float nan = std::numeric_limits<float>::quiet_NaN();
  try {
    QuantizeText(ConvThen("Sigmoid (c)"), kQdq, {{"x", {-1, 1}}, {"c", {nan, 1}}, {"y", {0, 1}}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidRange);
    EXPECT_EQ(error.tensor(), "c");
  }
}

// onnxruntime quantizes a float bias itself when it loads the file, and rounds with an operator of
// opset 11.
TEST(RequiredOpsetTest, AFloatBiasNeedsRound) {
  const std::string conv = R"(
      <ir_version: 5, opset_import: ["" : 10]>
      g (float[1,1,4,4] x) => (float[1,1,4,4] y) <float[1,1,1,1] w = {1}, float[1] b = {2}> )";
  const TextModel with(conv + "{ y = Conv(x, w, b) }");
  const TextModel without(conv + "{ y = Conv(x, w) }");
  StaticQuantConfig config;
  EXPECT_EQ(RequiredOpset(with.model, config), 0);
  config.quantize_bias = false;
  EXPECT_EQ(RequiredOpset(with.model, config), 11);
  EXPECT_EQ(RequiredOpset(without.model, config), 0);
}

TEST(WeightTest, OneThatIsComputedAtRunTimeLeavesItsNodeFloat) {
  const std::string model = R"(
      <ir_version: 8, opset_import: ["" : 13, "local" : 1]>
      g (float[1,2] x) => (float[1,2] y) <float[2,2] w = {1, -0.5, 0.25, 2}> {
        [sine] s = Sin(w)
        [mm] m = MatMul(x, s)
        [own] y = local.Own(m)
      }
      <domain: "local", opset_import: ["" : 13]> Own (a) => (r) { r = Relu(a) })";
  for (const char* const options : {kQdq, kQOperator}) {
    const QuantizedText result = QuantizeText(
        model, options, {{"x", {-1, 1}}, {"m", {-3, 8}}, {"s", {-1, 1}}, {"y", {0, 8}}});
    EXPECT_EQ(result.Reason("mm"), "its weight 's' is computed at run time, by Sin node 'sine'");
    EXPECT_EQ(result.Reason("own"), "it calls the model's own function 'Own'");
  }
}

// A layer that is a function of the model, quantized with more `options`.
QuantizedText QuantizeLayer(const std::string& options) {
  return QuantizeText(R"(
      <ir_version: 8, opset_import: ["" : 18, "local" : 1, "ai.onnx.ml" : 99]>
      g (float[1,2] x) => (float[1,2] y) <float[2,2] w = {1, -0.5, 0.25, 2}> {
        [layer] y = local.Layer(x, w)
      }
      <domain: "local", opset_import: ["" : 18]> Layer (a, b) => (r) {
        [mm] m = MatMul(a, b)
        r = Relu(m)
      })",
                      R"({"quant_format": "QDQ", "optimize_model": true)" + options + "}",
                      {{"x", {-1, 1}}, {"layer/m", {-3, 8}}, {"y", {0, 8}}});
}

TEST(PrepareTest, FunctionsAreQuantized) {
  const QuantizedText result = QuantizeLayer("");
  EXPECT_EQ(result.Reason("layer/mm"), "");
  EXPECT_EQ(result.model.opset_import_size(), 1);
  EXPECT_EQ(result.model.functions_size(), 0);
}

TEST(PrepareTest, ACallThatIsExcludedExcludesItsNodes) {
  EXPECT_EQ(QuantizeLayer(R"(, "nodes_to_exclude": ["layer"])").Reason("layer/mm"),
            "it is in nodes_to_exclude");
  EXPECT_EQ(QuantizeLayer(R"(, "nodes_to_quantize": ["layer"])").Reason("layer/mm"), "");
}

}  // namespace
}  // namespace ptq
