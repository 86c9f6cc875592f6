// Arbitrary bytes as a model: loading and writing may only ever throw ptq::Error. An input is the
// model file; the same bytes stand for any external-data file, so that those paths are reached too.
#include <cstddef>
#include <cstdint>
#include <span>

#include "../core/testing/memory_files.h"
#include "base/error.h"
#include "model/graph_view.h"
#include "model/model_writer.h"
#include "model/topological_sort.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ptq::MemoryFiles files(std::span(data, size));
  files.Put("weights.bin", std::span(data, size));
  try {
    ptq::Model model = ptq::Model::Load(&files);
    const ptq::GraphView view(model.graph());
    ptq::WriteModel(model, {});
    ptq::WriteModel(model, {"out", "out.data", "out.data"});
    ptq::TopologicalSort(&model.graph());
  } catch (const ptq::Error&) {
  }
  return 0;
}
