#include "base/shortest_decimal.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace ptq {
namespace {

template <typename Real>
std::string Standard(Real value) {
  std::array<char, 400> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

template <typename Real>
std::vector<Real> Powers(Real base, int from, int to) {
  std::vector<Real> powers;
  for (int i = from; i <= to; ++i) powers.push_back(std::pow(base, static_cast<Real>(i)));
  return powers;
}

TEST(ShortestTextTest, IsThatOfToChars) {
  const double limits[] = {0.0,   -0.0,   1,    -1,    0.1,   0.001, 0.0001, 0.00012,
                           -2e-7, 1.5e21, 1e22, 99999, 1e5,   1e4,   123456, 9007199254740992,
                           1e300, 5e-324, 0.3,  1e100, 1e-99, 12.5,  -100.0, 1152921504606846976};
  for (const double value : limits) {
    EXPECT_EQ(ShortestText(value), Standard(value));
    EXPECT_EQ(ShortestText(static_cast<float>(value)), Standard(static_cast<float>(value)));
  }
  for (const double value : {std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(), std::nan("")}) {
    EXPECT_EQ(ShortestText(value), Standard(value));
  }
}

// Where the numbers below are closer than those above.
TEST(ShortestTextTest, IsThatOfToCharsAtPowersOfTwo) {
  for (const double value : Powers(2.0, -1074, 1023)) {
    EXPECT_EQ(ShortestText(value), Standard(value));
  }
  for (const float value : Powers(2.0F, -149, 127)) {
    EXPECT_EQ(ShortestText(value), Standard(value));
  }
}

TEST(ShortestTextTest, IsThatOfToCharsForAnyBits) {
  std::mt19937_64 bits(1);
  for (int i = 0; i < 2000; ++i) {
    const auto drawn = bits();
    const auto wide = std::bit_cast<double>(drawn);
    if (std::isfinite(wide)) {
      EXPECT_EQ(ShortestText(wide), Standard(wide));
    }
    const auto narrow = std::bit_cast<float>(static_cast<uint32_t>(drawn));
    if (std::isfinite(narrow)) {
      EXPECT_EQ(ShortestText(narrow), Standard(narrow));
    }
    const auto whole = static_cast<double>(drawn >> (drawn % 64));
    EXPECT_EQ(ShortestText(whole), Standard(whole));
    EXPECT_EQ(ShortestText(static_cast<float>(whole)), Standard(static_cast<float>(whole)));
  }
}

TEST(ShortestDecimalTest, HasNoTrailingZeros) {
  EXPECT_EQ(ShortestDecimal(1500.0).digits, "15");
  EXPECT_EQ(ShortestDecimal(1500.0).exponent, 3);
  EXPECT_EQ(ShortestDecimal(0.1F).digits, "1");
  EXPECT_EQ(ShortestDecimal(0.1F).exponent, -1);
}

}  // namespace
}  // namespace ptq
