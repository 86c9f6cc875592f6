// What onnx's printer calls, in place of the C++ library's, whose tables would be a tenth of the
// module as it is loaded (base/shortest_decimal.h).
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <system_error>

#include "base/shortest_decimal.h"

namespace {

std::to_chars_result Copy(const std::string& text, char* first, char* last) {
  if (last - first < static_cast<std::ptrdiff_t>(text.size())) {
    return {last, std::errc::value_too_large};
  }
  return {std::copy(text.begin(), text.end(), first), std::errc{}};
}

}  // namespace

std::to_chars_result std::to_chars(char* first, char* last, float value) {
  return Copy(ptq::ShortestText(value), first, last);
}

std::to_chars_result std::to_chars(char* first, char* last, double value) {
  return Copy(ptq::ShortestText(value), first, last);
}
