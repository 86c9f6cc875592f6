#include "onnx/text_stream.h"

#include <cstdio>

namespace onnx {

TextStream& TextStream::operator<<(std::string_view text) {
  const auto width = static_cast<std::size_t>(width_ > 0 ? width_ : 0);
  if (text.size() < width) text_.append(width - text.size(), ' ');
  width_ = 0;
  text_ += text;
  return *this;
}

TextStream& TextStream::operator<<(long long value) { return *this << std::to_string(value); }
TextStream& TextStream::operator<<(unsigned long long value) {
  return *this << std::to_string(value);
}

TextStream& TextStream::operator<<(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return *this << text;
}

TextStream& TextStream::operator<<(const void* address) {
  char text[32];
  std::snprintf(text, sizeof text, "%p", address);
  return *this << text;
}

void getline(TextStream& from, std::string& line, char end) {
  const std::size_t stop = from.text_.find(end, from.at_);
  from.is_read_ = stop == std::string::npos;
  line = from.text_.substr(from.at_, stop - from.at_);
  if (!from.is_read_) from.at_ = stop + 1;
}

}  // namespace onnx
