#include "base/hex_kernels.h"

#include <array>
#include <bit>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace ptq {
namespace {

// Within another string the quotation marks would be escaped.
constexpr std::string_view kKey = R"("hex":")";

// Where the next value of such a key begins; npos: nowhere.
size_t FindStart(std::string_view text, size_t from) {
  const size_t at = text.find(kKey, from);
  return at == text.npos ? at : at + kKey.size();
}

// `text` with what `replace` gives for each of them.
template <typename Replace>
std::string Replaced(std::string_view text, const Replace& replace) {
  std::string result;
  size_t done = 0;
  for (size_t begin = FindStart(text, 0); begin != text.npos; begin = FindStart(text, done)) {
    const size_t end = text.find('"', begin);
    if (end == text.npos) break;
    result.append(text.substr(done, begin - done));
    result.append(replace(text.substr(begin, end - begin)));
    done = end;
  }
  result.append(text.substr(done));
  return result;
}

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr uint8_t kNoDigit = 16;

constexpr std::array<uint8_t, 256> kValues = [] {
  std::array<uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (size_t i = 0; i < kDigits.size(); ++i) {
    values[static_cast<uint8_t>(kDigits[i])] = static_cast<uint8_t>(i);
  }
  return values;
}();

uint8_t DigitOf(char character) { return kValues[static_cast<uint8_t>(character)]; }

// Of a number among `count`; nullopt where it is none.
std::optional<size_t> NumberOf(std::string_view text, size_t count) {
  constexpr size_t kMostDigits = 7;  // fewer than a float has
  if (text.empty() || text.size() > kMostDigits) return std::nullopt;
  size_t number = 0;
  for (const char character : text) {
    const uint8_t digit = DigitOf(character);
    if (digit > 9) return std::nullopt;
    number = 10 * number + digit;
  }
  if (number >= count) return std::nullopt;
  return number;
}

template <typename Number>
using BitsOf = std::conditional_t<sizeof(Number) == 4, uint32_t, uint64_t>;

template <typename Number>
std::string ToDigits(std::span<const Number> values) {
  std::string text(2 * sizeof(Number) * values.size(), '0');
  char* digit = text.data();
  for (const Number value : values) {
    const auto bits = std::bit_cast<BitsOf<Number>>(value);
    for (int shift = 8 * static_cast<int>(sizeof(Number)) - 4; shift >= 0; shift -= 4) {
      *digit++ = kDigits[(bits >> shift) & 15];
    }
  }
  return text;
}

template <typename Number>
std::optional<std::vector<Number>> FromDigits(std::string_view digits) {
  constexpr size_t kSize = 2 * sizeof(Number);
  if (digits.size() % kSize != 0) return std::nullopt;
  std::vector<Number> values(digits.size() / kSize);
  for (size_t i = 0; i < values.size(); ++i) {
    BitsOf<Number> bits = 0;
    uint8_t all = 0;
    for (size_t at = kSize * i; at < kSize * (i + 1); ++at) {
      const uint8_t digit = DigitOf(digits[at]);
      bits = bits << 4 | (digit & 15);
      all |= digit;
    }
    if (all >= kNoDigit) return std::nullopt;
    values[i] = std::bit_cast<Number>(bits);
  }
  return values;
}

std::optional<std::vector<uint64_t>> CountsFromDigits(std::string_view digits) {
  std::vector<uint64_t> counts;
  if (!digits.empty() && digits.back() != ' ') return std::nullopt;
  for (size_t at = 0; at < digits.size(); ++at) {
    const size_t begin = at;
    uint64_t count = 0;
    for (; digits[at] != ' '; ++at) {
      const uint8_t digit = DigitOf(digits[at]);
      if (digit == kNoDigit || count >> 60 != 0) return std::nullopt;
      count = count << 4 | digit;
    }
    if (at == begin) return std::nullopt;
    counts.push_back(count);
  }
  return counts;
}

}  // namespace

std::string HexWriter::Keep(std::string digits) {
  digits_.push_back(std::move(digits));
  return std::to_string(digits_.size() - 1);
}

std::string HexWriter::Put(std::span<const float> values) { return Keep(ToDigits(values)); }

std::string HexWriter::Put(std::span<const double> values) { return Keep(ToDigits(values)); }

std::string HexWriter::Put(std::span<const uint64_t> counts) {
  std::string text;
  text.reserve(2 * counts.size());
  for (const uint64_t count : counts) {
    for (int shift = (std::bit_width(count | 1) - 1) / 4 * 4; shift >= 0; shift -= 4) {
      text.push_back(kDigits[(count >> shift) & 15]);
    }
    text.push_back(' ');
  }
  return Keep(std::move(text));
}

std::string HexWriter::Fill(std::string_view dumped) const {
  return Replaced(dumped, [this](std::string_view number) -> std::string_view {
    const std::optional<size_t> known = NumberOf(number, digits_.size());
    return known ? std::string_view(digits_[*known]) : number;
  });
}

HexReader::HexReader(std::string_view text) {
  text_ = Replaced(text, [this](std::string_view digits) {
    digits_.push_back(digits);
    return std::to_string(digits_.size() - 1);
  });
}

template <typename Number>
std::optional<std::vector<Number>> HexReader::Get(std::string_view value) const {
  const std::optional<size_t> number = NumberOf(value, digits_.size());
  const std::string_view digits = number ? digits_[*number] : value;
  if constexpr (std::is_same_v<Number, uint64_t>) {
    return CountsFromDigits(digits);
  } else {
    return FromDigits<Number>(digits);
  }
}

template std::optional<std::vector<float>> HexReader::Get(std::string_view) const;
template std::optional<std::vector<double>> HexReader::Get(std::string_view) const;
template std::optional<std::vector<uint64_t>> HexReader::Get(std::string_view) const;

}  // namespace ptq
