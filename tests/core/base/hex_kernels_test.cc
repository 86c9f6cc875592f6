#include "base/hex_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace ptq {
namespace hex_kernels_test {

using nlohmann::json;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
const std::vector<float> kFloats = {0, -0.0f, 1.5f, -3e-42f, kInfinity};
const std::vector<double> kDoubles = {0, -0.0, 1.5, 5e-324, -1.0 / 3};
const std::vector<uint64_t> kCounts = {0, 9, 16, 0, 0xabcdef, ~uint64_t{0}};

TEST(HexKernelsTest, ValuesComeBackToTheBitFromJson) {
  HexWriter writer;
  // A name that looks like what is set aside.
  const std::string name = R"("hex":"0", hex:)";
  const json written = {{"name", name},
                        {"floats", {{"hex", writer.Put(kFloats)}}},
                        {"doubles", {{"hex", writer.Put(kDoubles)}}},
                        {"counts", {{"hex", writer.Put(kCounts)}}},
                        {"none", {{"hex", writer.Put(std::span<const uint64_t>())}}}};
  const std::string text = writer.Fill(written.dump());
  EXPECT_EQ(json::parse(text)["floats"]["hex"], "00000000800000003fc000008000085d7f800000");
  EXPECT_EQ(json::parse(text)["counts"]["hex"], "0 9 10 0 abcdef ffffffffffffffff ");
  for (const std::string& given : {text, json::parse(text).dump(2)}) {
    const HexReader reader(given);
    const json read = json::parse(reader.text());
    const auto hex = [&](const char* key) { return read[key]["hex"].get<std::string>(); };
    EXPECT_EQ(read["name"], name);
    const auto floats = reader.Get<float>(hex("floats"));
    ASSERT_TRUE(floats);
    EXPECT_EQ(*floats, kFloats);
    EXPECT_TRUE(std::signbit((*floats)[1]));
    EXPECT_EQ(reader.Get<double>(hex("doubles")), kDoubles);
    EXPECT_EQ(reader.Get<uint64_t>(hex("counts")), kCounts);
    EXPECT_EQ(reader.Get<float>(hex("none")), std::vector<float>{});
    EXPECT_EQ(reader.Get<uint64_t>(hex("none")), std::vector<uint64_t>{});
  }
}

TEST(HexKernelsTest, WhatIsSetAsideIsNotLookedAtAgain) {
  HexWriter writer;
  const json written = {{"hex", writer.Put(kFloats)}};
  const std::string text = writer.Fill(written.dump());
  EXPECT_LT(HexReader(text).text().size(), 12u);
}

TEST(HexKernelsTest, WhatIsNoValueIsRefused) {
  const HexReader reader(R"({"hex":"3fc0000","hex":"3fc0000g","hex":"3FC00000)");
  for (const char* value : {"0", "1", "2", "3", "-1", "x", "3fc0000g"}) {
    EXPECT_FALSE(reader.Get<float>(value)) << value;
    EXPECT_FALSE(reader.Get<double>(value)) << value;
    EXPECT_FALSE(reader.Get<uint64_t>(value)) << value;
  }
  EXPECT_FALSE(reader.Get<double>("3fc00000"));
  for (const char* counts : {" ", "1", "1  2 ", "1 2", "-1 ", "1. ", "10000000000000000 "}) {
    EXPECT_FALSE(reader.Get<uint64_t>(counts)) << counts;
  }
}

}  // namespace hex_kernels_test
}  // namespace ptq
