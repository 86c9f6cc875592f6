#include "base/shortest_decimal.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace ptq {
namespace {

bool ReadsBackAs(const char* text, float value) { return std::strtof(text, nullptr) == value; }
bool ReadsBackAs(const char* text, double value) { return std::strtod(text, nullptr) == value; }

template <typename Real>
Decimal Shortest(Real magnitude) {
  std::array<char, 32> text{};       // d.ddde+xx
  for (int behind = 0;; ++behind) {  // ends: 17 digits always read back
    std::snprintf(text.data(), text.size(), "%.*e", behind, static_cast<double>(magnitude));
    if (ReadsBackAs(text.data(), magnitude)) break;
    // Below a power of two numbers lie closer than above it: the next digits up may do.
    char& last = text[behind == 0 ? 0 : static_cast<size_t>(behind) + 1];
    if (last == '9') continue;
    ++last;
    if (ReadsBackAs(text.data(), magnitude)) break;
  }
  const std::string_view found = text.data();
  const size_t e = found.find('e');
  Decimal decimal{std::string(1, found[0]), std::atoi(text.data() + e + 1)};
  if (e > 2) decimal.digits += found.substr(2, e - 2);
  return decimal;
}

std::string Whole(double value) {
  std::array<char, 320> text{};
  std::snprintf(text.data(), text.size(), "%.0f", value);
  return text.data();
}

// The shorter one of 0.0015 and 1.5e-03, the first where they are alike.
template <typename Real>
std::string Print(Real value) {
  if (std::isnan(value)) return std::signbit(value) ? "-nan" : "nan";
  const std::string sign = std::signbit(value) ? "-" : "";
  if (std::isinf(value)) return sign + "inf";
  const auto [digits, exponent] = Shortest(std::abs(value));
  const int count = static_cast<int>(digits.size());

  std::string power = std::to_string(std::abs(exponent));
  if (power.size() < 2) power.insert(0, "0");
  power.insert(0, exponent < 0 ? "e-" : "e+");
  const std::string scientific =
      sign + digits[0] + (count > 1 ? "." + digits.substr(1) : "") + power;

  std::string fixed;
  const int longest = static_cast<int>(scientific.size());
  if (exponent < 0 && -exponent <= longest) {
    fixed = sign + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  } else if (exponent >= 0 && exponent < count - 1) {
    const auto before = static_cast<size_t>(exponent) + 1;
    fixed = sign + digits.substr(0, before) + "." + digits.substr(before);
  } else if (exponent >= 0 && exponent < longest) {
    fixed = Whole(static_cast<double>(value));  // all of its digits, not zeros behind the shortest
  }
  return fixed.empty() || fixed.size() > scientific.size() ? scientific : fixed;
}

}  // namespace

Decimal ShortestDecimal(float magnitude) { return Shortest(magnitude); }
Decimal ShortestDecimal(double magnitude) { return Shortest(magnitude); }
std::string ShortestText(float value) { return Print(value); }
std::string ShortestText(double value) { return Print(value); }

}  // namespace ptq
