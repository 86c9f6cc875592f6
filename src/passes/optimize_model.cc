#include "passes/optimize_model.h"

#include <utility>

#include "passes/infer_shapes.h"
#include "passes/pass_registry.h"

namespace ptq {

PrepareResult OptimizeModel(Model& model, Diagnostics& diagnostics, Bodies bodies) {
  PrepareResult result;
  PassContext context{model, diagnostics, bodies};
  for (const Pass& pass : OptimizePasses()) {
    const int changes = pass.run(context);
    if (changes > 0) result.changes.emplace_back(pass.name, changes);
  }
  InferShapes(model, &diagnostics);
  result.inlined = std::move(context.inlined);
  return result;
}

}  // namespace ptq
