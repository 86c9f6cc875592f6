// Constants as files hold them, before any pass has made initializers of Constant nodes.
#pragma once

#include <string>

#include "model/graph_view.h"

namespace ptq {

// The tensor that a Constant node holds; null for other nodes, and where it holds no dense tensor.
const onnx::TensorProto* ValueOfConstant(const onnx::NodeProto& node);

// An initializer, or the value of a Constant node; null where `tensor` is computed.
const onnx::TensorProto* FindConstant(const GraphView& view, const std::string& tensor);

}  // namespace ptq
