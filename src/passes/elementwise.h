// Operators that work on each element alone.
#pragma once

#include "model/model.h"

namespace ptq {

// Whether each element of the output is made of the elements at its place. Inputs broadcast.
bool IsElementwise(const onnx::NodeProto& node);

}  // namespace ptq
