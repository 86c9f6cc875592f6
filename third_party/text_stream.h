// What onnx writes its messages and its text format to, in place of the C++ library's streams,
// which bring all that a locale can do along: 5 % of the module as it is loaded. CMakeLists.txt
// puts it into a copy of onnx's sources.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace onnx {

struct Width {
  int columns;
};
inline Width setw(int columns) { return {columns}; }

class TextStream {
 public:
  TextStream() = default;
  explicit TextStream(std::string text) : text_(std::move(text)) {}

  const std::string& str() const { return text_; }

  TextStream& operator<<(std::string_view text);
  TextStream& operator<<(const std::string& text) { return *this << std::string_view(text); }
  TextStream& operator<<(const char* text) { return *this << std::string_view(text); }
  TextStream& operator<<(char character) { return *this << std::string_view(&character, 1); }
  TextStream& operator<<(bool value) { return *this << (value ? "1" : "0"); }
  TextStream& operator<<(int value) { return *this << static_cast<long long>(value); }
  TextStream& operator<<(long value) { return *this << static_cast<long long>(value); }
  TextStream& operator<<(long long value);
  TextStream& operator<<(unsigned value) { return *this << static_cast<unsigned long long>(value); }
  TextStream& operator<<(unsigned long value) {
    return *this << static_cast<unsigned long long>(value);
  }
  TextStream& operator<<(unsigned long long value);
  TextStream& operator<<(double value);  // six digits
  TextStream& operator<<(const void* address);
  // Of what comes next.
  TextStream& operator<<(Width width) {
    width_ = width.columns;
    return *this;
  }
  TextStream& write(const char* text, std::ptrdiff_t size) {
    return *this << std::string_view(text, static_cast<std::size_t>(size));
  }

  // Whether getline() has met the end.
  bool eof() const { return is_read_; }
  friend void getline(TextStream& from, std::string& line, char end);

 private:
  std::string text_;
  int width_ = 0;
  std::size_t at_ = 0;
  bool is_read_ = false;
};

void getline(TextStream& from, std::string& line, char end);

}  // namespace onnx
