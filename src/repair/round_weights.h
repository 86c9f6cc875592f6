// Adaptive rounding of weights. What rounding one weight to the nearest step adds to the output,
// rounding others the other way can take back, as far as their inputs move together: where
// neighbouring inputs are almost equal, as in pictures, nearly all of it. Scales, zero points and
// types stay as planned. Frantar et al. 2022, "GPTQ".
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/model.h"
#include "quantization/quant_plan.h"
#include "repair/channel_statistics.h"
#include "repair/second_moments.h"
#include "repair/weight_grid.h"

namespace ptq {

// Rounds weights, and keeps what it has rounded: candidates often have layers in common.
class WeightRounder {
 public:
  // `moments` outlives this.
  explicit WeightRounder(const SecondMoments* moments) : moments_(moments) {}

  // Of the layers that `plan` quantizes and that `moments` knows. `model` and `statistics` may be
  // equalized or smoothed. The model's tensors receive the values; its graph stays as it is.
  RoundedWeights Round(const QuantPlan& plan, const TensorStatistics& statistics, Model* model);

 private:
  // What a rounding depends on, and what came of it.
  struct Done {
    std::string weight;  // serialized: its data, or where that is
    QuantParams params;
    std::vector<float> factors;
    // By element, counted from the lowest of the grid. Not the tensor: what a candidate has written
    // is gone when the next is made.
    std::vector<uint8_t> steps;
  };

  const SecondMoments* moments_;
  std::unordered_map<std::string, Done> done_;
};

}  // namespace ptq
