// Tensors whose size follows from values of the samples, such as the boxes that a detector has
// found: there may be none. QLinearSoftmax of onnxruntime (1.30) gives no output for an empty
// input, so that what reads it fails; all other integer kernels take one.
#pragma once

#include <string>
#include <unordered_set>

#include "model/graph_view.h"

namespace ptq {

// What NonMaxSuppression, NonZero, Unique and Compress make, and all that takes its size from
// there. Not where they are asked about shapes alone, as exporters do to number positions, nor
// where the model says a fixed shape. `view` is in topological order.
std::unordered_set<std::string> TensorsThatMayBeEmpty(const GraphView& view);

}  // namespace ptq
