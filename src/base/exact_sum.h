// A sum of floats without any rounding, so that it is the same in whatever order, and in however
// many parts, they are added.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace ptq {

// A finite float is 24 bits at one of 254 places; the sum is digits of 32 bits with room for 2^31
// carries each, which are never carried out.
class ExactSum {
 public:
  static constexpr size_t kDigits = 9;

  // `value` must be finite.
  void Add(float value) {
    const auto bits = std::bit_cast<uint32_t>(value);
    const uint32_t exponent = bits >> 23 & 0xFF;
    const uint64_t mantissa = (bits & 0x7FFFFF) | (exponent == 0 ? 0 : 0x800000);
    const uint32_t place = exponent == 0 ? 0 : exponent - 1;  // in units of 2^-149
    const uint64_t shifted = mantissa << place % 32;
    const int64_t sign = bits >> 31 == 0 ? 1 : -1;
    digits_[place / 32] += sign * static_cast<int64_t>(shifted & 0xFFFFFFFF);
    digits_[place / 32 + 1] += sign * static_cast<int64_t>(shifted >> 32);
  }

  void Add(const ExactSum& other) {
    for (size_t i = 0; i < kDigits; ++i) digits_[i] += other.digits_[i];
  }

  // Depends on the digits alone; its last bits may be rounded.
  double Value() const {
    double value = 0;
    for (size_t i = kDigits; i-- > 0;) {
      value += std::ldexp(static_cast<double>(digits_[i]), static_cast<int>(32 * i) - 149);
    }
    return value;
  }

  const std::array<int64_t, kDigits>& digits() const { return digits_; }
  void set_digits(const std::array<int64_t, kDigits>& digits) { digits_ = digits; }

 private:
  std::array<int64_t, kDigits> digits_{};
};

}  // namespace ptq
