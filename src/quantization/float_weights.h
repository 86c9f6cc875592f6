// Which weights the result still holds as floats, and why: a file is no smaller for nodes that are
// called quantized.
#pragma once

#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "model/graph_view.h"
#include "quantization/config.h"
#include "quantization/quant_plan.h"

namespace ptq {

struct FloatWeight {
  std::string tensor;
  uint64_t bytes = 0;
  std::string node;        // the node that keeps it float: its name, or its first output
  FloatReason reason;      // why that is
  bool asked_for = false;  // by nodes_to_exclude and its like, or AddQDQPairToWeight
};

// Weights are float initializers of two values and more, those of bodies included.
struct FloatWeights {
  uint64_t bytes = 0;             // of all weights of the prepared model
  uint64_t float_bytes = 0;       // of those that are left
  std::vector<FloatWeight> left;  // the largest first
};

// `quantized` is what became of the graph of `view` by `plan`.
FloatWeights FindFloatWeights(const GraphView& view, const QuantPlan& plan,
                              const StaticQuantConfig& config, const onnx::GraphProto& quantized);

// The warning WEIGHTS_LEFT_FLOAT, where more than a tenth of the bytes is left without having been
// asked for: which, why, and what can be done.
void ReportFloatWeights(const FloatWeights& weights, const StaticQuantConfig& config,
                        Diagnostics* diagnostics);

}  // namespace ptq
