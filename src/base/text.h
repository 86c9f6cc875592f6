// A sentence for people with its parameters apart, so that a page can say it in another language:
//
//   Text("tensor '") + name + "' has no tensor range"
//
// has the form "tensor '{0}' has no tensor range" and one parameter. What is joined as a literal
// belongs to the form, strings and numbers are parameters. The form is the key of translations.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ptq {

class Text {
 public:
  // A string, a number, or a sentence of its own.
  using Param = std::variant<std::string, int64_t, std::shared_ptr<const Text>>;

  Text() = default;
  // Implicit: most texts are one literal.
  Text(const char* literal)  // NOLINT(google-explicit-constructor)
      : form_(Escaped(literal)), rendered_(literal) {}
  // Of what has no form: it is said as it is in every language.
  Text(std::string rendered)  // NOLINT(google-explicit-constructor)
      : rendered_(std::move(rendered)) {
    if (rendered_.empty()) return;
    form_ = "{0}";
    params_.emplace_back(rendered_);
  }

  friend Text operator+(Text text, const char* literal) {
    text.form_ += Escaped(literal);
    text.rendered_ += literal;
    return text;
  }
  friend Text operator+(Text text, const std::string& param) {
    text.rendered_ += param;
    text.Add(param);
    return text;
  }
  friend Text operator+(Text text, std::string_view param) {
    return std::move(text) + std::string(param);
  }
  friend Text operator+(Text text, char literal) {
    const char string[] = {literal, 0};
    return std::move(text) + string;
  }
  friend Text operator+(Text text, std::integral auto param) {
    text.rendered_ += std::to_string(param);
    text.Add(static_cast<int64_t>(param));
    return text;
  }
  // A sentence within the sentence.
  friend Text operator+(Text text, const Text& param) {
    text.rendered_ += param.rendered_;
    text.Add(std::make_shared<const Text>(param));
    return text;
  }

  template <typename Part>
  Text& operator+=(const Part& part) {
    return *this = std::move(*this) + part;
  }

  // In English.
  const std::string& str() const { return rendered_; }
  operator const std::string&() const {  // NOLINT(google-explicit-constructor)
    return rendered_;
  }
  bool empty() const { return rendered_.empty(); }

  // With {0}, {1}, … in the places of the parameters; braces of its own are doubled.
  const std::string& form() const { return form_; }
  const std::vector<Param>& params() const { return params_; }

  friend bool operator==(const Text& text, std::string_view other) {
    return text.rendered_ == other;
  }
  friend std::ostream& operator<<(std::ostream& out, const Text& text) {
    return out << text.rendered_;
  }

 private:
  static std::string Escaped(std::string_view literal) {
    std::string escaped;
    for (const char c : literal) {
      escaped += c;
      if (c == '{' || c == '}') escaped += c;
    }
    return escaped;
  }
  void Add(Param param) {
    form_ += "{" + std::to_string(params_.size()) + "}";
    params_.push_back(std::move(param));
  }

  std::string form_;
  std::string rendered_;
  std::vector<Param> params_;
};

}  // namespace ptq
