// What `optimize_model` does before quantization: the passes of pass_registry.cc, then shape
// inference.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "model/graph_view.h"
#include "model/model.h"

namespace ptq {

struct PrepareResult {
  std::vector<std::pair<std::string, int>>
      changes;  // pass name, changes; passes that did nothing are left out
  std::map<std::string, std::vector<std::string>> inlined;  // as PassContext's
};

// Changes the model into one with the same inputs, outputs and results (to float rounding), whose
// weights are initializers and whose Conv carry their BatchNormalization. Graph inputs and outputs
// keep their names, and so do the tensors that survive. `bodies` inside: see PassContext. Throws
// kInvalidModel where tensor data does not fit its shape.
PrepareResult OptimizeModel(Model& model, Diagnostics& diagnostics,
                            Bodies bodies = Bodies::kOutside);

}  // namespace ptq
