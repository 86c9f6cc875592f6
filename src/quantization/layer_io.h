// Which nodes a plan quantizes that quantizes linear layers alone: arithmetic between them
// (Softmax, Sigmoid, Add, Mul, Concat and so on) loses more by 8 bits than it gains.
#pragma once

#include "model/graph_view.h"

namespace ptq {

// Conv, ConvTranspose, MatMul and Gemm with a constant weight.
bool IsLinear(const GraphView& view, const onnx::NodeProto& node);

// These; the Relu or Clip of a Conv; Gather from a constant table.
bool IsOfLayer(const GraphView& view, const onnx::NodeProto& node);

// Whether what the node writes stays float all the same: sums of a matrix product are what Softmax,
// normalizations and additions read.
bool WritesFloat(const onnx::NodeProto& node);

// Whether it is a Conv that stays float: one of few weights that makes one value of each channel
// (as far as is known), which no other layer reads. It is the matrix product in front of a Sigmoid
// or Softmax, and what it writes is more than 8 bits hold: values beyond those of the samples would
// be clipped.
bool IsLightHead(const GraphView& view, const onnx::NodeProto& node);

}  // namespace ptq
