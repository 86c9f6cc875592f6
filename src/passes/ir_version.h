// The IR version that goes with an opset: the table of onnx/docs/Versioning.md.
#pragma once

#include "model/model.h"

namespace ptq {

// The IR version of the first ONNX release that had this ai.onnx opset.
int64_t IrVersionOfOpset(int64_t opset);

// Raises the model's IR version to `version` if it is lower. From 4 on initializers need not be
// graph inputs; those of If, Loop and Scan bodies may not be, and are dropped from the inputs
// there.
void RaiseIrVersion(Model& model, int64_t version);

// Drops the inputs of `graph` that have an initializer. Returns how many.
int DropRepeatedInputs(onnx::GraphProto* graph);

}  // namespace ptq
