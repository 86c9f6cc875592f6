#include "calibration/hex_kernels.h"

#include <bit>
#include <cstddef>
#include <cstdint>

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

// 16 where it is none.
uint32_t DigitOf(char character) {
  if (character >= '0' && character <= '9') return static_cast<uint32_t>(character - '0');
  if (character >= 'a' && character <= 'f') return static_cast<uint32_t>(character - 'a' + 10);
  return 16;
}

// Of a number among `count`; nullopt where it is none.
std::optional<size_t> NumberOf(std::string_view text, size_t count) {
  constexpr size_t kMostDigits = 7;
  if (text.empty() || text.size() > kMostDigits) return std::nullopt;
  size_t number = 0;
  for (const char character : text) {
    const uint32_t digit = DigitOf(character);
    if (digit > 9) return std::nullopt;
    number = 10 * number + digit;
  }
  if (number >= count) return std::nullopt;
  return number;
}

}  // namespace

std::string HexWriter::Put(std::span<const float> values) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text(8 * values.size(), '0');
  char* digit = text.data();
  for (const float value : values) {
    const auto bits = std::bit_cast<uint32_t>(value);
    for (int shift = 28; shift >= 0; shift -= 4) *digit++ = kDigits[(bits >> shift) & 15];
  }
  digits_.push_back(std::move(text));
  return std::to_string(digits_.size() - 1);
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

std::optional<std::vector<float>> HexReader::Get(std::string_view value) const {
  std::string_view digits = value;
  if (value.size() % 8 != 0) {
    const std::optional<size_t> number = NumberOf(value, digits_.size());
    if (!number || digits_[*number].size() % 8 != 0) return std::nullopt;
    digits = digits_[*number];
  }
  std::vector<float> values(digits.size() / 8);
  for (size_t i = 0; i < values.size(); ++i) {
    uint32_t bits = 0;
    uint32_t all = 0;
    for (size_t at = 8 * i; at < 8 * (i + 1); ++at) {
      const uint32_t digit = DigitOf(digits[at]);
      bits = bits << 4 | (digit & 15);
      all |= digit;
    }
    values[i] = std::bit_cast<float>(bits);
    if (all > 15 || values[i] != values[i]) return std::nullopt;
  }
  return values;
}

}  // namespace ptq
