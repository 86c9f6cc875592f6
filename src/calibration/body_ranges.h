// Ranges of tensors inside the bodies of If, Loop and Scan, brought out as one more output of the
// node that holds them. Each graph has its ranges as one vector [2 * tensors] of lowest and negated
// highest values, so that vectors merge by Min:
//
//   If    both branches return the vector, with [inf, inf] for the tensors of the other one
//   Loop  a loop-carried value that starts as [inf, …] and becomes Min(itself, this iteration's)
//   Scan  the same as a state variable
//
// A body that was not run leaves [inf, inf]: an empty range.
#pragma once

#include <string>
#include <vector>

#include "model/graph_view.h"
#include "model/model.h"

namespace ptq {

// Adds what observes `tensors` (names that are unique in the model) to the graph of `model`, of
// which `view` is one with bodies inside. Returns the vector's name in the main graph, "" where
// there is nothing to observe; `order` receives the tensors in its order.
std::string AddRangeVector(const GraphView& view, const std::vector<std::string>& tensors,
                           onnx::GraphProto* graph, std::vector<std::string>* order);

}  // namespace ptq
