// Operators that are said to move data: whose output may take its input's parameters.
#include "quantization/new_values.h"

#include <gtest/gtest.h>

#include "testing/quantize_text.h"

namespace ptq {
namespace new_values_test {

constexpr char kQdq[] = R"({"quant_format": "QDQ"})";
constexpr char kQOperator[] = R"({"quant_format": "QOperator"})";

// x -> Conv -> c -> `node` -> u -> Conv -> y
std::string Between(const std::string& node) {
  return R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,4,4] x) => (float[1,1,N,M] y)
      <float[1,1,1,1] w = {1}, float[4] two = {1, 1, 2, 2}, int64[4] sizes = {1, 1, 6, 6},
       float[8] roi = {0, 0, 0, 0, 1, 1, 1, 1}, float[0] none = {}, int64[8] pads = {0, 0, 1, 1, 0, 0, 1, 1},
       float far = {-4}, float near = {2.5}, float fill = {-inf}> {
        c = Conv (x, w)
        )" +
         node + R"(
        y = Conv (u, w)
      })";
}

const TensorPlan& Planned(const QuantizedText& result, const std::string& tensor) {
  for (const TensorPlan& plan : result.report.tensors) {
    if (plan.tensor == tensor) return plan;
  }
  throw std::invalid_argument("not planned: " + tensor);
}

TensorRanges Ranges(TensorRange input, TensorRange output) {
  return {{"x", {-1, 1}}, {"c", input}, {"u", output}, {"y", {-8, 8}}};
}

struct Case {
  const char* node;
  bool shares;   // QDQ: output takes the input's parameters
  bool integer;  // QOperator: runs on integers
};

const Case kCases[] = {
    {R"([n] u = Resize <mode = "nearest"> (c, , two))", true, true},
    {R"([n] u = Resize <mode = "linear"> (c, , two))", true, true},
    {R"([n] u = Resize <mode = "cubic"> (c, , two))", false, false},
    {R"([n] u = Resize <mode = "cubic", cubic_coeff_a = -0.5> (c, none, none, sizes))", false,
     false},
    {R"([n] u = Resize <mode = "linear", coordinate_transformation_mode = "tf_crop_and_resize",
        extrapolation_value = -4.0> (c, roi, none, sizes))",
     false, false},
    // The default of 0 is in every range, but an integer kernel would write the integer 0.
    {R"([n] u = Resize <mode = "nearest", coordinate_transformation_mode = "tf_crop_and_resize">
        (c, roi, none, sizes))",
     false, false},
    {R"([n] u = Pad (c, pads))", true, true},
    {R"([n] u = Pad (c, pads, far))", false, false},
    {R"([n] u = Pad (c, pads, near))", false, true},
    {R"([n] u = Pad <mode = "reflect"> (c, pads, far))", true, true},
    {R"([n] u = MaxPool <kernel_shape = [2, 2], pads = [1, 1, 1, 1]> (c))", true, true},
    {R"([n] u = Transpose <perm = [0, 1, 3, 2]> (c))", true, true},
};

TEST(NewValuesTest, QdqSharesParametersOnlyWhereValuesAreShared) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.node);
    const QuantizedText result = QuantizeText(Between(c.node), kQdq, Ranges({0, 6}, {-4, 9}));
    EXPECT_EQ(result.Reason("n"), "");
    const TensorPlan& output = Planned(result, "u");
    EXPECT_EQ(output.shares_with, c.shares ? "c" : "");
    EXPECT_EQ(output.params.scales[0], c.shares ? 6.0f / 255 : 13.0f / 255);
  }
}

TEST(NewValuesTest, QOperatorLeavesWhatWritesNewValuesFloat) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.node);
    const QuantizedText result = QuantizeText(Between(c.node), kQOperator, Ranges({0, 6}, {-4, 9}));
    EXPECT_EQ(result.Reason("n").empty(), c.integer) << result.Reason("n");
    if (c.integer) continue;
    for (const QuantizedNode& node : result.report.nodes) {
      if (node.name == "n") {
        EXPECT_EQ(node.plan.reason.code, FloatReasonCode::kUnsupportedForm);
      }
    }
    // The second Conv reads it quantized by its own range.
    EXPECT_EQ(Planned(result, "u").params.scales[0], 13.0f / 255);
  }
}

TEST(NewValuesTest, EqualRangesAreSetApartSoThatNoRuntimeRunsItOnIntegers) {
  const char* cubic = R"([n] u = Resize <mode = "cubic"> (c, , two))";
  const QuantizedText result = QuantizeText(Between(cubic), kQdq, Ranges({0, 6}, {0, 6}));
  EXPECT_EQ(Planned(result, "c").params.scales[0], 6.0f / 255);
  EXPECT_EQ(Planned(result, "u").params.scales[0], std::nextafter(6.0f / 255, 1.0f));
  // With a Relu that goes, and a Transpose that shares.
  const QuantizedText chain = QuantizeText(Between(R"([n] a = Resize <mode = "cubic"> (c, , two)
                 b = Relu (a)
                 u = Transpose <perm = [0, 1, 3, 2]> (b))"),
                                           kQdq,
                                           {{"x", {-1, 1}},
                                            {"c", {0, 6}},
                                            {"a", {-1, 6}},
                                            {"b", {0, 6}},
                                            {"u", {0, 6}},
                                            {"y", {-8, 8}}});
  EXPECT_FALSE(chain.Has("Relu"));
  EXPECT_EQ(Planned(chain, "b").params.scales[0], std::nextafter(6.0f / 255, 1.0f));
  EXPECT_EQ(Planned(chain, "u").params.scales[0], std::nextafter(6.0f / 255, 1.0f));
}

TEST(NewValuesTest, AComputedPadValueIsHeldToItsRange) {
  const std::string text = R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,4,4] x, float v) => (float[1,1,6,6] y)
      <float[1,1,1,1] w = {1}, int64[8] pads = {0, 0, 1, 1, 0, 0, 1, 1}> {
        c = Conv (x, w)
        [n] u = Pad (c, pads, v)
        y = Conv (u, w)
      })";
  TensorRanges ranges = Ranges({0, 6}, {-4, 9});
  ranges["v"] = {1, 5};
  EXPECT_EQ(QuantizeText(text, kQOperator, ranges).Reason("n"), "");
  ranges["v"] = {-4, 5};
  EXPECT_NE(QuantizeText(text, kQOperator, ranges).Reason("n").find("pad value"),
            std::string::npos);
}

TEST(ExcludedOutputsTest, GatherHeedsOpTypesToExcludeOutputQuantization) {
  const std::string text = R"(<ir_version: 8, opset_import: ["" : 13]>
      g (int64[2] i) => (float[2,2] y) <float[3,2] table = {1, 2, 3, 4, 5, 6}> { y = Gather (table, i) })";
  const TensorRanges ranges = {{"y", {1, 6}}};
  EXPECT_EQ(OpTypes(QuantizeText(text, kQdq, ranges).graph()),
            "DequantizeLinear Gather QuantizeLinear DequantizeLinear");
  const QuantizedText excluded = QuantizeText(
      text,
      R"({"quant_format": "QDQ", "extra_options": {"OpTypesToExcludeOutputQuantization": ["Gather"]}})",
      ranges);
  EXPECT_EQ(OpTypes(excluded.graph()), "DequantizeLinear Gather");
}

}  // namespace new_values_test
}  // namespace ptq
