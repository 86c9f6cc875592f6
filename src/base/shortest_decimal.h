// Numbers as the fewest decimal digits that read back as them. std::to_chars() does the same, but
// brings 105 kB of tables along, a tenth of the module as it is loaded; numbers are printed in
// messages only, where a few tries of the C library will do.
#pragma once

#include <string>

namespace ptq {

// digits[0].digits[1]digits[2]... times ten to the power of `exponent`, without trailing zeros.
struct Decimal {
  std::string digits;
  int exponent = 0;
};

// `magnitude`: finite, not negative. Of those with the fewest digits the nearest one.
Decimal ShortestDecimal(float magnitude);
Decimal ShortestDecimal(double magnitude);

// As std::to_chars(first, last, value) prints: 0.1, -2.5e-07, 1e+22, inf.
std::string ShortestText(float value);
std::string ShortestText(double value);

}  // namespace ptq
