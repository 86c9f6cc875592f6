// IEEE-like 8-bit floats of ONNX's FLOAT8E4M3FN: 1 sign, 4 exponent (bias 7), 3 fraction bits, no
// infinity, NaN 0x7F and 0xFF, largest value 448 (ONNX "Float stored in 8 bits").
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace ptq {

inline constexpr float kFloat8Max = 448.0f;

// Rounds half to even and saturates (QuantizeLinear with saturate=1); NaN stays NaN.
inline uint8_t FloatToFloat8E4M3FN(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint8_t>((bits >> 24) & 0x80);
  const float magnitude = std::abs(value);
  if (std::isnan(value)) return static_cast<uint8_t>(sign | 0x7F);
  if (magnitude >= kFloat8Max) return static_cast<uint8_t>(sign | 0x7E);
  if (magnitude < 0x1p-6f) {
    // Subnormal: multiples of 2^-9. Eight of them are the smallest normal, whose bits follow on.
    return static_cast<uint8_t>(sign | static_cast<uint8_t>(std::nearbyint(magnitude * 512.0f)));
  }
  // Drop 20 of 23 fraction bits; a carry moves into the exponent, as it should.
  const uint32_t kept = (bits & 0x7FFFFFFF) - (120u << 23);
  const uint32_t rounded = kept + 0x7FFFF + ((kept >> 20) & 1);
  const uint32_t code = rounded >> 20;
  return static_cast<uint8_t>(sign | (code > 0x7E ? 0x7E : code));
}

}  // namespace ptq
