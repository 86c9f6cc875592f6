#include "fixture_models.h"

#include <algorithm>
#include <filesystem>

#include "testing/model_text.h"
#include "testing/read_file.h"
#include "testing/test_paths.h"

namespace ptq::fuzz {

namespace fs = std::filesystem;

std::vector<std::string> FixtureModels() {
  constexpr uintmax_t kLargest = 4096;
  std::vector<fs::path> paths;
  for (const fs::directory_entry& entry :
       fs::recursive_directory_iterator(TestsDir() / "fixtures")) {
    if (entry.path().extension() == ".onnx" && entry.file_size() <= kLargest) {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> models;
  models.reserve(paths.size());
  for (const fs::path& path : paths) models.push_back(ReadFile(path));
  return models;
}

const std::string& SmallModel() {
  static const std::string* const kBytes = new std::string(Serialize(ParseModelText(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    small (float[1,2,4,4] x, bool condition) => (float[1,3] y)
    <float[2,2,1,1] w = {1, -0.5, 0.25, 2}, float[2] b = {3, -1}, int64[2] flat = {1, 32},
     float[32,3] m = {
       1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5,
       1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5,
       1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5},
     float[3] c = {0.5, 1, 2}> {
      [conv] h = Conv (x, w, b)
      [relu] r = Relu (h)
      [reshape] f = Reshape (r, flat)
      [matmul] p = MatMul (f, m)
      [add] a = Add (p, c)
      [if] y = If (condition) <
        then_branch = then () => (float[1,3] t) { [inner] t = Mul (a, c) },
        else_branch = else () => (float[1,3] e) { [other] e = Sigmoid (a) }>
    })")));
  return *kBytes;
}

}  // namespace ptq::fuzz
