// Options against a model, each refusal with all that is said.
#include "quantization/check_on_model.h"

#include "testing/model_text.h"
#include "testing/refusals.h"

namespace ptq {
namespace check_on_model_test {

constexpr ErrorCode kInvalid = ErrorCode::kInvalidOption;

class CheckOnModelTest : public testing::Test {
 protected:
  CheckOnModelTest() { AddFloats(&model_.model.graph(), "s", {}, {1}); }

  // Of the options in QDQ.
  Refusal Checked(const std::string& options) {
    return RefusalOf([&] { CheckConfig(ParseConfig(options), model_.model); });
  }

  void ExpectOverridesRefused(const std::string& tensor, const std::string& list,
                              const std::string& message, const std::string& hint = "") {
    const std::string overrides = R"({"x": [{}], ")" + tensor + "\": " + list + "}";
    const Refusal expected{kInvalid, "TensorQuantOverrides of \"" + tensor + "\": " + message, hint,
                           tensor};
    EXPECT_EQ(Checked(Options(overrides)), expected) << list;
  }

  static std::string Options(const std::string& overrides) {
    return R"({"quant_format": "QDQ", "extra_options": {"TensorQuantOverrides": )" + overrides +
           "}}";
  }

  TextModel model_ = TextModel(R"(<ir_version: 8, opset_import: ["" : 13, "acme" : 1]>
      g (float[1,1,2,2] x) => (float[1,1,2,2] y) <float[2,1,1,1] w = {1, 2}>
      { [block1_conv_a] c = Conv (x, w) [block2_conv_b] d = Conv (c, w) [own] y = acme.Blend (d, s) })");
};

TEST_F(CheckOnModelTest, UnknownNodesAndOpTypesListNearMatches) {
  EXPECT_EQ(Checked(R"({"nodes_to_exclude": ["block1_conv_b"]})"),
            (Refusal{kInvalid, "nodes_to_exclude: the model has no node named 'block1_conv_b'",
                     "did you mean \"block1_conv_a\" or \"block2_conv_b\"?"}));
  EXPECT_EQ(Checked(R"({"nodes_to_quantize": ["block2_Conv_c"]})").hint,
            "did you mean \"block2_conv_b\" or \"block1_conv_a\"?");
  EXPECT_EQ(Checked(R"({"op_types_to_quantize": ["Blen"]})"),
            (Refusal{kInvalid, "op_types_to_quantize: there is no op type 'Blen'",
                     "did you mean \"Blend\"?"}));
  EXPECT_NE(Checked(R"({"op_types_to_quantize": ["conv"]})").hint.find("\"Conv\""),
            std::string::npos);
  const Refusal excluded = Checked(
      R"({"quant_format": "QDQ",
          "extra_options": {"OpTypesToExcludeOutputQuantization": ["MatMull"]}})");
  EXPECT_EQ(excluded.message, "OpTypesToExcludeOutputQuantization: there is no op type 'MatMull'");
  EXPECT_NE(excluded.hint.find("\"MatMul\""), std::string::npos);
}

TEST_F(CheckOnModelTest, NodeNamesInSubgraphsAndOpTypesOfTheModelAreKnown) {
  TextModel model(R"(<ir_version: 8, opset_import: ["" : 13, "acme" : 1]>
      g (float[1] x, bool which) => (float[1] y) {
        y = If (which) <then_branch = a () => (float[1] p) { [inner] p = Exp (x) },
                        else_branch = b () => (float[1] q) { q = acme.Blend (x) }>
      })");
  EXPECT_NO_THROW(CheckConfig(ParseConfig(R"({"nodes_to_exclude": ["inner"]})"), model.model));
  EXPECT_NO_THROW(
      CheckConfig(ParseConfig(R"({"op_types_to_quantize": ["If", "Tanh"]})"), model.model));
  // A tensor of a body is one of the model's; a view without bodies does not know it.
  const StaticQuantConfig inner = ParseConfig(Options(R"({"p": [{}]})"));
  EXPECT_NO_THROW(CheckConfig(inner, model.model));
  EXPECT_THROW(CheckOverridesOnModel(inner.tensor_overrides, GraphView(model.model.graph())),
               Error);
}

TEST_F(CheckOnModelTest, OverridesOfTensorsThatAreNotThere) {
  ExpectOverridesRefused("dd", "[{}]", "the tensor is not present in the model",
                         "did you mean \"d\"?");
  ExpectOverridesRefused("nowhere", "[]", "the tensor is not present in the model");
  EXPECT_NO_THROW(CheckConfig(
      ParseConfig(Options(R"({"x": [{}], "w": [{}], "c": [{}], "y": [{}]})")), model_.model));
}

TEST_F(CheckOnModelTest, WhatIsForInitializersOnly) {
  ExpectOverridesRefused("c", R"([{"axis": 0}])",
                         "\"axis\" is for initializers, this is an activation");
  ExpectOverridesRefused("c", R"([{"reduce_range": true}])",
                         "\"reduce_range\" is for initializers, this is an activation");
  ExpectOverridesRefused("w", R"([{"convert": {"quant_type": "QInt8"}}])",
                         "\"convert\" is for activations, this is an initializer");
}

TEST_F(CheckOnModelTest, AxesAndTheNumberOfObjects) {
  ExpectOverridesRefused("w", R"([{"axis": 4}])", "axis 4 of a tensor with 4 dimensions");
  ExpectOverridesRefused("w", R"([{"axis": -5}])", "axis -5 of a tensor with 4 dimensions");
  ExpectOverridesRefused("s", R"([{"axis": 0}])", "axis 0 of a tensor with 0 dimensions");
  ExpectOverridesRefused("w", R"([{"axis": 0}, {}, {}])", "3 objects for 2 channels (axis 0)",
                         "give one object for all channels, or one for each");
  ExpectOverridesRefused("w", R"([{"axis": -1}, {}])", "2 objects for 1 channels (axis -1)",
                         "give one object for all channels, or one for each");
  for (const char* list : {R"([{"axis": 0}])", R"([{"axis": -4}, {"axis": 0}])"}) {
    EXPECT_NO_THROW(
        CheckConfig(ParseConfig(Options(R"({"w": )" + std::string(list) + "}")), model_.model));
  }
}

TEST_F(CheckOnModelTest, ChannelsSayWhatTheFirstSays) {
  ExpectOverridesRefused("w", R"([{"axis": 0}, {"axis": -1}])",
                         "\"axis\" of channel 1 differs from that of channel 0");
  const char* const all = "where one channel has them, all channels have them";
  ExpectOverridesRefused(
      "w", R"([{"axis": 0}, {"scale": 1, "zero_point": 0}])",
      "\"scale\" and \"zero_point\" of channel 1 are given, but not those of channel 0", all);
  ExpectOverridesRefused("w", R"([{"axis": 0}, {"rmin": 0, "rmax": 1}])",
                         "\"rmin\" and \"rmax\" of channel 1 are given, but not those of channel 0",
                         all);
}

TEST_F(CheckOnModelTest, ZeroPointsAreValuesOfTheTypeThatTheTensorWillHave) {
  ExpectOverridesRefused("c", R"([{"scale": 1, "zero_point": 256}])",
                         "zero_point: 256 is not a QUInt8, which goes from 0 to 255");
  ExpectOverridesRefused("w", R"([{"axis": 0, "quant_type": "QInt8", "scale": 1, "zero_point": 0},
                                  {"scale": 1, "zero_point": -129}])",
                         "zero_point: -129 is not a QInt8, which goes from -128 to 127");
  // Which type an initializer has is not known here.
  EXPECT_NO_THROW(CheckConfig(ParseConfig(Options(R"({"w": [{"scale": 1, "zero_point": 256}]})")),
                              model_.model));
}

// Every tensor is looked for before any zero point is.
TEST_F(CheckOnModelTest, TheFirstFaultIsNamed) {
  const Refusal refusal =
      Checked(Options(R"({"c": [{"scale": 1, "zero_point": 256}], "b": [{}], "a": [{}]})"));
  EXPECT_EQ(refusal.tensor, "b");
}

}  // namespace check_on_model_test
}  // namespace ptq
