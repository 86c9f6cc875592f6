// What `optimize_model` does before quantization: the passes of pass_registry.cc, in their order
// and again until none of them finds anything more, then shape inference.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "model/graph_view.h"
#include "model/model.h"
#include "passes/pass.h"

namespace ptq {

// Which passes run, and who is told.
struct OptimizeOptions {
  Bodies bodies = Bodies::kOutside;  // see PassContext
  int64_t target_opset = 0;          // see PassContext
  std::unordered_set<std::string> disabled_passes = {};
  // Called after each run of a pass that changed something; `round` counts from 1.
  std::function<void(const Pass& pass, int round, int changes)> on_change = {};
};

struct PrepareResult {
  // Pass name and changes of all rounds, in the order of the passes; those that did nothing are
  // left out.
  std::vector<std::pair<std::string, int>> changes;
  std::map<std::string, std::vector<std::string>> inlined;  // as PassContext's
};

// Changes the model into one with the same inputs, outputs and results (to float rounding), whose
// weights are initializers and whose Conv carry their BatchNormalization. Graph inputs and outputs
// keep their names, and so do the tensors that survive. Throws kInvalidModel where tensor data does
// not fit its shape.
PrepareResult OptimizeModel(Model& model, Diagnostics& diagnostics,
                            const OptimizeOptions& options = {});

// Throws kInvalidOption with near matches for a name that no pass has.
void CheckPassNames(const std::unordered_set<std::string>& names);

}  // namespace ptq
