// IEEE half and bfloat16 to and from float, exactly: widening loses nothing, narrowing rounds half
// to even (as numpy and ONNX do), overflows to infinity and keeps NaN a NaN. Integer arithmetic
// only, so that native and WebAssembly builds agree bit by bit.
#pragma once

#include <bit>
#include <cstdint>

namespace ptq {

// 1 sign, 5 exponent (bias 15), 10 fraction bits.
constexpr float HalfToFloat(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t exponent = (half >> 10) & 0x1F;
  uint32_t fraction = half & 0x3FF;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000 | (fraction << 13));
  if (exponent != 0)
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
  if (fraction == 0) return std::bit_cast<float>(sign);
  // Subnormal half: fraction * 2^-24, a normal float after shifting up to the implicit one.
  uint32_t float_exponent = 113;
  while ((fraction & 0x400) == 0) {
    fraction <<= 1;
    --float_exponent;
  }
  return std::bit_cast<float>(sign | (float_exponent << 23) | ((fraction & 0x3FF) << 13));
}

constexpr uint16_t FloatToHalf(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) {  // NaN: keep the high payload bits, never make it infinity
    const uint32_t payload = (magnitude >> 13) & 0x3FF;
    return static_cast<uint16_t>(sign | 0x7C00 | (payload != 0 ? payload : 1));
  }
  // 65520 = halfway between the largest half (65504) and what would be 65536.
  if (magnitude >= 0x477FF000) return static_cast<uint16_t>(sign | 0x7C00);
  if (magnitude < 0x33000000) return sign;      // below 2^-25: rounds to zero
  const bool normal = magnitude >= 0x38800000;  // 2^-14
  // A normal half drops 13 fraction bits; a subnormal one drops 126 - exponent of the full 24.
  const uint32_t drop = normal ? 13 : 126 - (magnitude >> 23);
  const uint32_t kept = normal ? magnitude - (112u << 23) : (magnitude & 0x7FFFFF) | 0x800000;
  const uint32_t half = kept >> drop;
  const uint32_t rest = kept & ((1u << drop) - 1);
  const uint32_t tie = 1u << (drop - 1);
  const uint32_t up = (rest > tie || (rest == tie && (half & 1) != 0)) ? 1 : 0;
  return static_cast<uint16_t>(sign | (half + up));
}

// The upper half of a float.
constexpr float BFloat16ToFloat(uint16_t value) {
  return std::bit_cast<float>(static_cast<uint32_t>(value) << 16);
}

constexpr uint16_t FloatToBFloat16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return static_cast<uint16_t>((bits >> 16) | 0x40);
  const uint32_t rounding = 0x7FFF + ((bits >> 16) & 1);
  return static_cast<uint16_t>((bits + rounding) >> 16);
}

}  // namespace ptq
