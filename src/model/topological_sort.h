// Puts nodes into the order in which the reference saves them (ONNXModel.topological_sort).
#pragma once

#include "onnx/onnx_pb.h"

namespace ptq {

// Kahn's algorithm as onnxruntime's ONNXModel.topological_sort does it: nodes without inputs
// (constants) first in file order, then nodes unlocked by initializers and graph inputs taken in
// alphabetical order, then breadth first. Reads by subgraphs count as inputs. Throws kInvalidModel
// for a cycle.
void TopologicalSort(onnx::GraphProto* graph);

// Whether every node comes after those that make its inputs.
bool IsTopologicallySorted(const onnx::GraphProto& graph);

}  // namespace ptq
