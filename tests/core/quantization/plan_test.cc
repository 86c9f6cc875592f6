// Which nodes are quantized, and the reasons given for the others.
#include <gtest/gtest.h>

#include "quantization/quantize_text.h"

namespace ptq {
namespace {

constexpr char kModel[] = R"(
  <ir_version: 8, opset_import: ["" : 13, "acme" : 1]>
  g (float[1,1,4,4] x, int64[2] n) => (float[1,1,4,4] y, float[1,1,4,4] o, int64[2] m)
  <float[1,1,1,1] w = {1}, int64[2] one = {1, 1}> {
    [pool] p = MaxPool <kernel_shape = [1, 1]> (x)
    [conv] c = Conv (p, w)
    [tanh] t = Tanh (c)
    [sum] y = Add (t, c)
    [own] o = acme.Conv (c, w)
    [count] m = Add (n, one)
  })";

const TensorRanges& Ranges() {
  static const auto* const kRanges = new TensorRanges{
      {"x", {-1, 1}}, {"p", {-1, 1}}, {"c", {-1, 1}}, {"t", {-1, 1}}, {"y", {-2, 2}}};
  return *kRanges;
}

QuantizedText Plan(const std::string& options) { return QuantizeText(kModel, options, Ranges()); }

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class PlanReasonTest : public testing::TestWithParam<const char*> {};

TEST_P(PlanReasonTest, EveryFloatNodeSaysWhy) {
  const QuantizedText result = Plan(std::string(R"({"quant_format": ")") + GetParam() + R"("})");
  EXPECT_EQ(result.Reason("conv"), "");
  EXPECT_EQ(result.Reason("sum"), "");
  EXPECT_TRUE(Contains(result.Reason("pool"), "input is not quantized")) << result.Reason("pool");
  EXPECT_TRUE(Contains(result.Reason("tanh"), "Tanh is not quantized by default"));
  EXPECT_TRUE(Contains(result.Reason("own"), "domain 'acme'"));
  EXPECT_TRUE(Contains(result.Reason("count"), "float")) << result.Reason("count");
}

TEST_P(PlanReasonTest, SelectionByNameAndType) {
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

INSTANTIATE_TEST_SUITE_P(Formats, PlanReasonTest, testing::Values("QDQ", "QOperator"));

TEST(PlanTest, OnlyQdqQuantizesATypeThatTheUserNames) {
  const QuantizedText qdq = Plan(R"({"quant_format": "QDQ", "op_types_to_quantize": ["Tanh"]})");
  EXPECT_EQ(qdq.Reason("tanh"), "");
  const QuantizedText qoperator = Plan(R"({"op_types_to_quantize": ["Tanh", "Conv"]})");
  EXPECT_TRUE(Contains(qoperator.Reason("tanh"), "no integer form")) << qoperator.Reason("tanh");
}

TEST(PlanTest, QOperatorLeavesANodeWithoutRangeFloat) {
  TensorRanges ranges = Ranges();
  ranges.erase("y");
  const QuantizedText result = QuantizeText(kModel, R"({})", ranges);
  EXPECT_TRUE(Contains(result.Reason("sum"), "'y' has no tensor range"));
  EXPECT_EQ(result.Reason("conv"), "");
  EXPECT_TRUE(result.Has("Add"));
}

TEST(PlanTest, MaxPoolBeforeOpset12StaysFloat) {
  const std::string text = R"(<ir_version: 7, opset_import: ["" : 11]>
      g (float[1,1,4,4] x) => (float[1,1,3,3] y) <float[1,1,1,1] w = {1}>
      { c = Conv (x, w) [pool] y = MaxPool <kernel_shape = [2, 2]> (c) })";
  for (const std::string format : {"QDQ", "QOperator"}) {
    const QuantizedText result = QuantizeText(text, R"({"quant_format": ")" + format + R"("})",
                                              {{"x", {-1, 1}}, {"c", {-1, 1}}, {"y", {-1, 1}}});
    EXPECT_TRUE(Contains(result.Reason("pool"), "opset 12")) << result.Reason("pool");
  }
}

TEST(PlanTest, ReportsRangeAndSharedParameters) {
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

TEST(PlanTest, AModelWithNothingToQuantizeComesBackAsItIsWithReasons) {  // D24
  const QuantizedText result = QuantizeText(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[2] x) => (float[2] y) { [e] y = Exp (x) })",
                                            R"({"quant_format": "QDQ"})", {});
  EXPECT_NE(result.Reason("e"), "");
  EXPECT_EQ(OpTypes(result.graph()), "Exp");
}

}  // namespace
}  // namespace ptq
