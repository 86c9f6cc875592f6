// Raises the version of the ONNX operators that a model uses, keeping what it computes.
#pragma once

#include <cstdint>

#include "base/diagnostic.h"
#include "model/model.h"

namespace ptq {

// Rewrites nodes (those of If, Loop and Scan bodies too) whose form or meaning changed between the
// model's opset and `target`, sets the opset, raises the IR version to what it needs, and infers
// shapes. Does nothing where the model is at `target` or above. Tensor and node names stay; other
// domains are left alone. The model's own functions are raised from their own opsets. Throws
// kUnsupportedOpset, naming the node, where a node cannot be expressed in `target`; the model is
// then unchanged. Adds a diagnostic where the old form left the rounding open
// (RESIZE_ROUNDING_ASSUMED).
void UpgradeOpset(Model& model, int64_t target, Diagnostics& diagnostics);

// The same for the graph and its bodies alone; for who deals with the functions itself.
void UpgradeGraph(Model& model, int64_t target, Diagnostics& diagnostics);

// For an opset that a caller asks for. Throws kInvalidOption where the onnx library does not know
// it, kUnsupportedOption where the model's is newer.
void CheckTargetOpset(int64_t target, const Model& model);

}  // namespace ptq
