// An input from its beginning: numbers that choose options, then the rest. Past the end all is 0,
// so that every input means something and one byte more or less changes one choice only.
#pragma once

#include <cstring>
#include <string>

#include "targets.h"

namespace ptq::fuzz {

class ByteReader {
 public:
  explicit ByteReader(Input input) : rest_(input) {}

  template <typename Number>
  Number Take() {
    Number value = 0;
    const size_t count = std::min(sizeof(Number), rest_.size());
    if (count > 0) std::memcpy(&value, rest_.data(), count);
    rest_ = rest_.subspan(count);
    return value;
  }

  // One of a list.
  template <typename Item, size_t kCount>
  const Item& Choose(const Item (&items)[kCount]) {
    return items[Take<uint8_t>() % kCount];
  }

  Input Rest() const { return rest_; }
  std::string RestAsText() const { return {rest_.begin(), rest_.end()}; }

 private:
  Input rest_;
};

}  // namespace ptq::fuzz
