// Which weights the result still holds as floats, and why: a file is no smaller for nodes that are
// called quantized.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
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

// Names of the float weights of a graph, and their bytes.
std::unordered_set<std::string> FloatWeightsOf(const onnx::GraphProto& graph);
uint64_t FloatWeightBytes(const onnx::GraphProto& graph);
// Of those, what the graph holds itself rather than by reference.
uint64_t InlineWeightBytes(const onnx::GraphProto& graph);

// What rewriting will do with the weights.
struct PlannedWeights {
  std::unordered_set<std::string> left;  // as floats
  uint64_t integer_bytes = 0;            // of the others
};
PlannedWeights PlanWeights(const GraphView& view, const QuantPlan& plan,
                           const StaticQuantConfig& config);

// `left`: the names of those that the graph of `view` still has when `plan` was carried out.
FloatWeights FindFloatWeights(const GraphView& view, const QuantPlan& plan,
                              const StaticQuantConfig& config,
                              const std::unordered_set<std::string>& left);

// The warning WEIGHTS_LEFT_FLOAT, where more than a tenth of the bytes is left without having been
// asked for: which, why, and what can be done.
void ReportFloatWeights(const FloatWeights& weights, const StaticQuantConfig& config,
                        Diagnostics* diagnostics);

}  // namespace ptq
