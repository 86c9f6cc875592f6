// The pipeline of one model: preparing, opsets and what is said about settings. What becomes of
// nodes is tested with the planners and rewriters (tests/core/quantization).
#include "pipeline/quantize_static.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace ptq
