// Real models, where they are at hand: $ONNX_PTQ_DATA, else ../shared/data beside the checkout.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "model/graph_view.h"
#include "model/model_writer.h"
#include "model/topological_sort.h"
#include "testing/memory_files.h"
#include "testing/read_file.h"
#include "testing/test_paths.h"

namespace ptq {
namespace {

namespace fs = std::filesystem;

fs::path DataFolder() {
  const char* given = std::getenv("ONNX_PTQ_DATA");
  return given != nullptr ? fs::path(given) : TestsDir() / "../../shared/data";
}

std::vector<fs::path> RealModels() {
  std::vector<fs::path> models;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(DataFolder() / "models", none)) {
    if (entry.path().extension() == ".onnx") models.push_back(entry.path());
  }
  std::sort(models.begin(), models.end());
  return models;
}

TEST(RealModels, ReadAndWriteBackWithTheSameContentFromAFewReads) {
  const std::vector<fs::path> paths = RealModels();
  if (paths.empty()) GTEST_SKIP() << "no models in " << DataFolder() << "; set ONNX_PTQ_DATA";
  for (const fs::path& path : paths) {
    SCOPED_TRACE(path.filename());
    const std::string bytes = ReadFile(path);
    MemoryFiles files(bytes);
    const Model model = Model::Load(&files);
    const uint64_t read = files.bytes_read();
    const uint64_t skeleton = WriteSkeleton(model, "~skeleton");
    EXPECT_LT(read, skeleton + 300000 + bytes.size() / 4);
    RecordProperty(path.filename().string(), std::to_string(read));

    WriteModel(model, {});
    onnx::ModelProto before, after;
    ASSERT_TRUE(before.ParseFromString(bytes));
    ASSERT_TRUE(after.ParseFromString(files.String(kOutputFile)));
    EXPECT_TRUE(before.SerializeAsString() == after.SerializeAsString());
  }
}

TEST(RealModels, SortWithoutACycleAndKeepEveryNode) {
  const std::vector<fs::path> paths = RealModels();
  if (paths.empty()) GTEST_SKIP() << "no models in " << DataFolder() << "; set ONNX_PTQ_DATA";
  for (const fs::path& path : paths) {
    SCOPED_TRACE(path.filename());
    MemoryFiles files(ReadFile(path));
    Model model = Model::Load(&files);
    const int count = model.graph().node_size();
    TopologicalSort(&model.graph());
    EXPECT_EQ(model.graph().node_size(), count);
    const GraphView view(model.graph());
    for (int i = 0; i < count; ++i) {
      for (const std::string& output : model.graph().node(i).output()) {
        for (const Use& use : view.Uses(output)) EXPECT_GT(use.node, i) << output;
      }
    }
  }
}

}  // namespace
}  // namespace ptq
