// What a model itself tells about the data it was trained on: a BatchNormalization's output has, in
// every channel, mean beta and standard deviation gamma. Values far from that mean that samples are
// not preprocessed as in training (0 to 255 instead of 0 to 1, say).
#pragma once

#include <optional>
#include <string>

#include "model/model.h"

namespace ptq {

struct ExpectedMagnitude {
  std::string tensor;  // the output of the first BatchNormalization
  float largest = 0;   // max over channels of |beta| + 6 |gamma|
};

// nullopt where the model has none, none with constant parameters, or none without a dead channel:
// one that hardly varied in training, whose least deviation the normalization makes large.
std::optional<ExpectedMagnitude> FindExpectedMagnitude(const Model& model);

}  // namespace ptq
