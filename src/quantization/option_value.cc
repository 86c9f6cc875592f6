#include "quantization/option_value.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/near_matches.h"
#include "base/shortest_decimal.h"
#include "quantization/option_json.h"

namespace ptq {
namespace {

// `value` as an error text shows it: at most 60 UTF-16 units, strings without escapes.
std::string Shown(const OptionValue& value) {
  constexpr size_t kMost = 60, kKept = 57;
  std::string text = value.is_string() ? '"' + value.get<std::string>() + '"' : JsonText(value);
  size_t units = 0, cut = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) == 0x80) continue;  // not the first byte of a character
    units += byte >= 0xF0 ? 2 : 1;
    if (units <= kKept) cut = i + 1;
  }
  if (units <= kMost) return text;
  while (cut < text.size() && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) ++cut;
  return text.substr(0, cut) + "...";
}

[[noreturn]] void FailExpected(std::string_view option, const std::string& what,
                               const OptionValue& value, const std::string& hint = "") {
  throw Error(ErrorCode::kInvalidOption,
              Text() + std::string(option) + ": expected " + what + " but received " + Shown(value))
      .WithHint(hint);
}

std::string AtLeast(std::optional<double> least) {
  return least ? " of at least " + NumberText(*least) : "";
}

}  // namespace

std::string NumberText(double number) {
  if (number == 0) return "0";  // -0 too
  // Laid out as ECMA-262, Number::toString, has it.
  const auto [digits, exponent] = ShortestDecimal(std::abs(number));
  const int count = static_cast<int>(digits.size());
  const int point = exponent + 1;  // digits before the decimal point
  std::string result = number < 0 ? "-" : "";
  if (point > 21 || point <= -6) {
    result += digits[0];
    if (count > 1) result += "." + digits.substr(1);
    return result + "e" + (exponent < 0 ? "-" : "+") + std::to_string(std::abs(exponent));
  }
  if (point <= 0) return result + "0." + std::string(static_cast<size_t>(-point), '0') + digits;
  if (count <= point) return result + digits + std::string(static_cast<size_t>(point - count), '0');
  const auto before = static_cast<size_t>(point);
  return result + digits.substr(0, before) + "." + digits.substr(before);
}

std::string JsonText(const OptionValue& value) {
  if (value.is_number()) return NumberText(value.get<double>());
  if (!value.is_structured()) return value.dump();
  std::string text;
  for (const auto& [key, item] : value.items()) {
    if (!text.empty()) text += ',';
    if (value.is_object()) text += OptionValue(key).dump() + ':';
    text += JsonText(item);
  }
  return value.is_object() ? '{' + text + '}' : '[' + text + ']';
}

std::optional<int64_t> WholeNumber(const OptionValue& value) {
  constexpr double kMost = 9007199254740991;  // 2^53 - 1
  if (!value.is_number()) return std::nullopt;
  const auto number = value.get<double>();
  if (std::abs(number) > kMost || std::trunc(number) != number) return std::nullopt;
  return static_cast<int64_t>(number);
}

bool ReadBoolean(std::string_view option, const OptionValue& value) {
  if (!value.is_boolean()) FailExpected(option, "true or false", value);
  return value.get<bool>();
}

double ReadNumber(std::string_view option, const OptionValue& value, std::optional<double> least) {
  if (!value.is_number() || (least && value.get<double>() < *least)) {
    FailExpected(option, "a number" + AtLeast(least), value);
  }
  return value.get<double>();
}

int64_t ReadInteger(std::string_view option, const OptionValue& value,
                    std::optional<int64_t> least) {
  const std::optional<int64_t> number = WholeNumber(value);
  if (!number || (least && *number < *least)) {
    FailExpected(option, "a whole number" + AtLeast(least), value);
  }
  return *number;
}

std::unordered_set<std::string> ReadNames(std::string_view option, const OptionValue& value) {
  const auto is_name = [](const OptionValue& item) { return item.is_string(); };
  if (!value.is_array() || !std::all_of(value.begin(), value.end(), is_name)) {
    FailExpected(option, "a list of names", value);
  }
  return {value.begin(), value.end()};
}

std::map<std::string, int64_t> ReadAxes(std::string_view option, const OptionValue& value) {
  const auto is_axis = [](const OptionValue& item) { return WholeNumber(item).has_value(); };
  if (!value.is_object() || !std::all_of(value.begin(), value.end(), is_axis)) {
    FailExpected(option, "an object of whole numbers", value);
  }
  std::map<std::string, int64_t> axes;
  for (const auto& [op_type, axis] : value.items()) axes[op_type] = *WholeNumber(axis);
  return axes;
}

void CheckObject(std::string_view option, const OptionValue& value) {
  if (!value.is_object()) FailExpected(option, "an object", value);
}

size_t ReadName(std::string_view option, const OptionValue& value,
                const std::vector<std::string>& names) {
  const auto name = value.is_string() ? value.get<std::string>() : "";
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    FailExpected(option, "one of " + Joined(names), value, DidYouMean(NearMatches(name, names)));
  }
  return static_cast<size_t>(found - names.begin());
}

void CheckKnown(std::string_view what, const std::string& name,
                const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  throw Error(ErrorCode::kInvalidOption, Text("unknown ") + std::string(what) + " \"" + name + '"')
      .WithHint(DidYouMean(NearMatches(name, known)));
}

std::string Joined(const std::vector<std::string>& names, std::string_view separator) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += separator;
    text += name;
  }
  return text;
}

}  // namespace ptq
