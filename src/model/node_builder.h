// New nodes from their parts.
#pragma once

#include <string>
#include <vector>

#include "onnx/onnx_pb.h"

namespace ptq {

// Empty names of inputs and outputs stand for absent ones.
onnx::NodeProto MakeNode(const std::string& op_type, const std::vector<std::string>& inputs,
                         const std::vector<std::string>& outputs, const std::string& name,
                         const std::string& domain = "");

// Adds a node without a name and with one output to the end of `graph`. The pointer holds until
// the graph's nodes change.
onnx::NodeProto* AddNode(onnx::GraphProto* graph, const std::string& op_type,
                         const std::vector<std::string>& inputs, const std::string& output);

}  // namespace ptq
