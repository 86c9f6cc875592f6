#include "quantization/option_value.h"

#include <gtest/gtest.h>

#include <cmath>

#include "quantization/option_json.h"
#include "testing/refusals.h"

namespace ptq {
namespace {

// As ECMA-262, Number::toString, prints them.
TEST(NumberTextTest, IsThatOfJavaScript) {
  const std::pair<double, const char*> cases[] = {
      {0, "0"},
      {-0.0, "0"},
      {1, "1"},
      {-1, "-1"},
      {0.5, "0.5"},
      {0.1, "0.1"},
      {-12.25, "-12.25"},
      {99.999, "99.999"},
      {100, "100"},
      {1e-6, "0.000001"},
      {1.5e-6, "0.0000015"},
      {1e-7, "1e-7"},
      {-1.25e-7, "-1.25e-7"},
      {123456789, "123456789"},
      {1e20, "100000000000000000000"},
      {123456789012345680000.0, "123456789012345680000"},
      {1e21, "1e+21"},
      {1.5e300, "1.5e+300"},
      {9007199254740991, "9007199254740991"},
      {9007199254740993, "9007199254740992"},
      {1152921504606846976, "1152921504606847000"},
      {5e-324, "5e-324"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {1.0 / 3, "0.3333333333333333"},
      {0.1 + 0.2, "0.30000000000000004"},
  };
  for (const auto& [number, text] : cases) EXPECT_EQ(NumberText(number), text);
}

TEST(JsonTextTest, IsThatOfJsonStringify) {
  const char* const cases[] = {"null",
                               "true",
                               "\"a\\\"b\\n\\u0001é\"",
                               "[1,2.5,[]]",
                               "{}",
                               "{\"b\":1}",
                               "{\"b\":1,\"a\":{\"c\":[null,\"x\"]}}"};
  for (const char* text : cases) EXPECT_EQ(JsonText(OptionValue::parse(text)), text);
  EXPECT_EQ(JsonText(OptionValue::parse("[1.0, 2e0, 0.10, 1E30]")), "[1,2,0.1,1e+30]");
}

TEST(OptionValueTest, WholeNumbersAreThoseThatADoubleHolds) {
  EXPECT_EQ(WholeNumber(OptionValue(2.0)), 2);
  EXPECT_EQ(WholeNumber(OptionValue(-3)), -3);
  EXPECT_EQ(WholeNumber(OptionValue(9007199254740991)), 9007199254740991);
  EXPECT_EQ(WholeNumber(OptionValue(9007199254740992)), std::nullopt);
  EXPECT_EQ(WholeNumber(OptionValue(2.5)), std::nullopt);
  EXPECT_EQ(WholeNumber(OptionValue("2")), std::nullopt);
  EXPECT_EQ(WholeNumber(OptionValue(true)), std::nullopt);
}

// At most 60 UTF-16 units, as the library counts them; strings without escapes.
TEST(OptionValueTest, LongValuesAreCut) {
  const auto shown = [](const OptionValue& value) {
    const std::string message = RefusalOf([&] { ReadBoolean("x", value); }).message;
    return message.substr(message.find("received ") + 9);
  };
  const std::string a(58, 'a');
  EXPECT_EQ(shown(a), '"' + a + '"');
  EXPECT_EQ(shown(a + "b"), '"' + std::string(56, 'a') + "...");
  EXPECT_EQ(shown("a\"b"), "\"a\"b\"");
  std::string accents, smileys;
  for (int i = 0; i < 59; ++i) accents += "é";
  EXPECT_EQ(shown(accents), '"' + accents.substr(0, 112) + "...");
  for (int i = 0; i < 30; ++i) smileys += "😀";  // two units each
  EXPECT_EQ(shown(smileys), '"' + smileys.substr(0, 112) + "...");
}

TEST(OptionValueTest, KeysKeepTheirOrderAndTheLastValue) {
  const OptionValue value = OptionValue::parse(R"({"b": 1, "a": 2, "b": 3})");
  EXPECT_EQ(JsonText(value), R"({"b":3,"a":2})");
}

// Time that grew with their square would run into the limit of the test.
TEST(OptionValueTest, ManyKeysAreReadInLinearTime) {
  std::string text = "{";
  for (int i = 0; i < 200000; ++i) {
    text += (i == 0 ? "\"" : ",\"") + std::to_string(1000000 + i) + "_output\":[]";
  }
  EXPECT_EQ(OptionValue::parse(text + "}").size(), 200000U);
}

TEST(OptionValueTest, NamesKeepTheirNumber) {
  EXPECT_EQ(ReadName("x", OptionValue("b"), {"a", "b"}), 1U);
  EXPECT_EQ(
      RefusalOf([] { CheckKnown("key", "ab", {"abc", "x"}); }),
      (Refusal{ErrorCode::kInvalidOption, "unknown key \"ab\"", "did you mean \"abc\"?", ""}));
}

}  // namespace
}  // namespace ptq
