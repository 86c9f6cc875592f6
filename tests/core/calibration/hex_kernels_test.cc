#include "calibration/hex_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace ptq {
namespace {

using nlohmann::json;

const std::vector<float> kValues = {0, -0.0f, 1.5f, -3e-42f,
                                    std::numeric_limits<float>::infinity()};

TEST(HexKernelsTest, ValuesComeBackToTheBitFromJson) {
  HexWriter writer;
  // A name that looks like what is set aside.
  const std::string name = R"("hex":"0", hex:)";
  const json written = {{"name", name},
                        {"some", {{"hex", writer.Put(kValues)}}},
                        {"none", {{"hex", writer.Put({})}}}};
  const std::string text = writer.Fill(written.dump());
  EXPECT_EQ(json::parse(text)["some"]["hex"], "00000000800000003fc000008000085d7f800000");
  for (const std::string& given : {text, json::parse(text).dump(2)}) {
    const HexReader reader(given);
    const json read = json::parse(reader.text());
    EXPECT_EQ(read["name"], name);
    const auto values = reader.Get(read["some"]["hex"].get<std::string>());
    ASSERT_TRUE(values);
    EXPECT_EQ(*values, kValues);
    EXPECT_TRUE(std::signbit((*values)[1]));
    EXPECT_EQ(reader.Get(read["none"]["hex"].get<std::string>()), std::vector<float>{});
  }
}

TEST(HexKernelsTest, WhatIsSetAsideIsNotLookedAtAgain) {
  HexWriter writer;
  const json written = {{"hex", writer.Put(kValues)}};
  const std::string text = writer.Fill(written.dump());
  EXPECT_LT(HexReader(text).text().size(), 12u);
}

TEST(HexKernelsTest, WhatIsNoValueIsRefused) {
  const HexReader reader(R"({"hex":"3fc0000","hex":"3fc0000g","hex":"7fc00000","hex":"3FC00000)");
  for (const char* value : {"0", "1", "2", "3", "4", "-1", "x", "3fc0000g", "7fc00000"}) {
    EXPECT_FALSE(reader.Get(value)) << value;
  }
}

}  // namespace
}  // namespace ptq
