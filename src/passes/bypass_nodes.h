// Takes out nodes that pass their first input on unchanged.
#pragma once

#include <functional>

#include "model/graph_view.h"

namespace ptq {

// Removes every node for which `passes_on(node, view)` holds: readers of its output 0 read its
// input 0 instead. Where output 0 is a graph output, the producer of input 0 writes that name
// itself; if that is not possible (a graph input, an initializer, or two outputs of the same
// tensor), the node stays. Other outputs must be unused. Returns the number of nodes removed.
int BypassNodes(onnx::GraphProto* graph,
                const std::function<bool(const onnx::NodeProto&, const GraphView&)>& passes_on);

}  // namespace ptq
