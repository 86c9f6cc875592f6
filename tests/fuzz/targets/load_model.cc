// Arbitrary bytes as a model: read, checked, sorted, written inline and with external data. The
// same bytes stand for an external data file, so that those paths are reached too.
#include "fixture_models.h"
#include "model/graph_view.h"
#include "model/model_writer.h"
#include "model/topological_sort.h"
#include "outcome.h"
#include "targets.h"
#include "testing/memory_files.h"

namespace ptq::fuzz {
namespace {

void RunLoadModel(Input input) {
  MemoryFiles files(input);
  files.Put("weights.bin", input);
  const bool loaded = EndsWellOnModel([&] {
    Model model = Model::Load(&files);
    const GraphView view(model.graph());
    WriteModel(model, {});
    WriteModel(model, {"out", "out.data", "out.data"});
    TopologicalSort(&model.graph());
  });
  if (!loaded) return;
  for (const char* name : {kOutputFile, "out"}) {
    MemoryFiles again(files.String(name));
    if (files.Has("out.data")) again.Put("out.data", files.String("out.data"));
    Model::Load(&again);
  }
}

}  // namespace

const Target kLoadModel = {"load_model", &RunLoadModel, &FixtureModels};

}  // namespace ptq::fuzz
