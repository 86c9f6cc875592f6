// Reads the files that tests/fixtures/make_image_fixtures.py writes: int32 numbers and raw arrays.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "image/resize.h"
#include "testing/read_file.h"
#include "testing/test_paths.h"

namespace ptq::image {

class FixtureFile {
 public:
  explicit FixtureFile(const std::string& name)
      : bytes_(ReadFile(TestsDir() / "fixtures/image" / name)) {}

  int Int() { return Array<int>(1)[0]; }

  template <typename T>
  std::vector<T> Array(size_t count) {
    if (count * sizeof(T) > bytes_.size() - at_) throw std::runtime_error("fixture ends early");
    std::vector<T> values(count);
    std::memcpy(values.data(), bytes_.data() + at_, count * sizeof(T));
    at_ += count * sizeof(T);
    return values;
  }

  std::vector<Image> Sources() {
    std::vector<Image> sources(Int());
    for (Image& image : sources) {
      image.channels = Int();
      image.width = Int();
      image.height = Int();
      image.pixels = Array<uint8_t>(size_t{1} * image.channels * image.width * image.height);
    }
    return sources;
  }

  bool AtEnd() const { return at_ == bytes_.size(); }

 private:
  std::string bytes_;
  size_t at_ = 0;
};

}  // namespace ptq::image
