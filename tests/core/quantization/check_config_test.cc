// Combinations that are refused, each with all that is said.
#include "quantization/check_config.h"

#include <algorithm>

#include "quantization/option_names.h"
#include "testing/refusals.h"

namespace ptq {
namespace check_config_test {

Refusal Parsed(const std::string& options) {
  return RefusalOf([&] { ParseConfig(options); });
}

void ExpectUnsupported(const std::string& options, const std::string& message,
                       const std::string& hint) {
  EXPECT_EQ(Parsed(options), (Refusal{ErrorCode::kUnsupportedOption, message, hint, ""}))
      << options;
}

TEST(CheckConfigTest, AllTypesAreTakenInQdq) {
  for (const char* type : {"QInt8", "QUInt8", "QInt16", "QUInt16", "QInt4", "QUInt4"}) {
    const std::string name = std::string("\"") + type + "\"}";
    EXPECT_NO_THROW(ParseConfig(R"({"quant_format": "QDQ", "weight_type": )" + name));
    EXPECT_NO_THROW(ParseConfig(
        R"({"quant_format": "QDQ", "weight_type": "QInt8", "activation_type": )" + name));
  }
  EXPECT_NO_THROW(ParseConfig(R"({"quant_format": "QDQ", "calibrate_method": "Distribution",
      "activation_type": "QFLOAT8E4M3FN", "weight_type": "QFLOAT8E4M3FN"})"));
}

TEST(CheckConfigTest, TypesThatNothingCanRun) {
  ExpectUnsupported(R"({"activation_type": "QInt8"})",
                    "QInt8 activations with QUInt8 weights are supported by no runtime",
                    "use weight_type QInt8");
  const char* const both =
      "use QFLOAT8E4M3FN for both activation_type and weight_type, or for neither";
  ExpectUnsupported(
      R"({"activation_type": "QFLOAT8E4M3FN"})",
      "activations of QFLOAT8E4M3FN with weights of QUInt8 are supported by no runtime", both);
  ExpectUnsupported(
      R"({"weight_type": "QFLOAT8E4M3FN"})",
      "activations of QUInt8 with weights of QFLOAT8E4M3FN are supported by no runtime", both);
  const char* const use_qdq = "use quant_format QDQ";
  ExpectUnsupported(R"({"activation_type": "QUInt16", "weight_type": "QInt4"})",
                    "QUInt16 with quant_format QOperator: the quantized operators take 8 bits only",
                    use_qdq);
  ExpectUnsupported(R"({"weight_type": "QInt4"})",
                    "QInt4 with quant_format QOperator: the quantized operators take 8 bits only",
                    use_qdq);
}

TEST(CheckConfigTest, Float8GoesWithDistributionInQdqOnly) {
  const std::string float8 =
      R"("activation_type": "QFLOAT8E4M3FN", "weight_type": "QFLOAT8E4M3FN")";
  const std::string qdq =
      R"({"quant_format": "QDQ", "calibrate_method": "Distribution", )" + float8;
  const char* const distribution =
      "its scales come from the distribution of the values: use calibrate_method Distribution";
  ExpectUnsupported("{" + float8 + "}", "QFLOAT8E4M3FN does not go with calibrate_method MinMax",
                    distribution);
  ExpectUnsupported(
      R"({"calibrate_method": "Distribution", )" + float8 + "}",
      "QFLOAT8E4M3FN with quant_format QOperator: the quantized operators take integers only",
      "use quant_format QDQ");
  ExpectUnsupported(qdq + R"(, "reduce_range": true})",
                    "reduce_range has no effect on QFLOAT8E4M3FN", "leave it out");
  ExpectUnsupported(qdq + R"(, "extra_options": {"BlockSize": 16}})",
                    "extra option BlockSize has no effect on QFLOAT8E4M3FN",
                    "leave it out, or use an integer type");
  ExpectUnsupported(qdq + R"(, "extra_options": {"UseQDQContribOps": true}})",
                    "com.microsoft's QuantizeLinear has no float8 type",
                    "leave UseQDQContribOps out: the opset is raised to what ONNX's own needs");
  const std::string overridden =
      R"("extra_options": {"TensorQuantOverrides": {"x": [{"quant_type": "QFLOAT8E4M3FN"}]}}})";
  ExpectUnsupported(R"({"quant_format": "QDQ", )" + overridden,
                    "QFLOAT8E4M3FN does not go with calibrate_method MinMax (TensorQuantOverrides)",
                    distribution);
  ExpectUnsupported(
      "{" + overridden,
      "QFLOAT8E4M3FN with quant_format QOperator: the quantized operators take integers only",
      "use quant_format QDQ");
}

// The table says which: format and methods that heed each option, in and out of them.
TEST(CheckConfigTest, OptionsThatFormatOrMethodDoNotHeed) {
  const std::pair<const char*, const char*> changed[] = {
      {"AddQDQPairToWeight", "true"},
      {"OpTypesToExcludeOutputQuantization", R"(["Conv"])"},
      {"DedicatedQDQPair", "true"},
      {"QDQOpTypePerChannelSupportToAxis", R"({"MatMul": 0})"},
      {"QuantizeBias", "false"},
      {"UseQDQContribOps", "true"},
      {"QDQKeepRemovableActivations", "true"},
      {"QDQDisableWeightAdjustForInt32Bias", "true"},
      {"BlockSize", "32"},
      {"CalibMovingAverage", "true"},
      {"CalibMovingAverageConstant", "0.5"},
      {"CalibStridedMinMax", "2"},
      {"scenario", "\"p3\""},
      {"CalibPercentile", "99"},
      {"num_bins", "2048"},
      {"num_quantized_bins", "64"},
  };
  size_t with_rule = 0;
  for (const OptionRow& row : ExtraOptions()) with_rule += row.format || !row.methods.empty();
  EXPECT_EQ(with_rule, std::size(changed));
  for (const auto& [name, value] : changed) {
    const auto row = std::find_if(ExtraOptions().begin(), ExtraOptions().end(),
                                  [&](const OptionRow& each) { return each.name == name; });
    ASSERT_NE(row, ExtraOptions().end()) << name;
    for (const std::string format : {"QOperator", "QDQ"}) {
      for (const std::string& method : CalibrationMethodNames()) {
        const std::string options = R"({"quant_format": ")" + format +
                                    R"(", "calibrate_method": ")" + method +
                                    R"(", "extra_options": {")" + name + R"(": )" + value + "}}";
        std::string methods;
        bool heeded = row->methods.empty();
        for (const CalibrationMethod each : row->methods) {
          methods += (methods.empty() ? "" : " or ") + Name(each);
          heeded = heeded || Name(each) == method;
        }
        if (row->format && format == "QOperator") {
          ExpectUnsupported(
              options,
              std::string("extra option ") + name + " has no effect with quant_format QOperator",
              "leave it out, or use quant_format QDQ");
        } else if (!heeded) {
          ExpectUnsupported(options,
                            std::string("extra option ") + name +
                                " has no effect with calibrate_method " + method,
                            "leave it out, or use calibrate_method " + methods);
        } else {
          EXPECT_NO_THROW(ParseConfig(options)) << options;
        }
      }
    }
  }
}

TEST(CheckConfigTest, RangesByChannelAreOfMinMaxAlone) {
  ExpectUnsupported(R"({"calib_per_channel": true, "calibrate_method": "MSE"})",
                    "calib_per_channel has no effect with calibrate_method MSE",
                    "leave it out, or use calibrate_method MinMax");
  EXPECT_TRUE(ParseConfig(R"({"calib_per_channel": true})").calib_per_channel);
}

TEST(CheckConfigTest, BodiesAreObservedByMinMaxWithoutChannels) {
  ExpectUnsupported(R"({"calib_per_channel": true, "extra_options": {"EnableSubgraph": true}})",
                    "tensors in bodies have no ranges by channel", "leave EnableSubgraph out");
  ExpectUnsupported(R"({"calibrate_method": "Entropy", "extra_options": {"EnableSubgraph": true}})",
                    "tensors in bodies are observed by MinMax only",
                    "leave EnableSubgraph out, or use calibrate_method MinMax");
}

TEST(CheckConfigTest, NumbersThatAreTooLargeOrTooSmall) {
  const auto expect_invalid = [](const std::string& method, const std::string& extra,
                                 const std::string& message, const std::string& hint) {
    EXPECT_EQ(
        Parsed(R"({"calibrate_method": ")" + method + R"(", "extra_options": {)" + extra + "}}"),
        (Refusal{ErrorCode::kInvalidOption, message, hint, ""}));
  };
  expect_invalid("MinMax", R"("CalibMovingAverageConstant": 1.5)",
                 "CalibMovingAverageConstant: expected a number from 0 to 1", "0.01 is usual");
  expect_invalid("Percentile", R"("CalibPercentile": 100.5)",
                 "CalibPercentile: expected a number from 0 to 100", "99.999 is usual");
  expect_invalid("Entropy", R"("num_bins": 1048577)",
                 "num_bins: expected a whole number from 1 to 1048576", "2048 is usual");
  expect_invalid("Entropy", R"("num_quantized_bins": 1048577)",
                 "num_quantized_bins: expected a whole number from 1 to 1048576", "128 is usual");
  expect_invalid("Distribution", R"("num_bins": 511)", "num_bins: Distribution needs at least 512",
                 "2048 is usual");
}

TEST(CheckConfigTest, BlocksAreOnnxsOwn) {
  ExpectUnsupported(
      R"({"quant_format": "QDQ", "extra_options": {"BlockSize": 32, "UseQDQContribOps": true}})",
      "com.microsoft's QuantizeLinear has no blocks",
      "leave UseQDQContribOps out: the opset is raised to what ONNX's own needs");
}

TEST(CheckConfigTest, WhatTensorOverridesCannotBeCombinedWith) {
  // The first in the order given is named.
  const std::string converts = R"("TensorQuantOverrides": {"none": [], "y": [{}],
      "x": [{"convert": {"quant_type": "QInt8"}}], "a": [{"convert": {"quant_type": "QInt8"}}]})";
  ExpectUnsupported(
      R"({"quant_format": "QDQ", "extra_options": {"DedicatedQDQPair": true, )" + converts + "}}",
      "DedicatedQDQPair with \"convert\" in TensorQuantOverrides (tensor \"x\")",
      "leave one of them out");
  ExpectUnsupported(R"({"extra_options": {)" + converts + "}}",
                    "\"convert\" in TensorQuantOverrides (tensor \"x\") has no effect with "
                    "quant_format QOperator",
                    "use quant_format QDQ");
  ExpectUnsupported(
      R"({"extra_options": {"TensorQuantOverrides": {"z": [{"quant_type": "QInt16"}],
          "a": [{"quant_type": "QInt4"}]}}})",
      "QInt16 with quant_format QOperator: the quantized operators take 8 bits only "
      "(TensorQuantOverrides)",
      "use quant_format QDQ");
  ExpectUnsupported(
      R"({"extra_options": {"TensorQuantOverrides": {"z": [{"convert": {"quant_type": "QInt4"}}]}}})",
      "QInt4 with quant_format QOperator: the quantized operators take 8 bits only "
      "(TensorQuantOverrides)",
      "use quant_format QDQ");
}

}  // namespace check_config_test
}  // namespace ptq
