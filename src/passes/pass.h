// A pass changes a model into an equal one that quantizes better. It builds a GraphView, collects
// its edits, applies them in one go and tells how many there were. Linear in nodes; subgraph bodies
// stay as they are, except that reads of renamed outer tensors follow, and that their constants
// become initializers where bodies are to be quantized.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "model/graph_view.h"
#include "model/model.h"
#include "passes/infer_shapes.h"

namespace ptq {

struct PassContext {
  Model& model;
  Diagnostics& diagnostics;
  Bodies bodies = Bodies::kOutside;  // inside: weights of bodies are to be found too
  // What the model has or will have in any case: operators up to it may be used after raise_opset.
  int64_t target_opset = 0;
  // Types and shapes of the model as it is when the pass starts, inferred once for passes that
  // change nothing in between. A pass that asks after its own edits must Forget() first.
  InferredTypes types = {};
  // By name of a node of the model that called one of its functions: the nodes that it became.
  std::map<std::string, std::vector<std::string>> inlined = {};
};

struct Pass {
  std::string_view name;         // verb_object, as its file
  std::string_view description;  // one line: what becomes of what
  int (*run)(PassContext&);      // returns the number of changes
  bool once = false;             // no other pass makes work for it: left out after the first round
};

}  // namespace ptq
