// The pipeline of one model: preparing, opsets and what is said about settings. What becomes of
// nodes is tested with the planners and rewriters (tests/core/quantization).
#include "pipeline/quantize_static.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "testing/quantize_text.h"

namespace ptq {
namespace {

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

TEST(RequiredOpsetTest, TypesAndFormatsNeedTheirs) {
  const TextModel text(R"(<ir_version: 7, opset_import: ["" : 9]>
      g (float[1,1,2,2] x) => (float[1,1,2,2] y) <float[1,1,1,1] w = {1}> { y = Conv (x, w) })");
  StaticQuantConfig config;
  EXPECT_EQ(RequiredOpset(text.model, config), 11);
  config.quant_format = QuantFormat::kQDQ;
  EXPECT_EQ(RequiredOpset(text.model, config), 11);
  config.activation_type = QuantType::kUInt16;
  EXPECT_EQ(RequiredOpset(text.model, config), 21);
  config.use_qdq_contrib_ops = true;
  EXPECT_EQ(RequiredOpset(text.model, config), 0);
  config = {};
  config.nodes_to_quantize = {"none"};
  EXPECT_EQ(RequiredOpset(text.model, config), 0);
}

TEST(QuantizeTest, AnOverrideWithoutEffectIsAWarning) {
  const auto warns = [](const std::string& tensor) {
    return QuantizeText(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[2] x) => (float[2] y) { h = Sigmoid (x) y = Exp (h) })",
                        R"({"quant_format": "QDQ", "extra_options": {"TensorQuantOverrides": {")" +
                            tensor + R"(": [{"quant_type": "QInt8"}]}}})",
                        {{"x", {-1, 1}}, {"h", {0, 1}}, {"y", {0, 3}}})
        .Diagnosed("OVERRIDE_UNUSED");
  };
  EXPECT_TRUE(warns("y"));
  EXPECT_FALSE(warns("h"));
}

class BiasFitsTest : public testing::TestWithParam<const char*> {};

TEST_P(BiasFitsTest, WeightsOfEveryTypeAreScaledForIt) {  // E23
  const std::string text = R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x) => (float[1,2,2,2] y)
      <float[2,1,1,1] w = {1e-12, -3e-12}, float[2] b = {30, -20}> { y = Conv (x, w, b) })";
  for (const std::string per_channel : {"false", "true"}) {
    for (const std::string format : {"QDQ", "QOperator"}) {
      SCOPED_TRACE(format + per_channel);
      const std::string options = R"({"quant_format": ")" + format + R"(", "per_channel": )" +
                                  per_channel + R"(, "weight_type": ")" + GetParam() + R"("})";
      if (format == "QOperator" && std::string(GetParam()).back() != '8') continue;  // 8 bits only
      const QuantizedText result = QuantizeText(text, options, {{"x", {-1, 1}}, {"y", {-20, 30}}});
      const std::vector<int64_t> values = result.Ints("b_quantized");
      const std::vector<float> scales = result.Floats("w_scale");
      const double input = result.Floats("x_scale")[0];
      EXPECT_NEAR(static_cast<double>(values[0]) * input * scales[0], 30, 1e-3);
      EXPECT_NEAR(static_cast<double>(values[1]) * input * scales.back(), -20, 1e-3);
      EXPECT_FALSE(result.Diagnosed("BIAS_LEFT_FLOAT"));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(WeightTypes, BiasFitsTest,
                         testing::Values("QUInt8", "QInt8", "QInt4", "QUInt4", "QInt16"));

TEST(BiasTest, OneThatFitsNowhereStaysFloat) {  // E23
  const float infinity = std::numeric_limits<float>::infinity();
  onnx::ModelProto model = ParseModelText(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x) => (float[1,1,2,2] y) <float[1,1,1,1] w = {1}> { [conv] y = Conv (x, w, b) })");
  AddFloats(model.mutable_graph(), "b", {1}, {infinity});
  const TensorRanges ranges = {{"x", {-1, 1}}, {"y", {0, 30}}};
  const QuantizedText qdq = QuantizeModel(model, kQdq, ranges);
  EXPECT_TRUE(qdq.Diagnosed("BIAS_LEFT_FLOAT"));
  EXPECT_EQ(qdq.Node("Conv").input(2), "b");
  const QuantizedText qoperator = QuantizeModel(model, kQOperator, ranges);
  EXPECT_NE(qoperator.Reason("conv").find("int32"), std::string::npos);
  EXPECT_EQ(OpTypes(qoperator.graph()), "Conv");
}

TEST(BiasTest, OneBesideAComputedWeightOfATinyRangeStaysFloat) {  // E23
  const std::string text = R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x, float[1,1,1,1] w) => (float[1,1,2,2] y) <float[1] b = {30}> { [conv] y = Conv (x, w, b) })";
  const TensorRanges ranges = {{"x", {-1, 1}}, {"w", {-1e-12f, 1e-12f}}, {"y", {0, 30}}};
  const QuantizedText qdq = QuantizeText(text, kQdq, ranges);
  EXPECT_EQ(qdq.Reason("conv"), "");
  EXPECT_TRUE(qdq.Diagnosed("BIAS_LEFT_FLOAT"));
  EXPECT_EQ(qdq.Node("Conv").input(2), "b");
  EXPECT_NE(QuantizeText(text, kQOperator, ranges).Reason("conv").find("int32"), std::string::npos);
}

TEST(BiasTest, WithoutTheAdjustmentAClippedBiasStaysFloat) {  // E23
  const std::string text = R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x) => (float[1,1,2,2] y) <float[1,1,1,1] w = {1e-12}, float[1] b = {30}> { y = Conv (x, w, b) })";
  const QuantizedText result = QuantizeText(
      text,
      R"({"quant_format": "QDQ", "weight_type": "QInt8", "extra_options": {"QDQDisableWeightAdjustForInt32Bias": true}})",
      {{"x", {-1, 1}}, {"y", {0, 30}}});
  EXPECT_TRUE(result.Diagnosed("BIAS_LEFT_FLOAT"));
  EXPECT_EQ(result.Floats("w_scale")[0], 1e-12f / 127);
}

// With QuantizeBias off onnxruntime quantizes the float bias, with the scales that are in the file.
TEST(BiasTest, OneThatIsLeftToOnnxruntimeFitsToo) {  // E31
  const auto quantized = [](const std::string& weight, const std::string& type) {
    return QuantizeText(
        R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x) => (float[1,1,2,2] y) <float[1,1,1,1] w = {)" +
            weight + R"(}, float[1] b = {30}> { y = Conv (x, w, b) })",
        R"({"quant_format": "QDQ", "weight_type": ")" + type +
            R"(", "extra_options": {"QuantizeBias": false}})",
        {{"x", {-1, 1}}, {"y", {0, 30}}});
  };
  for (const char* type : {"QInt8", "QUInt8"}) {
    const QuantizedText tiny = quantized("1e-12", type);
    EXPECT_EQ(tiny.Node("Conv").input(2), "b");
    EXPECT_FALSE(tiny.Diagnosed("BIAS_LEFT_FLOAT"));
    const double scale = static_cast<double>(tiny.Floats("x_scale")[0]) *
                         static_cast<double>(tiny.Floats("w_scale")[0]);
    EXPECT_LT(30 / scale, std::numeric_limits<int32_t>::max());
  }
  EXPECT_EQ(quantized("1", "QInt8").Floats("w_scale")[0], 1.0f / 127);
  EXPECT_EQ(quantized("1", "QUInt8").Floats("w_scale")[0], 1.0f / 255);
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
  config.quant_format = QuantFormat::kQDQ;
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

TEST(LearnTypesTest, WhatFollowsFromThemIsInferredAndQuantized) {
  MemoryFiles files(ParseModelText(R"(<ir_version: 5, opset_import: ["" : 9, "custom" : 1]>
      g (float[1,2] x) => (float[1,2] y) <float[2,2] w = {1, -0.5, 0.25, 2}> {
        c = custom.Known(x)
        r = Relu(c)
        [mm] y = MatMul(r, w)
      })")
                        .SerializeAsString());
  StaticQuantizer quantizer(&files);
  quantizer.Configure(ParseConfig(kQdq));
  quantizer.Prepare();
  EXPECT_EQ(quantizer.UntypedTensors(), (std::vector<std::string>{"c", "r"}));
  const CalibrationModel model = quantizer.WriteTypeModel("~types");
  EXPECT_EQ(model.outputs, (std::vector<std::string>{"c", "r"}));
  EXPECT_EQ(model.proto.graph().output_size(), 3);
  EXPECT_FALSE(model.proto.graph().output(1).has_type());
  quantizer.LearnTypes({{"c", {onnx::TensorProto::FLOAT, 2}}});
  EXPECT_TRUE(quantizer.UntypedTensors().empty());
  std::vector<std::string> calibrated;
  for (const CalibratedTensor& tensor : quantizer.TensorsToCalibrate()) {
    calibrated.push_back(tensor.name);
  }
  EXPECT_NE(std::count(calibrated.begin(), calibrated.end(), "r"), 0);
  quantizer.SetRanges({{"r", {0, 1, {}, 0}}, {"y", {-1, 1, {}, 0}}});
  EXPECT_GE(quantizer.Quantize("").opset, 10);
}

TEST(TargetOpsetTest, RaisesTheModelAndIsRefusedBelowWhatIsNeeded) {
  const std::string text = R"(<ir_version: 7, opset_import: ["" : 11]>
      g (float[1,1,2,2] x) => (float[1,2,2,2] y) <float[2,1,1,1] w = {1, 2}> { y = Conv (x, w) })";
  const TensorRanges ranges = {{"x", {-1, 1}}, {"y", {-2, 2}}};
  const auto opset = [&](const std::string& options) {
    return QuantizeText(text, R"({"quant_format": "QDQ", )" + options + "}", ranges).report.opset;
  };
  EXPECT_EQ(opset(R"("target_opset": 17)"), 17);
  EXPECT_EQ(opset(R"("target_opset": 17, "optimize_model": false)"), 17);
  EXPECT_EQ(opset(R"("target_opset": 11)"), 11);
  EXPECT_THROW(opset(R"("target_opset": 11, "per_channel": true)"), Error);
  EXPECT_THROW(opset(R"("target_opset": 9)"), Error);
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
