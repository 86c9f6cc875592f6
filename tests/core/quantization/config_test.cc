#include "quantization/config.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "testing/model_text.h"

namespace ptq {
namespace {

// Expects ParseConfig or CheckConfig to refuse, with a message and a hint that hold these words.
void ExpectRefused(const std::string& options, ErrorCode code, const std::string& message,
                   const std::string& hint = "") {
  static TextModel model(R"(<ir_version: 8, opset_import: ["" : 13, "acme" : 1]>
      g (float[1,1,2,2] x) => (float[1,1,2,2] y) <float[1,1,1,1] w = {1}>
      { [block1_conv_a] c = Conv (x, w) [block2_conv_b] d = Conv (c, w) [own] y = acme.Blend (d) })");
  try {
    CheckConfig(ParseConfig(options), model.model);
    ADD_FAILURE() << "accepted: " << options;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.message();
    EXPECT_NE(error.message().find(message), std::string::npos) << error.message();
    EXPECT_NE(error.hint().find(hint), std::string::npos) << error.hint();
  }
}

TEST(ConfigTest, NothingGivenMeansTheDefaultsOfTheMission) {
  const StaticQuantConfig config = ParseConfig("{}");
  EXPECT_EQ(config.quant_format, QuantFormat::kQOperator);
  EXPECT_EQ(config.activation_type, QuantType::kUInt8);
  EXPECT_EQ(config.weight_type, QuantType::kUInt8);
  EXPECT_FALSE(config.per_channel);
  EXPECT_TRUE(config.optimize_model);
  EXPECT_TRUE(config.WeightSymmetric(QuantType::kInt8));
  EXPECT_FALSE(config.WeightSymmetric(QuantType::kUInt8));
}

TEST(ConfigTest, ReadsEveryKindOfOption) {
  const StaticQuantConfig config = ParseConfig(R"({
    "quant_format": "QDQ", "activation_type": "QInt8", "weight_type": "QInt8", "per_channel": true,
    "nodes_to_exclude": ["a", "b"],
    "extra_options": {"WeightSymmetric": false, "MinimumRealRange": 0.5, "DedicatedQDQPair": true,
                      "QDQOpTypePerChannelSupportToAxis": {"MatMul": -1}}})");
  EXPECT_EQ(config.quant_format, QuantFormat::kQDQ);
  EXPECT_EQ(config.activation_type, QuantType::kInt8);
  EXPECT_TRUE(config.nodes_to_exclude.contains("b"));
  EXPECT_FALSE(config.WeightSymmetric(QuantType::kInt8));
  EXPECT_EQ(config.minimum_real_range, 0.5);
  EXPECT_TRUE(config.dedicated_qdq_pair);
  EXPECT_EQ(config.qdq_op_type_per_channel_support_to_axis.at("MatMul"), -1);
}

TEST(ConfigTest, AnUnknownNameListsNearMatches) {
  ExpectRefused(R"({"per_chanel": true})", ErrorCode::kInvalidOption, "'per_chanel'",
                "\"per_channel\"");
  ExpectRefused(R"({"extra_options": {"ActivationSymetric": true}})", ErrorCode::kInvalidOption,
                "'ActivationSymetric'", "\"ActivationSymmetric\"");
  ExpectRefused(R"({"nodes_to_exclude": ["block1_conv_b"]})", ErrorCode::kInvalidOption,
                "no node named 'block1_conv_b'", "\"block1_conv_a\"");
  ExpectRefused(R"({"nodes_to_quantize": ["block2_Conv_b"]})", ErrorCode::kInvalidOption,
                "no node named", "\"block2_conv_b\"");
  ExpectRefused(R"({"op_types_to_quantize": ["conv"]})", ErrorCode::kInvalidOption, "'conv'",
                "\"Conv\"");
  ExpectRefused(R"({"op_types_to_quantize": ["Blen"]})", ErrorCode::kInvalidOption, "'Blen'",
                "\"Blend\"");
  ExpectRefused(
      R"({"quant_format": "QDQ", "extra_options": {"OpTypesToExcludeOutputQuantization": ["MatMull"]}})",
      ErrorCode::kInvalidOption, "'MatMull'", "\"MatMul\"");
}

TEST(ConfigTest, AValueOfTheWrongKindSaysWhich) {
  ExpectRefused(R"({"per_channel": "yes"})", ErrorCode::kInvalidOption,
                "'per_channel' cannot be \"yes\"");
  ExpectRefused(R"({"nodes_to_exclude": "a"})", ErrorCode::kInvalidOption, "'nodes_to_exclude'");
  ExpectRefused(R"({"quant_format": "qdq"})", ErrorCode::kInvalidOption, "quant_format", "QDQ");
  ExpectRefused(R"({"weight_type": "QInt32"})", ErrorCode::kInvalidOption, "'QInt32'", "QInt8");
  ExpectRefused("[1]", ErrorCode::kInvalidOption, "not a JSON object");
  ExpectRefused("{", ErrorCode::kInvalidOption, "not a JSON object");
}

TEST(ConfigTest, CombinationsWithoutMeaningAreRefused) {
  ExpectRefused(R"({"activation_type": "QInt8", "weight_type": "QUInt8"})",
                ErrorCode::kUnsupportedOption, "QInt8 activations with QUInt8 weights");
  for (const char* option :
       {R"("AddQDQPairToWeight": true)", R"("DedicatedQDQPair": true)", R"("QuantizeBias": false)",
        R"("UseQDQContribOps": true)", R"("QDQKeepRemovableActivations": true)",
        R"("QDQDisableWeightAdjustForInt32Bias": true)",
        R"("OpTypesToExcludeOutputQuantization": ["Conv"])",
        R"("QDQOpTypePerChannelSupportToAxis": {"MatMul": 0})"}) {
    ExpectRefused(std::string(R"({"extra_options": {)") + option + "}}",
                  ErrorCode::kUnsupportedOption, "has no effect in the QOperator format");
  }
  for (const char* types : {R"("activation_type": "QInt16")", R"("weight_type": "QUInt4")",
                            R"("extra_options": {"TensorQuantOverrides":
                                {"x": [{"quant_type": "QUInt16"}]}})"}) {
    ExpectRefused(std::string("{") + types + "}", ErrorCode::kUnsupportedOption,
                  "QOperator format has 8-bit integers only", "QDQ");
  }
  ExpectRefused(R"({"quant_format": "QDQ", "activation_type": "QFLOAT8E4M3FN"})",
                ErrorCode::kUnsupportedOption, "activations and weights together");
  ExpectRefused(R"({"quant_format": "QDQ",
                    "extra_options": {"BlockSize": 32, "UseQDQContribOps": true}})",
                ErrorCode::kUnsupportedOption, "no blocks");
}

// Each with what the message has to say.
TEST(ConfigTest, TensorQuantOverridesThatMakeNoSenseAreRefused) {
  const std::pair<const char*, const char*> cases[] = {
      {R"([{"scale": 1.0}])", "Must provide both 'scale' and 'zero_point'"},
      {R"([{"scale": 0, "zero_point": 0, "rmax": 1.0}])",
       "option(s) [rmax] are invalid with 'scale' and 'zero_point'"},
      {R"([{"scale": 0, "zero_point": 0}])", "scale is not a positive number"},
      {R"([{"zero_pint": 0}])", "unknown key 'zero_pint'"},
      {R"([{"quant_type": "QInt7"}])", "expected a quantization type"},
      {R"([{"scale": 1, "zero_point": 2.5}])", "expected a whole number"},
      {R"([{"rmin": 1, "rmax": -1}])", "rmin is greater than rmax"},
      {R"([{}, {}])", "needs an axis"},
      {R"([{"axis": 0, "rmin": 0}])", "rmin and rmax come together"},
      {R"([{"axis": 0, "symmetric": true}, {"symmetric": false}])", "the same for all channels"},
      {R"([{"convert": {}}])", "convert has no quant_type"},
      {R"([{"convert": {"quant_type": "QUInt16", "recv_nodes": "a"}}])", "not a list"},
      {R"({})", "expected a list"},
  };
  for (const auto& [override, message] : cases) {
    ExpectRefused(std::string(R"({"quant_format": "QDQ", "extra_options": {"TensorQuantOverrides":
                                  {"first": [], "x": )") +
                      override + "}}}",
                  ErrorCode::kInvalidOption, message);
  }
}

TEST(ConfigTest, NodeNamesInSubgraphsAndOpTypesOfTheModelAreKnown) {
  TextModel model(R"(<ir_version: 8, opset_import: ["" : 13, "acme" : 1]>
      g (float[1] x, bool which) => (float[1] y) {
        y = If (which) <then_branch = a () => (float[1] p) { [inner] p = Exp (x) },
                        else_branch = b () => (float[1] q) { q = acme.Blend (x) }>
      })");
  EXPECT_NO_THROW(CheckConfig(ParseConfig(R"({"nodes_to_exclude": ["inner"]})"), model.model));
  EXPECT_NO_THROW(
      CheckConfig(ParseConfig(R"({"op_types_to_quantize": ["If", "Tanh"]})"), model.model));
}

}  // namespace
}  // namespace ptq
