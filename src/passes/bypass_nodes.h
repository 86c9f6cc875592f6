// Takes out nodes that pass an input on unchanged.
#pragma once

#include <functional>

#include "model/graph_view.h"

namespace ptq {

// Removes every node for which `passed(node, view)` is the index of an input: readers of the node's
// output 0 read that input instead. Where output 0 is a graph output, the producer of the input
// writes that name itself; if that is not possible (a graph input, an initializer, or two outputs
// of the same tensor), the node stays. Other outputs must be unused. -1: the node stays. Returns
// the number of nodes removed.
int BypassToInputs(onnx::GraphProto* graph,
                   const std::function<int(const onnx::NodeProto&, const GraphView&)>& passed);

// The same to input 0 of every node for which `passes_on` holds.
int BypassNodes(onnx::GraphProto* graph,
                const std::function<bool(const onnx::NodeProto&, const GraphView&)>& passes_on);

}  // namespace ptq
