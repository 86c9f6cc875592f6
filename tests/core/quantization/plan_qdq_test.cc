// QDQ: from marks to parameters.
#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "testing/quantize_text.h"

namespace ptq {
namespace {

// c = Conv(x), y = Sigmoid(c)
constexpr char kConvThenSigmoid[] = R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[1,1,2,2] x) => (float[1,1,2,2] y) <float[1,1,1,1] w = {1.5}>
    { [conv] c = Conv (x, w) y = Sigmoid (c) })";

TEST(PlanQdqTest, EndsWhereAProviderOfParametersIsQuantizedAlready) {  // D7
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

TEST(PlanQdqTest, AMissingRangeIsAnErrorThatNamesTensorAndNode) {
  try {
    QuantizeText(kConvThenSigmoid, kQdq, {{"x", {-1, 1}}, {"y", {0, 1}}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kMissingRange);
    EXPECT_EQ(error.tensor(), "c");
    EXPECT_EQ(error.node(), "conv");
  }
}

TEST(PlanQdqTest, ARangeThatIsNotFiniteNamesTheTensor) {  // D6
  const float nan = std::numeric_limits<float>::quiet_NaN();
  try {
    QuantizeText(kConvThenSigmoid, kQdq, {{"x", {-1, 1}}, {"c", {nan, 1}}, {"y", {0, 1}}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidRange);
    EXPECT_EQ(error.tensor(), "c");
  }
}

TEST(PlanQdqTest, APerChannelMatMulWithABiasAsLargeAsItsWeightIsSmallIsRaised) {  // D22
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

TEST(PlanQdqTest, ReportsRangeAndSharedParameters) {
  const QuantizedText result =
      QuantizeText(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,4,4] x) => (float[1,1,3,3] y) <float[1,1,1,1] w = {1}>
      { c = Conv (x, w) y = MaxPool <kernel_shape = [2, 2]> (c) })",
                   R"({"quant_format": "QDQ"})", {{"x", {-1, 1}}, {"c", {-1, 3}}, {"y", {-1, 2}}});
  int seen = 0;
  for (const TensorPlan& tensor : result.report.tensors) {
    if (tensor.tensor == "c") {
      EXPECT_TRUE(tensor.has_range);
      EXPECT_EQ(tensor.range.highest, 3);
      EXPECT_EQ(tensor.shares_with, "");
      ++seen;
    } else if (tensor.tensor == "y") {
      EXPECT_EQ(tensor.shares_with, "c");
      EXPECT_EQ(tensor.params.scales[0], 4.0f / 255);
      ++seen;
    } else if (tensor.tensor == "w") {
      EXPECT_EQ(tensor.role, TensorRole::kInitializer);
      EXPECT_FALSE(tensor.has_range);
      ++seen;
    }
  }
  EXPECT_EQ(seen, 3);
}

TEST(PlanQdqTest, ABiasOfAnUnquantizedInputStaysFloat) {
  const QuantizedText result = QuantizeText(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x, float[1,1,1,1] w) => (float[1,1,2,2] y)
      <float[1] b = {1}, float s = {0.5}, uint8 z = {0}> {
        [blocked] q = DequantizeLinear <axis = 0> (w, s, z)
        y = Conv (x, q, b)
      })",
                                            kQdq, {{"x", {-1, 1}}, {"q", {-1, 1}}, {"y", {-1, 1}}});
  EXPECT_FALSE(result.Diagnosed("BIAS_LEFT_FLOAT"));  // the scale of the model as given serves
  EXPECT_FLOAT_EQ(result.Floats("b_quantized_scale")[0], result.Floats("x_scale")[0] * 0.5f);
}

TEST(PlanQdqTest, TensorsWithParametersOfTheirOwnComeFirst) {
  const QuantizedText result = QuantizeText(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x) => (float[4] y) <float[1,1,1,1] w = {1.5}, int64[1] flat = {-1}>
      { c = Conv (x, w) r = Reshape (c, flat) y = Sigmoid (r) })",
                                            kQdq, {{"x", {-1, 1}}, {"c", {-1, 1}}, {"y", {0, 1}}});
  std::vector<std::string> order;
  for (const TensorPlan& tensor : result.report.tensors) order.push_back(tensor.tensor);
  EXPECT_EQ(order, (std::vector<std::string>{"x", "c", "w", "y", "r"}));
}

}  // namespace
}  // namespace ptq
