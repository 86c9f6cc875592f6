// Tensor names that are unique over all graphs of a model.
#pragma once

#include "model/model.h"

namespace ptq {

// Renames what the bodies of If, Loop and Scan define under a name that another graph defines too:
// sibling bodies may share names (ONNX IR specification, "Names Within a Graph"), but ranges,
// parameters and new initializers go by name. Returns how many tensors got another name.
int UniquifyNames(Model& model);

}  // namespace ptq
