// Options against the model that they are for: names of nodes, op types and tensors, and what is an
// initializer or has an axis.
#pragma once

#include <string>
#include <vector>

#include "model/graph_view.h"
#include "model/model.h"
#include "quantization/config.h"

namespace ptq {

// Checks op types, node names and tensor overrides against the model as given, bodies included.
// Throws kInvalidOption, with near matches for names.
void CheckConfig(const StaticQuantConfig& config, const Model& model);

// Of the tensor overrides what does not depend on other options: every tensor is in the view, an
// axis is one of its axes, the number of objects fits, `convert` is of an activation. Throws
// kInvalidOption.
void CheckOverridesOnModel(const TensorOverrides& overrides, const GraphView& view);

// Throws kInvalidOption for a label (NodeLabel) that no node of the model has; `what` has them.
void CheckNodes(const char* what, const std::vector<std::string>& labels, const Model& model);

}  // namespace ptq
