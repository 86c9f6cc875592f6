// What a model is and what quantizing would make of it, before anything is run: the nodes that
// become integers in each format and why the others do not, the memory that a run takes, and what
// the graph itself does to its inputs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "calibration/memory_estimate.h"
#include "pipeline/quantize_static.h"

namespace ptq {

struct FormatForecast {
  QuantFormat format = QuantFormat::kQOperator;
  std::vector<QuantizedNode> nodes;
  int64_t opset = 0;    // of the output
  std::string refused;  // where the format cannot be written at all: why
};

// A node between an input and the first layer that calculates with constants: what it does must not
// be done to the samples as well.
struct InputStep {
  std::string input;
  std::string node;  // or its first output, where it has no name
  std::string op_type;
  std::vector<float> values;  // of its constant, the first few; of BatchNormalization the mean
};

struct ModelInspection {
  std::vector<FormatForecast> formats;
  PrepareReport prepared;
  MemoryEstimate memory;      // free dimensions counted as 1
  uint64_t weight_bytes = 0;  // of initializers, as stored
  std::vector<InputStep> input_steps;
};

// `quantizer` has the open model; it is configured anew. `fix_dim` as the option.
ModelInspection InspectModel(StaticQuantizer* quantizer,
                             const std::map<std::string, int64_t>& fix_dim);

}  // namespace ptq
