// Free dimensions of the graph's inputs, fixed by name: a model for batches of any size ("N")
// becomes one for batches of 1, and shapes that follow from them are known.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "model/model.h"

namespace ptq {

// Throws kInvalidOption for a size below 1 and, with near matches, for a name that no free
// dimension of an input has.
void CheckFixDims(const std::map<std::string, int64_t>& dims, const onnx::GraphProto& graph);

// The dimensions of these names, in inputs, value_info and outputs, get these sizes.
void FixDims(const std::map<std::string, int64_t>& dims, onnx::GraphProto* graph);

}  // namespace ptq
