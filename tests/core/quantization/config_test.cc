#include "quantization/config.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "quantization/option_table.h"
#include "testing/refusals.h"

namespace ptq {
namespace config_test {

using nlohmann::json;

constexpr ErrorCode kInvalid = ErrorCode::kInvalidOption;

Refusal Parsed(const std::string& options) {
  return RefusalOf([&] { ParseConfig(options); });
}

Refusal ParsedExtra(const std::string& extra, const std::string& format = "QDQ") {
  return Parsed(R"({"quant_format": ")" + format + R"(", "extra_options": {)" + extra + "}}");
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

TEST(ConfigTest, NullIsTheDefaultAsNoneIsInTheReference) {
  const StaticQuantConfig config = ParseConfig(R"({"per_channel": null, "weight_type": null,
      "nodes_to_exclude": null, "extra_options": null})");
  EXPECT_FALSE(config.per_channel);
  EXPECT_EQ(config.weight_type, QuantType::kUInt8);
  for (const OptionRow& row : ExtraOptions()) {
    EXPECT_NO_THROW(ParseConfig(R"({"extra_options": {")" + row.name + R"(": null}})")) << row.name;
  }
}

TEST(ConfigTest, AnUnknownNameListsNearMatches) {
  EXPECT_EQ(Parsed(R"({"per_chanel": true})"),
            (Refusal{kInvalid, "unknown option \"per_chanel\"", "did you mean \"per_channel\"?"}));
  EXPECT_EQ(ParsedExtra(R"("ActivationSymetric": true)"),
            (Refusal{kInvalid, "unknown extra option \"ActivationSymetric\"",
                     "did you mean \"ActivationSymmetric\"?"}));
  EXPECT_EQ(ParsedExtra(R"("zzzzzzz": null)"),
            (Refusal{kInvalid, "unknown extra option \"zzzzzzz\"", ""}));
}

TEST(ConfigTest, AValueOfTheWrongKindSaysWhatIsExpectedAndWhatCame) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {R"({"per_channel": "yes"})", "per_channel: expected true or false but received \"yes\"", ""},
      {R"({"nodes_to_exclude": "a"})",
       "nodes_to_exclude: expected a list of names but received \"a\"", ""},
      {R"({"nodes_to_exclude": [1, "a"]})",
       "nodes_to_exclude: expected a list of names but received [1,\"a\"]", ""},
      {R"({"quant_format": "QDQs"})",
       "quant_format: expected one of QOperator, QDQ but received \"QDQs\"",
       "did you mean \"QDQ\"?"},
      {R"({"quant_format": 1})", "quant_format: expected one of QOperator, QDQ but received 1", ""},
      {R"({"quant_format": "qdq"})",
       "quant_format: expected one of QOperator, QDQ but received \"qdq\"",
       "did you mean \"QDQ\"?"},
      {R"({"weight_type": "QInt32"})",
       "weight_type: expected one of QInt8, QUInt8, QFLOAT8E4M3FN, QInt16, QUInt16, QInt4, QUInt4 "
       "but received \"QInt32\"",
       "did you mean \"QInt16\", \"QInt4\" or \"QInt8\"?"},
      {R"({"calibrate_method": "MinMx"})",
       "calibrate_method: expected one of MinMax, Entropy, Percentile, Distribution, MSE, auto but "
       "received \"MinMx\"",
       "did you mean \"MinMax\"?"},
      {R"({"extra_options": [0.5, {"a": 1e-7}]})",
       "extra_options: expected an object but received [0.5,{\"a\":1e-7}]", ""},
      {"[1]", "the configuration is not a JSON object", ""},
      {"{", "the configuration is not a JSON object", ""},
  };
  for (const auto& [options, message, hint] : cases) {
    EXPECT_EQ(Parsed(options), (Refusal{kInvalid, message, hint})) << options;
  }
}

TEST(ConfigTest, NumbersOfExtraOptionsAreWholeWhereTheyCountAndNotNegative) {
  EXPECT_EQ(
      ParseConfig(R"({"quant_format": "QDQ", "extra_options": {"BlockSize": 32.0}})").block_size,
      32);
  const std::pair<const char*, const char*> cases[] = {
      {R"("BlockSize": -1)", "BlockSize: expected a whole number of at least 0 but received -1"},
      {R"("BlockSize": 1.5)", "BlockSize: expected a whole number of at least 0 but received 1.5"},
      {R"("BlockSize": 1e21)",
       "BlockSize: expected a whole number of at least 0 but received 1e+21"},
      {R"("MinimumRealRange": -1e-7)",
       "MinimumRealRange: expected a number of at least 0 but received -1e-7"},
      {R"("MinimumRealRange": "0")",
       "MinimumRealRange: expected a number of at least 0 but received \"0\""},
      {R"("CalibStridedMinMax": 0)",
       "CalibStridedMinMax: expected a whole number of at least 1 but received 0"},
      {R"("CalibMaxIntermediateOutputs": -2)",
       "CalibMaxIntermediateOutputs: expected a whole number of at least 1 but received -2"},
      {R"("scenario": "p4")", "scenario: expected one of same, p3 but received \"p4\""},
      {R"("QDQOpTypePerChannelSupportToAxis": {"MatMul": "1"})",
       "QDQOpTypePerChannelSupportToAxis: expected an object of whole numbers but received "
       "{\"MatMul\":\"1\"}"},
  };
  for (const auto& [extra, message] : cases) {
    EXPECT_EQ(ParsedExtra(extra).message, message);
    EXPECT_EQ(ParsedExtra(extra).code, kInvalid) << extra;
  }
}

TEST(ConfigTest, TheFirstFaultIsNamed) {
  // Unknown names before values, values in the order of the table, then types, then extra options
  // as given.
  EXPECT_EQ(Parsed(R"({"per_channel": 1, "activation_type": 2, "nam": 3})").message,
            "unknown option \"nam\"");
  EXPECT_EQ(Parsed(R"({"per_channel": 1, "quant_format": 2})").message,
            "quant_format: expected one of QOperator, QDQ but received 2");
  EXPECT_EQ(Parsed(R"({"extra_options": {"BlockSiz": 1}, "activation_type": "QInt8"})").message,
            "QInt8 activations with QUInt8 weights are supported by no runtime");
  EXPECT_EQ(ParsedExtra(R"("BlockSize": 2, "AddQDQPairToWeight": 3)", "QOperator").message,
            "extra option BlockSize has no effect with quant_format QOperator");
  EXPECT_EQ(ParsedExtra(R"("AddQDQPairToWeight": 3, "BlockSize": 2)", "QOperator").message,
            "AddQDQPairToWeight: expected true or false but received 3");
  EXPECT_EQ(
      ParsedExtra(R"("TensorQuantOverrides": {"x": [{"quant_type": "QInt4"}]}, "scenario": "p3")",
                  "QOperator")
          .message,
      "extra option scenario has no effect with calibrate_method MinMax");
}

TEST(ConfigTest, OptionDefaultsAreThoseOfTheTableAndAreAccepted) {
  const json defaults = json::parse(OptionDefaultsJson());
  EXPECT_EQ(defaults.at("parameters").at("quant_format"), "QOperator");
  EXPECT_EQ(defaults.at("parameters").at("nodes_to_exclude"), json::array());
  const json& extra = defaults.at("extra_options");
  EXPECT_EQ(extra.size(), ExtraOptions().size());
  EXPECT_EQ(extra.at("num_bins").dump(),
            R"({"default":null,"methods":["Entropy","Percentile","Distribution"]})");
  EXPECT_EQ(extra.at("QuantizeBias").dump(), R"({"default":true,"format":"QDQ"})");
  EXPECT_EQ(extra.at("CalibMovingAverageConstant").dump(),
            R"({"default":0.01,"methods":["MinMax"]})");
  EXPECT_EQ(extra.at("TensorQuantOverrides").dump(), R"({"default":{}})");
  EXPECT_EQ(extra.at("WeightSymmetric").dump(), R"({"default":null})");
  // A default is never refused, whatever the format and the method.
  for (const char* format : {"QDQ", "QOperator"}) {
    for (const char* method : {"MinMax", "Entropy", "Percentile", "Distribution", "MSE", "auto"}) {
      json options = defaults.at("parameters");
      options["quant_format"] = format;
      options["calibrate_method"] = method;
      for (const auto& [name, option] : extra.items()) {
        options["extra_options"][name] = option.at("default");
      }
      EXPECT_NO_THROW(ParseConfig(options.dump())) << options.dump();
    }
  }
}

}  // namespace config_test
}  // namespace ptq
