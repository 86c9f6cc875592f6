// Which repairs a quantized model is made with. A host makes candidates with several, compares them
// on samples, and keeps the best.
#pragma once

#include <string>
#include <vector>

namespace ptq {

struct Repairs {
  bool layer_io = false;        // only linear layers are quantized: quantization/layer_io.h
  bool equalize = false;        // channels are scaled against each other: equalize.h
  bool correct_biases = false;  // biases take the mean error of rounded weights: correct_biases.h
  bool round = false;           // weights adaptively, and biases corrected for it: round_weights.h

  double smooth = 0;  // the alpha of smooth.h; 0: not smoothed. With layer_io

  // Nodes that stay float, by NodeLabel: quantization/left_float.h.
  std::vector<std::string> float_nodes;
  bool narrowed = false;  // ranges of tensors, by the host
  // No repair, but how to ask what a part of the model loses: only these are quantized, by
  // NodeLabel; empty: all.
  std::vector<std::string> only;

  bool any() const {
    return layer_io || equalize || correct_biases || round || smooth > 0 || narrowed ||
           !float_nodes.empty();
  }
};

// What they did.
struct RepairCounts {
  int equalized = 0;  // pairs of layers
  int corrected = 0;  // biases
  int smoothed = 0;   // tensors
  int rounded = 0;    // weights, adaptively
};

}  // namespace ptq
