#include "base/float8.h"

#include <gtest/gtest.h>

#include <limits>

namespace ptq {
namespace {

// Bits -> value, by the definition of FLOAT8E4M3FN.
float Value(uint8_t bits) {
  const float sign = (bits & 0x80) != 0 ? -1.0f : 1.0f;
  const int exponent = (bits >> 3) & 0xF;
  const auto fraction = static_cast<float>(bits & 7);
  if (exponent == 0) return sign * std::ldexp(fraction, -9);
  return sign * std::ldexp(1.0f + fraction / 8, exponent - 7);
}

TEST(Float8Test, EveryValueIsItself) {
  for (int bits = 0; bits < 256; ++bits) {
    if ((bits & 0x7F) == 0x7F) continue;
    const auto code = static_cast<uint8_t>(bits);
    EXPECT_EQ(FloatToFloat8E4M3FN(Value(code)), code) << bits;
  }
}

TEST(Float8Test, HalfwayGoesToTheEvenNeighbour) {
  for (int bits = 0; bits < 0x7E; ++bits) {
    const float low = Value(static_cast<uint8_t>(bits));
    const float high = Value(static_cast<uint8_t>(bits + 1));
    const float middle = (low + high) / 2;
    EXPECT_EQ(FloatToFloat8E4M3FN(middle), bits % 2 == 0 ? bits : bits + 1) << bits;
    EXPECT_EQ(FloatToFloat8E4M3FN(std::nextafter(middle, low)), bits) << bits;
    EXPECT_EQ(FloatToFloat8E4M3FN(std::nextafter(middle, high)), bits + 1) << bits;
  }
}

TEST(Float8Test, SaturatesAndKeepsNan) {
  EXPECT_EQ(FloatToFloat8E4M3FN(1e9f), 0x7E);
  EXPECT_EQ(FloatToFloat8E4M3FN(-std::numeric_limits<float>::infinity()), 0xFE);
  EXPECT_EQ(FloatToFloat8E4M3FN(460.0f), 0x7E);
  EXPECT_EQ(FloatToFloat8E4M3FN(std::numeric_limits<float>::quiet_NaN()) & 0x7F, 0x7F);
}

}  // namespace
}  // namespace ptq
