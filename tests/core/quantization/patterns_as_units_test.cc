// Operators that a prepared model spells out in several nodes stay whole.
#include <gtest/gtest.h>

#include "testing/quantize_text.h"

namespace ptq {
namespace patterns_as_units_test {

constexpr char kModel[] = R"(<ir_version: 8, opset_import: ["" : 13]>
  g (float[2,4] x) => (float[2,4] z)
  <float[4,4] w = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
   float root = {1.41421356}, float one = {1}, float half = {0.5}> {
    [first] a = MatMul (x, w)
    [scale] d = Div (a, root)
    [erf] e = Erf (d)
    [gate] s = Add (e, one)
    [inner] m = Mul (a, s)
    [times] y = Mul (m, half)
    [second] z = MatMul (y, w)
  })";

constexpr char kSwish[] = R"(<ir_version: 8, opset_import: ["" : 13]>
  g (float[2,4] x) => (float[2,4] z)
  <float[4,4] w = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}> {
    [first] a = MatMul (x, w)
    [gate] s = Sigmoid (a)
    [times] y = Mul (a, s)
    [second] z = MatMul (y, w)
  })";

const TensorRanges& SomeRanges() {
  static const auto* const kRanges =
      new TensorRanges{{"x", {-1, 1}}, {"a", {-8, 8}},  {"d", {-6, 6}}, {"e", {-1, 1}},
                       {"s", {0, 2}},  {"m", {-1, 16}}, {"y", {-1, 8}}, {"z", {-9, 9}}};
  return *kRanges;
}

std::string Options(const std::string& format, const std::string& more) {
  return R"({"quant_format": ")" + format + R"(", "weight_type": "QInt8")" + more + "}";
}

TEST(PatternsAsUnits, TheirNodesStayFloatAndTheirEndsAreQuantizedForOthers) {
  for (const std::string format : {"QDQ", "QOperator"}) {
    const QuantizedText result =
        QuantizeText(kModel, Options(format, R"(, "optimize_model": true)"), SomeRanges());
    for (const std::string name : {"gate", "times"}) {
      EXPECT_EQ(result.Reason(name), "it is part of a Gelu in several nodes, which stays whole");
      EXPECT_EQ(result.PlanOf(name).reason.code, FloatReasonCode::kPartOfPattern);
    }
    EXPECT_EQ(result.Reason("second"), "");
    std::vector<std::string> quantized;
    for (const TensorPlan& tensor : result.report.tensors) quantized.push_back(tensor.tensor);
    std::sort(quantized.begin(), quantized.end());
    EXPECT_EQ(quantized, (std::vector<std::string>{"a", "w", "x", "y", "z"})) << format;
  }
}

TEST(PatternsAsUnits, AModelThatIsTakenAsItIsGetsWhatTheReferenceGives) {
  const QuantizedText result =
      QuantizeText(kModel, Options("QDQ", R"(, "optimize_model": false)"), SomeRanges());
  EXPECT_EQ(result.Reason("gate"), "");
  EXPECT_EQ(result.Reason("times"), "");
}

TEST(PatternsAsUnits, WithoutThePassNoPatternIsLookedFor) {
  const QuantizedText result = QuantizeText(
      kModel, Options("QDQ", R"(, "optimize_model": true, "disabled_passes": ["fuse_patterns"])"),
      SomeRanges());
  EXPECT_EQ(result.Reason("gate"), "");
}

TEST(PatternsAsUnits, ASwishIsQuantizedNodeByNode) {
  const QuantizedText result =
      QuantizeText(kSwish, Options("QDQ", R"(, "optimize_model": true)"), SomeRanges());
  EXPECT_EQ(result.Reason("gate"), "");
  EXPECT_EQ(result.Reason("times"), "");
}

TEST(PatternsAsUnits, ANodeThatIsNamedIsQuantizedAllTheSame) {
  const QuantizedText result = QuantizeText(
      kModel, Options("QDQ", R"(, "optimize_model": true, "nodes_to_quantize": ["gate", "first"])"),
      SomeRanges());
  EXPECT_EQ(result.Reason("gate"), "");
  EXPECT_EQ(result.PlanOf("times").reason.code, FloatReasonCode::kNodeNotSelected);
}

TEST(PatternsAsUnits, TheReasonOfTheUserComesFirst) {
  const QuantizedText result = QuantizeText(
      kModel, Options("QDQ", R"(, "optimize_model": true, "nodes_to_exclude": ["gate"])"),
      SomeRanges());
  EXPECT_EQ(result.PlanOf("gate").reason.code, FloatReasonCode::kNodeExcluded);
}

}  // namespace patterns_as_units_test
}  // namespace ptq
