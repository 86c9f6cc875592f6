// QOperator: which nodes become their integer forms, and why others do not.
#include <gtest/gtest.h>

#include "testing/reasons_model.h"

namespace ptq {
namespace {

TEST(PlanQOperatorTest, OnlyQdqQuantizesATypeThatTheUserNames) {
  const QuantizedText qdq = Plan(R"({"quant_format": "QDQ", "op_types_to_quantize": ["Tanh"]})");
  EXPECT_EQ(qdq.Reason("tanh"), "");
  const QuantizedText qoperator = Plan(R"({"op_types_to_quantize": ["Tanh", "Conv"]})");
  EXPECT_TRUE(Contains(qoperator.Reason("tanh"), "no integer form")) << qoperator.Reason("tanh");
}

TEST(PlanQOperatorTest, QOperatorLeavesANodeWithoutRangeFloat) {
  TensorRanges ranges = Ranges();
  ranges.erase("y");
  const QuantizedText result = QuantizeText(kReasonsModel, R"({})", ranges);
  EXPECT_TRUE(Contains(result.Reason("sum"), "'y' has no tensor range"));
  EXPECT_EQ(result.Reason("conv"), "");
  EXPECT_TRUE(result.Has("Add"));
}

TEST(PlanQOperatorTest, AWeightAlongTwoAxesIsQuantizedForTheFirstReaderOnly) {  // E9
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

TEST(PlanQOperatorTest, ForcedMovementOfActivationsStaysInteger) {  // D13
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

TEST(PlanQOperatorTest, ReasonsHaveCodes) {
  const QuantizedText result = QuantizeText(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,4,4] x, float[1,1,1,1] v) => (float[1,1,4,4] y, float[1,1,4,4] z, float[1,1] g)
      <float[1,1,1,1] w = {1}, float[1,1] a = {1}> {
        [pool] p = MaxPool <kernel_shape = [1, 1]> (x)
        [conv] c = Conv (x, w)
        [cumsum] s = CumSum (c, a)
        [norange] n = Conv (c, w)
        [bias] z = Conv (c, w, n)
        [relu] r = Relu (c)
        [alpha] g = Gemm <alpha = 0.0> (a, a)
        [where] y = Where (x, c, c)
      })",
                                            R"({"op_types_to_quantize": ["MaxPool", "Conv",
      "CumSum", "Relu", "Gemm", "Where"]})",
                                            {{"x", {-1, 1}},
                                             {"c", {-1, 1}},
                                             {"z", {-1, 1}},
                                             {"r", {0, 1}},
                                             {"g", {0, 1}},
                                             {"y", {-1, 1}}});
  const auto code = [&](const std::string& node) { return result.PlanOf(node).reason.code; };
  EXPECT_EQ(code("pool"), FloatReasonCode::kInputNotQuantized);
  EXPECT_EQ(code("conv"), FloatReasonCode::kNone);
  EXPECT_EQ(code("cumsum"), FloatReasonCode::kNoIntegerForm);
  EXPECT_EQ(code("norange"), FloatReasonCode::kNoRange);
  EXPECT_EQ(code("bias"), FloatReasonCode::kInputNotConstant);
  EXPECT_EQ(code("relu"), FloatReasonCode::kRangePastBounds);
  EXPECT_EQ(code("alpha"), FloatReasonCode::kUnsupportedForm);
  EXPECT_EQ(code("where"), FloatReasonCode::kNotForced);
}

TEST(PlanQOperatorTest, ADilatedAveragePoolStaysFloat) {
  const auto code = [](const std::string& dilations) {
    return QuantizeText(R"(<ir_version: 9, opset_import: ["" : 19]>
      g (float[1,1,4,4] x) => (float[1,1,2,2] y) { [pool] y = AveragePool <kernel_shape = [2, 2],
      dilations = )" + dilations +
                            "> (x) }",
                        "{}", {{"x", {-1, 1}}, {"y", {-1, 1}}})
        .PlanOf("pool")
        .reason.code;
  };
  EXPECT_EQ(code("[2, 2]"), FloatReasonCode::kUnsupportedForm);
  EXPECT_EQ(code("[1, 1]"), FloatReasonCode::kNone);
}

}  // namespace
}  // namespace ptq
