// The lines of a file of tests/fixtures/quantization, as words. Floats are hexadecimal, so that
// none is rounded.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "quantization/quant_params.h"
#include "testing/test_paths.h"

namespace ptq {

using Words = std::vector<std::string>;

inline std::vector<Words> FixtureLines(const std::string& name) {
  std::ifstream file(TestsDir() / "fixtures/quantization" / name);
  EXPECT_TRUE(file.is_open()) << name;
  std::vector<Words> lines;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    lines.emplace_back();
    for (std::string word; words >> word;) lines.back().push_back(word);
  }
  return lines;
}

inline float FloatOf(const std::string& word) { return std::strtof(word.c_str(), nullptr); }

inline FloatType FloatTypeNamed(const std::string& word) {
  return word == "half" ? FloatType::kFloat16 : FloatType::kFloat;
}

}  // namespace ptq
