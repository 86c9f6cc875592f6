// The parts of a model that are asked about and left float as a whole: a layer with its Relu or
// Clip; what stands between layers as far as it is one chain (the Sigmoid and Mul of a Swish, the
// Add and Relu of a residual block, the scores of attention).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/graph_view.h"
#include "quantization/quant_plan.h"

namespace ptq {

struct Unit {
  std::vector<std::string> nodes;  // by NodeLabel
  uint64_t products = 0;           // multiplications of its layer, for one sample
  uint64_t weight_bytes = 0;       // of its weight, as floats
};

// Of the nodes that `plan` quantizes, in their order. A dimension that is not known counts as 1.
std::vector<Unit> FindUnits(const GraphView& view, const QuantPlan& plan);

}  // namespace ptq
