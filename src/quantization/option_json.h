// What OptionValue is made of: nlohmann::ordered_json, but for objects of many keys.
#pragma once

#include <nlohmann/json.hpp>
#include <unordered_map>

#include "quantization/option_value.h"

namespace ptq {

// ordered_map looks through all keys for every one that the parser adds: quadratic time in tensor
// overrides. This one has an index of the keys. Nothing is ever erased from it.
template <class Key, class T, class IgnoredLess, class Allocator>
class IndexedMap : public nlohmann::ordered_map<Key, T, IgnoredLess, Allocator> {
  using Base = nlohmann::ordered_map<Key, T, IgnoredLess, Allocator>;

 public:
  using Base::Base;

  // What the parser calls.
  T& operator[](const Key& key) {
    if (index_.size() != this->size()) return Base::operator[](key);  // it was filled by others
    const auto [found, is_new] = index_.emplace(key, this->size());
    if (is_new) this->emplace_back(key, T{});
    return (this->begin() + static_cast<std::ptrdiff_t>(found->second))->second;
  }

 private:
  std::unordered_map<Key, size_t> index_;
};

}  // namespace ptq
