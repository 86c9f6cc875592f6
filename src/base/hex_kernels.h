// Thousands of numbers in a JSON text, as strings of hexadecimal digits, to the bit. They are set
// aside from the text while it is written and read: what writes and reads JSON is compiled for
// size, and takes 30 to 70 ns a character. Floats have eight digits each, doubles sixteen, counts
// as many as they need and a space behind them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ptq {

// While a text is written.
class HexWriter {
 public:
  // What stands for them in the JSON, as the value of a key "hex": a number.
  std::string Put(std::span<const float> values);
  std::string Put(std::span<const double> values);
  std::string Put(std::span<const uint64_t> counts);
  // The JSON as it was dumped, with the digits in place of the numbers.
  std::string Fill(std::string_view dumped) const;

 private:
  std::string Keep(std::string digits);

  std::vector<std::string> digits_;
};

// While it is read: views of `text`, which must live as long.
class HexReader {
 public:
  explicit HexReader(std::string_view text);

  // The JSON with numbers in place of digits.
  const std::string& text() const { return text_; }
  // What Put() was given; `value` of a key "hex" is a number or, where the text was laid out anew,
  // the digits. nullopt where it is neither. Number: float, double or uint64_t.
  template <typename Number>
  std::optional<std::vector<Number>> Get(std::string_view value) const;

 private:
  std::string text_;
  std::vector<std::string_view> digits_;
};

}  // namespace ptq
