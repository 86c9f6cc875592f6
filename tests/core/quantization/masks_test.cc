// Masks: constants that stand for infinity, on their way to Softmax.
#include "quantization/masks.h"

#include <gtest/gtest.h>

#include <limits>

#include "testing/quantize_text.h"

namespace ptq {
namespace masks_test {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct MaskCase {
  const char* name;
  const char* constants;  // beside `one`; `ninf` is added as -infinity
  const char* nodes;      // from s (scores) and f (0 or 1) to m
  float lowest;           // of m
  bool is_mask;
};

// x -> MatMul -> s -> `nodes` -> m -> Softmax -> p -> MatMul -> y
onnx::ModelProto ModelOf(const MaskCase& c) {
  onnx::ModelProto model = ParseModelText(std::string(R"(
      <ir_version: 8, opset_import: ["" : 14]>
      g (float[1,4] x, int64[1,4] mask) => (float[1,4] y)
      <float[4,4] w = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, float one = {1} )") +
                                          c.constants + R"(> {
        [scores] s = MatMul (x, w)
        f = Cast <to = 1> (mask)
        b = Cast <to = 9> (mask)
        )" + c.nodes + R"(
        [softmax] p = Softmax <axis = -1> (m)
        [context] y = MatMul (p, w)
      })");
  AddFloats(model.mutable_graph(), "ninf", {}, {-kInfinity});
  return model;
}

TensorRanges RangesOf(const MaskCase& c) {
  return {{"x", {-1, 1}}, {"s", {-8, 8}}, {"m", {c.lowest, 8}}, {"p", {0, 0.9f}},    {"y", {0, 16}},
          {"f", {0, 1}},  {"i", {0, 1}},  {"a", {c.lowest, 0}}, {"e", {c.lowest, 8}}};
}

const MaskCase kCases[] = {
    {"lowest float, added", ", float lowest = {-3.4028234e38}",
     "i = Sub (one, f) [fill] a = Mul (i, lowest) [apply] m = Add (s, a)", -3.4028234e38f, true},
    {"-1e4 as BERT", ", float lowest = {-10000}",
     "i = Sub (one, f) [fill] a = Mul (i, lowest) [apply] m = Add (s, a)", -10008, true},
    {"1e9, of which the sign is in the mask", ", float lowest = {1e9}",
     "i = Sub (f, one) [fill] a = Mul (i, lowest) [apply] m = Add (s, a)", -1e9f, true},
    {"subtracted", ", float lowest = {1e9}",
     "i = Sub (one, f) [fill] a = Mul (i, lowest) [apply] m = Sub (s, a)", -1e9f, true},
    {"-inf by Where", "", "[apply] m = Where (b, s, ninf)", -kInfinity, true},
    {"-1e9 by Where", ", float lowest = {-1e9}", "[apply] m = Where (b, s, lowest)", -1e9f, true},
    {"moved on the way", ", float lowest = {-1e9}, int64[2] shape = {1, 4}",
     "[apply] e = Where (b, s, lowest) [move] m = Reshape (e, shape)", -1e9f, true},
    {"a constant mask", ", float[1,4] lowest = {0, 0, -1e9, -1e9}", "[apply] m = Add (s, lowest)",
     -1e9f, true},
    {"no sample was masked", ", float lowest = {-1e9}", "[apply] m = Where (b, s, lowest)", -8,
     true},
    {"a bias of scores", ", float[1,4] bias = {1, -2, 3, -40}", "[apply] m = Add (s, bias)", -48,
     false},
    {"a temperature", ", float lowest = {5000}", "[apply] m = Mul (s, lowest)", -40000, false},
    {"a small fill", ", float lowest = {-20}", "[apply] m = Where (b, s, lowest)", -20, false},
};

class MasksTest : public testing::TestWithParam<const char*> {
 protected:
  QuantizedText Quantize(const MaskCase& c) const {
    return QuantizeModel(ModelOf(c),
                         std::string(R"({"quant_format": ")") + GetParam() +
                             R"(", "extra_options": {"ForceQuantizeNoInputCheck": true}})",
                         RangesOf(c));
  }
};

TEST_P(MasksTest, WhatMakesAndReadsThemStaysFloatAndTheRestIsQuantized) {
  for (const MaskCase& c : kCases) {
    SCOPED_TRACE(c.name);
    const QuantizedText result = Quantize(c);
    for (const QuantizedNode& node : result.report.nodes) {
      const bool at_mask = node.name == "apply" || node.name == "softmax" || node.name == "fill" ||
                           node.name == "move";
      if (at_mask && node.op_type != "Sub") {  // which is not quantized by default
        EXPECT_EQ(node.plan.reason.code == FloatReasonCode::kRangeOfMask, c.is_mask)
            << node.name << ": " << node.plan.reason.text;
      }
      if (node.name == "scores" || node.name == "context") {
        EXPECT_TRUE(node.plan.reason.empty()) << node.plan.reason.text;
      }
    }
    for (const TensorPlan& tensor : result.report.tensors) {
      if (c.is_mask) {
        EXPECT_TRUE(tensor.tensor != "m" && tensor.tensor != "e");
      }
      if (tensor.tensor == "s") {
        EXPECT_EQ(tensor.params.scales[0], 16.0f / 255);
      }
    }
    EXPECT_FALSE(result.Diagnosed("TENSOR_NOT_FINITE"));
  }
}

TEST_P(MasksTest, AnOverrideOfTheMaskedTensorIsHeeded) {
  const std::string options = std::string(R"({"quant_format": ")") + GetParam() +
                              R"(", "extra_options": {"ForceQuantizeNoInputCheck": true,
      "TensorQuantOverrides": {"m": [{"rmin": -20.0, "rmax": 8.0}]}}})";
  const QuantizedText result = QuantizeModel(ModelOf(kCases[1]), options, RangesOf(kCases[1]));
  EXPECT_EQ(result.Reason("softmax"), "");
}

TEST_P(MasksTest, AnyOtherInfiniteRangeIsNamedAndEndsNoRun) {
  const std::string text = R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,4] x) => (float[1,4] y) <float[4,4] w = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}> {
        [a] s = MatMul (x, w)
        [b] t = Mul (s, s)
        [c] y = MatMul (t, w)
      })";
  const std::string options = std::string(R"({"quant_format": ")") + GetParam() + R"("})";
  const QuantizedText result = QuantizeText(
      text, options, {{"x", {-1, 1}}, {"s", {-8, 8}}, {"t", {0, kInfinity}}, {"y", {0, 16}}});
  EXPECT_EQ(result.Reason("a"), "");
  EXPECT_NE(result.Reason("b").find("'t' was infinite"), std::string::npos);
  EXPECT_NE(result.Reason("c").find("'t' was infinite"), std::string::npos);
  EXPECT_TRUE(result.Diagnosed("TENSOR_NOT_FINITE"));
}

TEST_P(MasksTest, AConstantThatHoldsInfinityStaysFloatWithWhatReadsIt) {
  onnx::ModelProto model = ParseModelText(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,4] x) => (float[1,4] y) <float[4,4] w = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}> {
        [a] s = MatMul (x, w)
        [b] t = Add (s, k)
        [c] y = Relu (t)
      })");
  AddFloats(model.mutable_graph(), "k", {4}, {0, -kInfinity, 0, 0});
  const std::string options = std::string(R"({"quant_format": ")") + GetParam() + R"("})";
  const QuantizedText result = QuantizeModel(
      model, options, {{"x", {-1, 1}}, {"s", {-8, 8}}, {"t", {-kInfinity, 8}}, {"y", {0, 8}}});
  EXPECT_EQ(result.Reason("a"), "");
  EXPECT_NE(result.Reason("b"), "");
}

TEST_P(MasksTest, AWeightThatHoldsInfinityOrOnlyNaNEndsNoRun) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const char* op : {"MatMul (s, k)", "Gemm (s, k)", "Conv (s4, k4)"}) {
    for (const std::vector<float>& values :
         {std::vector<float>{1, kInfinity, 0, 2}, {-kInfinity, 1, 1, 1}, {nan, nan, nan, nan}}) {
      SCOPED_TRACE(op);
      onnx::ModelProto model = ParseModelText(std::string(
                                                  R"(<ir_version: 8, opset_import: ["" : 13]>
          g (float[1,2] x) => (float[N] y) <float[2,2] w = {1, 2, 3, 4}, int64[4] to4 = {1, 2, 1, 1}> {
            [a] s = MatMul (x, w)
            [move] s4 = Reshape (s, to4)
            [b] y = )") + op + "}");
      AddFloats(model.mutable_graph(), "k", {2, 2}, values);
      AddFloats(model.mutable_graph(), "k4", {2, 2, 1, 1}, values);
      const std::string options =
          std::string(R"({"per_channel": true, "quant_format": ")") + GetParam() + R"("})";
      const QuantizedText result = QuantizeModel(
          model, options, {{"x", {-1, 1}}, {"s", {-8, 8}}, {"s4", {-8, 8}}, {"y", {-8, 8}}});
      EXPECT_EQ(result.Reason("a"), "");
      EXPECT_NE(result.Reason("b").find("holds infinity"), std::string::npos) << result.Reason("b");
      EXPECT_TRUE(result.Diagnosed("TENSOR_NOT_FINITE"));
    }
  }
}

TEST_P(MasksTest, InfiniteBoundsOfAClipAreNone) {
  onnx::ModelProto model = ParseModelText(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,2] x) => (float[1,2] y) <float[2,2] w = {1, 2, 3, 4}, float zero = {0}> {
        [a] s = MatMul (x, w)
        [clip] y = Clip (s, zero, top)
      })");
  AddFloats(model.mutable_graph(), "top", {}, {kInfinity});
  const std::string options = std::string(R"({"quant_format": ")") + GetParam() + R"("})";
  const QuantizedText result =
      QuantizeModel(model, options, {{"x", {-1, 1}}, {"s", {0, 8}}, {"y", {0, 8}}});
  EXPECT_EQ(result.Reason("clip"), "");
}

INSTANTIATE_TEST_SUITE_P(Formats, MasksTest, testing::Values("QDQ", "QOperator"));

}  // namespace masks_test
}  // namespace ptq
