// Adaptive rounding of weights. What rounding one weight to the nearest step adds to the output,
// rounding others the other way can take back, as far as their inputs move together: where
// neighbouring inputs are almost equal, as in pictures, nearly all of it. Scales, zero points and
// types stay as planned. Frantar et al. 2022, "GPTQ".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
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
  explicit WeightRounder(const SecondMoments* moments);
  ~WeightRounder();

  // Of the layers that `plan` quantizes and that `moments` knows. `model` and `statistics` may be
  // equalized or smoothed. The model's tensors receive the values; its graph stays as it is.
  RoundedWeights Round(const QuantPlan& plan, const TensorStatistics& statistics, Model* model);

  // The same in parts, for hosts that must not be busy for long: after them Round() finds all of it
  // done.
  void Begin(const QuantPlan& plan, const TensorStatistics& statistics, Model model);
  // A part of about so many multiplications. False: all is rounded.
  bool Continue(double products);

 private:
  struct Task;
  class LayerRounding;

  // What a rounding depends on, and what came of it.
  struct Done {
    std::string weight;  // serialized: its data, or where that is
    QuantParams params;
    std::vector<float> factors;
    // By element, counted from the lowest of the grid. Not the tensor: what a candidate has written
    // is gone when the next is made.
    std::vector<uint8_t> steps;
  };

  std::vector<Task> TasksOf(const QuantPlan& plan, const TensorStatistics& statistics,
                            const Model& model) const;
  bool IsDone(const Task& task) const;
  void Keep(const LayerRounding& rounding);

  const SecondMoments* moments_;
  // Of Begin().
  std::optional<Model> model_;
  std::vector<Task> tasks_;
  std::unique_ptr<LayerRounding> rounding_;
  std::unordered_map<std::string, Done> done_;
};

}  // namespace ptq
