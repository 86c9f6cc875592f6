// The form of TensorQuantOverrides: what is taken, and what is refused with which words.
#include "quantization/tensor_overrides.h"

#include "testing/refusals.h"

namespace ptq {
namespace {

TensorOverrides Parse(const std::string& json) {
  return TensorOverridesFromJson(json, QuantType::kUInt8);
}

// The overrides of tensor "x".
void ExpectRefused(const std::string& overrides, const std::string& message,
                   const std::string& hint = "") {
  const std::string json = R"({"first": [{}], "x": )" + overrides + "}";
  EXPECT_EQ(
      RefusalOf([&] { Parse(json); }),
      (Refusal{ErrorCode::kInvalidOption, "TensorQuantOverrides of \"x\": " + message, hint, "x"}))
      << overrides;
}

TEST(TensorOverridesTest, EveryKindIsTaken) {
  const TensorOverrides overrides = Parse(R"({
    "activation": [{"quant_type": "QUInt16", "rmin": -1, "rmax": 2, "symmetric": false}],
    "explicit": [{"scale": 0.5, "zero_point": 2.0}],
    "lowerEnd": [{"rmin": -1}],
    "converted": [{"quant_type": "QUInt16",
                   "convert": {"quant_type": "QUInt8", "recv_nodes": ["Conv_0"], "rmin": 0}}],
    "convertedFromDefault": [{"convert": {"quant_type": "QInt16", "scale": 1, "zero_point": -3}}],
    "channels": [{"quant_type": "QInt8", "axis": -1, "symmetric": true, "reduce_range": true},
                 {"axis": 1, "quant_type": "QInt8"}, {"scale": 1, "zero_point": 0}],
    "ranges": [{"axis": 0, "rmin": 0, "rmax": 1}, {"rmin": -1, "rmax": 1}],
    "none": [],
    "empty": [{}]})");
  EXPECT_EQ(overrides.tensors(), (std::vector<std::string>{"activation", "explicit", "lowerEnd",
                                                           "converted", "convertedFromDefault",
                                                           "channels", "ranges", "none", "empty"}));
  const ParameterOverride& activation = overrides.Find("activation")->first();
  EXPECT_EQ(activation.quant_type, QuantType::kUInt16);
  EXPECT_EQ(activation.rmin, -1);
  EXPECT_EQ(activation.rmax, 2);
  EXPECT_EQ(activation.symmetric, false);
  EXPECT_EQ(activation.reduce_range, std::nullopt);
  EXPECT_EQ(overrides.Find("explicit")->first().scale, 0.5);
  EXPECT_EQ(overrides.Find("explicit")->first().zero_point, 2);
  const ConvertOverride& convert = *overrides.Find("converted")->convert;
  EXPECT_EQ(convert.parameters.quant_type, QuantType::kUInt8);
  EXPECT_EQ(convert.parameters.rmin, 0);
  EXPECT_TRUE(convert.recv_nodes->contains("Conv_0"));
  EXPECT_EQ(overrides.Find("convertedFromDefault")->convert->recv_nodes, std::nullopt);
  const TensorOverride& channels = *overrides.Find("channels");
  EXPECT_EQ(channels.axis, -1);
  EXPECT_EQ(channels.channels.size(), 3U);
  EXPECT_EQ(channels.channel(1).axis, 1);
  EXPECT_EQ(channels.channel(2).scale, 1);
  EXPECT_EQ(overrides.Find("none"), nullptr);
  EXPECT_EQ(overrides.Find("empty")->channels.size(), 1U);
  EXPECT_EQ(overrides.Find("nowhere"), nullptr);
}

TEST(TensorOverridesTest, NullIsAsIfItWereNotThere) {
  const ParameterOverride first =
      Parse(R"({"x": [{"symmetric": null, "rmin": 1, "unknown": null}]})").Find("x")->first();
  EXPECT_EQ(first.symmetric, std::nullopt);
  EXPECT_EQ(first.rmin, 1);
}

TEST(TensorOverridesTest, WhatIsNoObjectOfListsOfObjects) {
  for (const char* json : {"[]", "1", "not JSON"}) {
    EXPECT_EQ(RefusalOf([&] { Parse(json); }),
              (Refusal{ErrorCode::kInvalidOption,
                       "TensorQuantOverrides: expected an object of lists by tensor name",
                       "such as {\"tensor\": [{\"quant_type\": \"QUInt16\"}]}", ""}));
  }
  ExpectRefused(R"({"quant_type": "QInt8"})", "expected a list of objects",
                "one object is a list of one: [{…}]");
  ExpectRefused(R"(["QInt8"])", "an entry is not an object");
  ExpectRefused(R"([{"convert": "QInt8"}])", "convert: expected an object but received \"QInt8\"");
}

TEST(TensorOverridesTest, UnknownKeysAndTypesComeWithWhatIsNear) {
  ExpectRefused(R"([{"quant_typ": "QInt8"}])", "an entry has the unknown key \"quant_typ\"",
                "did you mean \"quant_type\"?");
  ExpectRefused(R"([{"zzzzzzzz": 1}])", "an entry has the unknown key \"zzzzzzzz\"",
                "known are quant_type, scale, zero_point, symmetric, rmin, rmax, axis, "
                "reduce_range, convert");
  ExpectRefused(R"([{"convert": {"quant_type": "QInt8", "zzzzzzzz": 1}}])",
                "\"convert\" has the unknown key \"zzzzzzzz\"",
                "known are quant_type, scale, zero_point, symmetric, rmin, rmax, recv_nodes");
  ExpectRefused(R"([{"convert": {"quant_type": "QInt8", "recv_node": []}}])",
                "\"convert\" has the unknown key \"recv_node\"", "did you mean \"recv_nodes\"?");
  const std::string types = "QInt8, QUInt8, QFLOAT8E4M3FN, QInt16, QUInt16, QInt4, QUInt4";
  ExpectRefused(R"([{"quant_type": "QInt9"}])",
                "quant_type: expected one of " + types + " but received \"QInt9\"",
                "did you mean \"QInt4\" or \"QInt8\"?");
  ExpectRefused(R"([{"quant_type": 8}])",
                "quant_type: expected one of " + types + " but received 8");
}

TEST(TensorOverridesTest, ValuesOfTheWrongKind) {
  ExpectRefused(R"([{"symmetric": 1}])", "symmetric: expected true or false but received 1");
  ExpectRefused(R"([{"reduce_range": "no"}])",
                "reduce_range: expected true or false but received \"no\"");
  ExpectRefused(R"([{"axis": 0.5}])", "axis: expected a whole number but received 0.5");
  ExpectRefused(R"([{"rmin": "0"}])", "rmin: expected a number but received \"0\"");
  ExpectRefused(R"([{"rmax": [1e-7, {"a": null}]}])",
                "rmax: expected a number but received [1e-7,{\"a\":null}]");
  ExpectRefused(R"([{"scale": true}])", "scale: expected a number but received true");
  ExpectRefused(R"([{"scale": 1, "zero_point": 2.5}])",
                "zero_point: expected a whole number but received 2.5");
  ExpectRefused(R"([{"scale": 0, "zero_point": 0}])", "scale: expected more than 0 but received 0");
  ExpectRefused(R"([{"scale": -1e-7, "zero_point": 0}])",
                "scale: expected more than 0 but received -1e-7");
  ExpectRefused(R"([{"rmin": 2, "rmax": 1.5}])", "rmin 2 is larger than rmax 1.5");
  ExpectRefused(R"([{"convert": {"quant_type": "QInt8", "recv_nodes": "Conv"}}])",
                "recv_nodes: expected a list of names but received \"Conv\"");
  ExpectRefused(R"([{"convert": {"quant_type": "QInt8", "recv_nodes": [1]}}])",
                "recv_nodes: expected a list of names but received [1]");
}

TEST(TensorOverridesTest, ZeroPointsAreValuesOfTheType) {
  ExpectRefused(R"([{"quant_type": "QInt4", "scale": 1, "zero_point": 8}])",
                "zero_point: 8 is not a QInt4, which goes from -8 to 7");
  ExpectRefused(R"([{"quant_type": "QUInt16", "scale": 1, "zero_point": -1}])",
                "zero_point: -1 is not a QUInt16, which goes from 0 to 65535");
  ExpectRefused(R"([{"quant_type": "QFLOAT8E4M3FN", "scale": 1, "zero_point": 1}])",
                "zero_point: 1 is not a QFLOAT8E4M3FN, which goes from 0 to 0");
  ExpectRefused(R"([{"convert": {"quant_type": "QInt8", "scale": 1, "zero_point": 128}}])",
                "zero_point: 128 is not a QInt8, which goes from -128 to 127");
}

TEST(TensorOverridesTest, ScaleAndZeroPointGoTogetherAndWithNothingElse) {
  const char* const both = "Must provide both 'scale' and 'zero_point', or neither";
  ExpectRefused(R"([{"scale": 1}])", both);
  ExpectRefused(R"([{"zero_point": 1}])", both);
  ExpectRefused(R"([{"convert": {"quant_type": "QInt8", "scale": 1}}])", both);
  const char* const hint = "scale and zero point say everything: leave the others out";
  for (const std::string key : {"symmetric", "reduce_range", "rmin", "rmax"}) {
    const std::string value = key[1] == 'm' ? "1" : "true";
    ExpectRefused(R"([{"scale": 1, "zero_point": 0, ")" + key + "\": " + value + "}]",
                  "option(s) [" + key + "] are invalid with 'scale' and 'zero_point'", hint);
  }
  ExpectRefused(R"([{"rmax": 1, "rmin": 0, "symmetric": true, "scale": 1, "zero_point": 0}])",
                "option(s) [symmetric, rmin, rmax] are invalid with 'scale' and 'zero_point'",
                hint);
}

TEST(TensorOverridesTest, PerChannelAxisFirstOneTypeRangesWholeScalesForAll) {
  const char* const for_all = "where channel 0 has them, all channels have them";
  ExpectRefused(R"([{"rmin": 0, "rmax": 1}, {}])",
                "several objects are one for each channel, but the first has no \"axis\"",
                "give \"axis\" in the first object");
  ExpectRefused(R"([{"axis": 0, "rmin": 0}])", "\"rmin\" or \"rmax\" of channel 0 is missing",
                "per channel they go together: give both or none");
  ExpectRefused(R"([{"axis": 0, "rmin": 0, "rmax": 1}, {}])",
                "\"rmin\" and \"rmax\" of channel 1 are missing", for_all);
  ExpectRefused(R"([{"axis": 0, "scale": 1, "zero_point": 0}, {}])",
                "\"scale\" and \"zero_point\" of channel 1 are missing", for_all);
  ExpectRefused(R"([{"axis": 0, "quant_type": "QInt8"}, {"quant_type": "QUInt8"}])",
                "\"quant_type\" of channel 1 differs from that of channel 0");
  ExpectRefused(R"([{"axis": 0}, {"axis": 1}])",
                "\"axis\" of channel 1 differs from that of channel 0");
  ExpectRefused(R"([{"axis": 0}, {"symmetric": true}])",
                "\"symmetric\" of channel 1 differs from that of channel 0");
  ExpectRefused(R"([{"axis": 0, "reduce_range": true}, {}, {"reduce_range": false}])",
                "\"reduce_range\" of channel 2 differs from that of channel 0");
  ExpectRefused(R"([{"axis": 0}, {"convert": {"quant_type": "QInt8"}}])",
                "\"convert\" together with \"axis\"", "initializers are not converted");
  ExpectRefused(R"([{"axis": 0, "convert": {"quant_type": "QInt8"}}])",
                "\"convert\" together with \"axis\"", "initializers are not converted");
}

TEST(TensorOverridesTest, ConvertNeedsAnotherTypeAndNothingOfInitializers) {
  ExpectRefused(R"([{"convert": {"rmin": 0}}])", "\"convert\" has no \"quant_type\"",
                "give the type to convert to");
  const char* const another = "give another quant_type, or leave \"convert\" out";
  ExpectRefused(R"([{"convert": {"quant_type": "QUInt8"}}])",
                "\"convert\" is to QUInt8, which the tensor has already", another);
  ExpectRefused(R"([{"quant_type": "QInt16", "convert": {"quant_type": "QInt16"}}])",
                "\"convert\" is to QInt16, which the tensor has already", another);
  for (const std::string key : {"axis", "reduce_range", "convert"}) {
    ExpectRefused(R"([{"convert": {"quant_type": "QInt8", ")" + key + R"(": 1}}])",
                  "\"convert\" cannot have \"" + key + '"',
                  '"' + key + "\" is for initializers, which are not converted");
  }
  // Where the type of activations is not known, any may be another one.
  const char* const to_default = R"({"x": [{"convert": {"quant_type": "QUInt8"}}]})";
  EXPECT_NO_THROW(TensorOverridesFromJson(to_default, std::nullopt));
}

TEST(TensorOverridesTest, TypesAndConvertsComeInTheOrderGiven) {
  const TensorOverrides overrides = Parse(R"({
      "z": [{}], "y": [{"axis": 0, "quant_type": "QInt4"}],
      "x": [{"quant_type": "QInt16", "convert": {"quant_type": "QUInt8"}}],
      "a": [{"convert": {"quant_type": "QInt8"}}]})");
  EXPECT_EQ(OverriddenTypes(overrides),
            (std::vector<QuantType>{QuantType::kInt4, QuantType::kInt16, QuantType::kUInt8,
                                    QuantType::kInt8}));
  EXPECT_EQ(*ConvertedTensor(overrides), "x");
  EXPECT_EQ(ConvertedTensor(Parse(R"({"x": [{}]})")), nullptr);
}

}  // namespace
}  // namespace ptq
