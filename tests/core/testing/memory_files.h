// ptq::Files over memory, for tests: no disk, and it counts what is read, so that a test can show
// that weights stay where they are.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/files.h"

namespace ptq {

class MemoryFiles : public Files {
 public:
  MemoryFiles() = default;
  explicit MemoryFiles(std::span<const uint8_t> model) { Put(kModelFile, model); }
  explicit MemoryFiles(const std::string& model) { Put(kModelFile, model); }

  // Adds or replaces a file.
  void Put(const std::string& name, std::span<const uint8_t> bytes) {
    files_[name].assign(bytes.begin(), bytes.end());
  }
  void Put(const std::string& name, const std::string& bytes) {
    Put(name, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  }

  // Keeps the first `size` bytes, as a broken download does.
  void Truncate(const std::string& name, uint64_t size) { files_.at(name).resize(size); }

  bool Has(const std::string& name) const { return files_.count(name) != 0; }
  const std::vector<uint8_t>& Bytes(const std::string& name) const { return files_.at(name); }
  std::string String(const std::string& name) const {
    const std::vector<uint8_t>& bytes = files_.at(name);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  uint64_t bytes_read() const { return bytes_read_; }
  uint64_t largest_read() const { return largest_read_; }
  uint64_t largest_append() const { return largest_append_; }
  void ResetCounters() { bytes_read_ = largest_read_ = largest_append_ = 0; }

  uint64_t Size(const std::string& name) override { return Find(name).size(); }

  void Read(const std::string& name, uint64_t offset, std::span<uint8_t> into) override {
    const std::vector<uint8_t>& bytes = Find(name);
    if (offset > bytes.size() || into.size() > bytes.size() - offset) {
      throw Error(ErrorCode::kTruncatedModel, "read past the end of " + name);
    }
    if (!into.empty()) std::memcpy(into.data(), bytes.data() + offset, into.size());
    bytes_read_ += into.size();
    largest_read_ = std::max<uint64_t>(largest_read_, into.size());
  }

  void Append(const std::string& name, std::span<const uint8_t> bytes) override {
    std::vector<uint8_t>& file = files_[name];
    file.insert(file.end(), bytes.begin(), bytes.end());
    largest_append_ = std::max<uint64_t>(largest_append_, bytes.size());
  }

 private:
  const std::vector<uint8_t>& Find(const std::string& name) const {
    const auto found = files_.find(name);
    if (found == files_.end()) {
      throw Error(ErrorCode::kFileNotFound, "no file named " + name);
    }
    return found->second;
  }

  std::map<std::string, std::vector<uint8_t>> files_;
  uint64_t bytes_read_ = 0;
  uint64_t largest_read_ = 0;
  uint64_t largest_append_ = 0;
};

}  // namespace ptq
