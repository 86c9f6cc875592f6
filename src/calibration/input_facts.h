// What a graph itself tells about the pictures that it takes: what it does to them before anything
// is learned from them (a Sub and a Div are a normalization that samples must not have), the
// statistics that its first BatchNormalization kept of training, which samples that are
// preprocessed as in training have too, and the biases of its first Conv, which were learned beside
// sums of their own magnitude.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/model.h"

namespace ptq {

// x * scale + offset, of one value or of one a channel.
struct GraphNormalization {
  std::vector<float> scale;
  std::vector<float> offset;
  std::vector<std::string> op_types;  // of the nodes that do it, in their order
};

struct TrainingStatistics {
  std::string tensor;  // what the BatchNormalization reads
  std::vector<float> mean;
  std::vector<float> variance;
};

struct BiasedSums {
  std::string tensor;  // what the Conv makes, its bias added
  std::vector<float> bias;
};

struct InputFacts {
  std::optional<GraphNormalization> normalization;
  std::optional<TrainingStatistics> statistics;
  std::optional<BiasedSums> sums;
};

// Of the graph's input `input`.
InputFacts FindInputFacts(const Model& model, const std::string& input);

}  // namespace ptq
