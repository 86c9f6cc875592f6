// Which tensors need no sum of their own to tell that a sample made NaN: those whose NaN surely
// shows in another observed tensor. Sums are a sixth of what observing costs, and NaN is rare:
// where one shows, the sample runs again in a model with the sum of every tensor.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "model/graph_view.h"

namespace ptq {

// Those of `tensors`, which are in the order of the nodes, that have such a witness: a node that
// reads every value, makes NaN of NaN, and writes another of `tensors`. What is moved only (see
// MovesValues) is witnessed where that is which it becomes.
std::unordered_set<std::string> FindWitnessed(const GraphView& view,
                                              const std::vector<std::string>& tensors);

}  // namespace ptq
