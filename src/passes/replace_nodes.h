// Edits of a graph's list of nodes that put several nodes where one was.
#pragma once

#include <unordered_map>
#include <vector>

#include "onnx/onnx_pb.h"

namespace ptq {

// By index of a node: what stands in its place, nothing at all to remove it.
using NodeEdits = std::unordered_map<int, std::vector<onnx::NodeProto>>;

// All others stay, in their order.
void ReplaceNodes(onnx::GraphProto* graph, NodeEdits edits);

}  // namespace ptq
