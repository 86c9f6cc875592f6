// What everything after loading relies on, checked once.
#pragma once

#include "model/model.h"

namespace ptq {

// IR version, opset, a graph; unique names and no read of a tensor that nothing makes, in the graph
// and its subgraphs. Throws kInvalidModel or kUnsupportedOpset, naming the node or tensor.
void CheckModel(const Model& model);

}  // namespace ptq
