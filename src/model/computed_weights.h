// Weights that nothing but constants goes into, and that are made by nodes all the same: at every
// run, from constants that stay as they are.
#pragma once

#include <string>
#include <unordered_map>

#include "model/graph_view.h"

namespace ptq {

struct ComputedWeight {
  std::string tensor;    // the operand
  std::string producer;  // what makes it: "Cast node 'cast0'"
};

// By node of `view`: Conv, ConvTranspose, MatMul and Gemm with such a weight. One that is only
// moved, or a part of a constant, is none: the constant is quantized where it is. Nor is one that a
// DequantizeLinear makes.
std::unordered_map<const onnx::NodeProto*, ComputedWeight> FindComputedWeights(
    const GraphView& view);

}  // namespace ptq
