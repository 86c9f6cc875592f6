// Weights that the result still holds as floats: which, why, and from when on that is a warning.
#include "quantization/float_weights.h"

#include <gtest/gtest.h>

#include <limits>

#include "testing/quantize_text.h"

namespace ptq {
namespace float_weights_test {

constexpr int kRows = 32;

// x [1,32] -> `nodes`, which read w (4 kB, float) and v (the same) -> y [1,32].
onnx::ModelProto ModelOf(const std::string& nodes) {
  onnx::ModelProto model = ParseModelText(R"(
      <ir_version: 8, opset_import: ["" : 13, "custom" : 1]>
      g (float[1,32] x) => (float[1,32] y) <int64[2] shape = {32, 32}> {)" +
                                          nodes + "}");
  std::vector<float> values;
  for (int i = 0; i < kRows * kRows; ++i) values.push_back(static_cast<float>(i % 7) - 3);
  AddFloats(model.mutable_graph(), "w", {kRows, kRows}, values);
  AddFloats(model.mutable_graph(), "v", {kRows, kRows}, values);
  return model;
}

const TensorRanges kRanges = {{"x", {-1, 1}}, {"h", {-9, 9}}, {"y", {-9, 9}}};

class FloatWeightsTest : public testing::TestWithParam<const char*> {
 protected:
  static std::string Options(const std::string& more = "") {
    return std::string(R"({"quant_format": ")") + GetParam() + "\"" + more + "}";
  }

  static QuantizedText Quantize(const std::string& nodes, const std::string& more = "") {
    return QuantizeModel(ModelOf(nodes), Options(more), kRanges);
  }

  static Diagnostic Warning(const QuantizedText& result) {
    for (const Diagnostic& diagnostic : result.report.diagnostics) {
      if (diagnostic.code == "WEIGHTS_LEFT_FLOAT") return diagnostic;
    }
    return {};
  }
};

TEST_P(FloatWeightsTest, NoneIsLeftWhereAllAreQuantized) {
  const QuantizedText result = Quantize("h = MatMul (x, w) y = MatMul (h, v)");
  EXPECT_EQ(result.report.weights.bytes, 2 * 4 * kRows * kRows);
  EXPECT_EQ(result.report.weights.float_bytes, 0);
  EXPECT_TRUE(result.report.weights.left.empty());
  EXPECT_FALSE(result.Diagnosed("WEIGHTS_LEFT_FLOAT"));
}

TEST_P(FloatWeightsTest, TheWeightOfAnOperatorOfAnotherDomainIsNamedWithTheReason) {
  const QuantizedText result = Quantize("[a] h = MatMul (x, w) [b] y = custom.Layer (h, v)");
  ASSERT_EQ(result.report.weights.left.size(), 1);
  const FloatWeight& weight = result.report.weights.left[0];
  EXPECT_EQ(weight.tensor, "v");
  EXPECT_EQ(weight.bytes, 4 * kRows * kRows);
  EXPECT_EQ(weight.node, "b");
  EXPECT_EQ(weight.reason.code, FloatReasonCode::kOtherDomain);
  EXPECT_EQ(result.report.weights.float_bytes, weight.bytes);
  const Diagnostic warning = Warning(result);
  EXPECT_EQ(warning.severity, Severity::kWarning);
  EXPECT_EQ(warning.tensor, "v");
  EXPECT_EQ(warning.node, "b");
  EXPECT_NE(warning.message.str().find("4.10 kB of 8.19 kB"), std::string::npos) << warning.message;
  EXPECT_NE(warning.message.str().find("custom"), std::string::npos) << warning.message;
  EXPECT_FALSE(warning.hint.empty());
}

TEST_P(FloatWeightsTest, AComputedWeightIsThatOfTheNodeThatNeedsIt) {
  const QuantizedText result =
      Quantize("[a] h = MatMul (x, w) u = Sin (v) t = Sin (u) [b] y = MatMul (h, t)");
  ASSERT_EQ(result.report.weights.left.size(), 1);
  EXPECT_EQ(result.report.weights.left[0].tensor, "v");
  EXPECT_EQ(result.report.weights.left[0].node, "b");
  EXPECT_EQ(result.report.weights.left[0].reason.code, FloatReasonCode::kWeightComputed);
  EXPECT_NE(Warning(result).hint.str().find("optimize_model"), std::string::npos);
}

TEST_P(FloatWeightsTest, AWeightInABodyIsCounted) {
  const QuantizedText result = QuantizeModel(
      [] {
        onnx::ModelProto model = ModelOf(R"([a] h = MatMul (x, w)
          c = ReduceMax <keepdims = 0> (h) b = Cast <to = 9> (c)
          [branch] y = If (b) <then_branch = t () => (float[1,32] p) { p = MatMul (h, v) },
                               else_branch = e () => (float[1,32] q) { q = Identity (h) }>)");
        // v moves into the body that reads it.
        onnx::GraphProto* graph = model.mutable_graph();
        onnx::NodeProto* branch = graph->mutable_node(graph->node_size() - 1);
        for (onnx::AttributeProto& attribute : *branch->mutable_attribute()) {
          if (attribute.name() != "then_branch") continue;
          *attribute.mutable_g()->add_initializer() = graph->initializer(2);
        }
        graph->mutable_initializer()->RemoveLast();
        return model;
      }(),
      Options(), kRanges);
  ASSERT_EQ(result.report.weights.left.size(), 1);
  EXPECT_EQ(result.report.weights.left[0].node, "branch");
  EXPECT_NE(Warning(result).hint.str().find("EnableSubgraph"), std::string::npos);
}

TEST_P(FloatWeightsTest, WhatWasAskedForIsCountedAndIsNoWarning) {
  const QuantizedText result =
      Quantize("[a] h = MatMul (x, w) [b] y = MatMul (h, v)", R"(, "nodes_to_exclude": ["b"])");
  EXPECT_EQ(result.report.weights.float_bytes, 4 * kRows * kRows);
  EXPECT_TRUE(result.report.weights.left[0].asked_for);
  EXPECT_FALSE(result.Diagnosed("WEIGHTS_LEFT_FLOAT"));
}

TEST_P(FloatWeightsTest, AnInfiniteWeightIsLeftAndNamed) {
  onnx::ModelProto model = ModelOf("[a] h = MatMul (x, w) [b] y = MatMul (h, k)");
  std::vector<float> values(kRows * kRows, 1);
  values[5] = std::numeric_limits<float>::infinity();
  AddFloats(model.mutable_graph(), "k", {kRows, kRows}, values);
  const QuantizedText result = QuantizeModel(model, Options(), kRanges);
  EXPECT_EQ(Warning(result).tensor, "k");
  EXPECT_NE(Warning(result).message.str().find("infinity"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Formats, FloatWeightsTest, testing::Values("QDQ", "QOperator"));

TEST(ReportFloatWeightsTest, FromATenthOfTheBytesOn) {
  const auto warns = [](uint64_t left, uint64_t all) {
    FloatWeights weights{all, left, {{"w", left, "n", {FloatReasonCode::kNoRange, "no"}}}};
    Diagnostics diagnostics;
    ReportFloatWeights(weights, {}, &diagnostics);
    return !diagnostics.empty();
  };
  EXPECT_FALSE(warns(2000, 20000));
  EXPECT_TRUE(warns(2001, 20000));
  EXPECT_FALSE(warns(1000, 1000));  // next to nothing
}

TEST(ReportFloatWeightsTest, ThreeAreNamedAndTheRestIsCounted) {
  FloatWeights weights{5000, 5000, {}};
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    weights.left.push_back({name, 1000, "n", {FloatReasonCode::kNoRange, "no range"}});
  }
  Diagnostics diagnostics;
  ReportFloatWeights(weights, {}, &diagnostics);
  ASSERT_EQ(diagnostics.size(), 1);
  EXPECT_NE(diagnostics[0].message.str().find("'c' (1.00 kB): no range; and 2 more."),
            std::string::npos)
      << diagnostics[0].message;
}

}  // namespace float_weights_test
}  // namespace ptq
