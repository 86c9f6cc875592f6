// The model file as a stream of bytes that can skip: read through a window that is small after a
// jump and grows while reading goes on, so that stepping over weights costs little and reading a
// graph few calls.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "model/files.h"

namespace ptq {

class ByteWindow {
 public:
  explicit ByteWindow(Files* files) : files_(files), size_(files->Size(kModelFile)) {}

  uint64_t size() const { return size_; }
  uint64_t position() const { return position_; }
  void Skip(uint64_t count) { position_ += count; }

  // The next byte; the caller has checked that there is one.
  uint8_t Next() {
    if (position_ < begin_ || position_ >= begin_ + bytes_.size()) Fill();
    return bytes_[position_++ - begin_];
  }

  void Copy(uint64_t count, std::string* out) {
    while (count > 0) {
      if (position_ < begin_ || position_ >= begin_ + bytes_.size()) Fill();
      const uint64_t at = position_ - begin_;
      const uint64_t part = std::min<uint64_t>(count, bytes_.size() - at);
      out->append(reinterpret_cast<const char*>(bytes_.data() + at), part);
      position_ += part;
      count -= part;
    }
  }

 private:
  static constexpr uint64_t kSmallest = 4 * 1024;  // after a jump: usually one tensor's header
  static constexpr uint64_t kLargest = 64 * 1024;

  void Fill() {
    const bool onward = !bytes_.empty() && position_ == begin_ + bytes_.size();
    window_ = onward ? std::min(window_ * 2, kLargest) : kSmallest;
    bytes_.resize(std::min(window_, size_ - position_));
    begin_ = position_;
    files_->Read(kModelFile, begin_, bytes_);
  }

  Files* files_;
  uint64_t size_;
  uint64_t position_ = 0;
  uint64_t begin_ = 0;
  uint64_t window_ = kSmallest;
  std::vector<uint8_t> bytes_;
};

}  // namespace ptq
