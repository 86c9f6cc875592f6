// The weights of a linear layer one by one, read in windows.
#pragma once

#include <span>
#include <vector>

#include "model/tensor_store.h"
#include "repair/linear_layers.h"

namespace ptq {

// The places of a weight's elements, from the first on: what LinearLayer::PlaceOf() tells of each
// by divisions, which take longer than all else that is done with one of millions of elements.
class PlaceSteps {
 public:
  explicit PlaceSteps(const LinearLayer& layer)
      : kernel_(layer.kernel),
        inputs_first_(layer.inputs_first),
        outputs_(static_cast<size_t>(layer.outputs)),
        group_inputs_(static_cast<size_t>(layer.inputs / layer.groups)),
        group_outputs_(static_cast<size_t>(layer.outputs / layer.groups)),
        end_input_(group_inputs_),
        end_output_(group_outputs_) {}

  LinearLayer::Place place() const { return place_; }

  void Next() {
    if (++tap_ < kernel_) return;
    tap_ = 0;
    if (inputs_first_) {
      if (++place_.output < outputs_) return;
      place_.output = 0;
      ++place_.input;
      return;
    }
    if (++place_.input < end_input_) return;
    if (++place_.output == end_output_) {
      end_output_ += group_outputs_;
      end_input_ += group_inputs_;
    }
    place_.input = end_input_ - group_inputs_;
  }

 private:
  uint64_t kernel_;
  bool inputs_first_;
  size_t outputs_;
  size_t group_inputs_;
  size_t group_outputs_;
  uint64_t tap_ = 0;
  LinearLayer::Place place_{};
  size_t end_input_;  // of the group
  size_t end_output_;
};

// Calls visit(value, place) for every element of the weight, in order.
template <typename Visit>
void VisitWeights(const TensorStore& tensors, const LinearLayer& layer, Visit visit) {
  PlaceSteps steps(layer);
  tensors.VisitFloats(*layer.weight, [&](uint64_t, std::span<const float> window) {
    for (const float value : window) {
      visit(value, steps.place());
      steps.Next();
    }
  });
}

// What each output is at inputs that are `inputs` everywhere: the sums of weights times these.
std::vector<double> OutputsAt(const TensorStore& tensors, const LinearLayer& layer,
                              std::span<const double> inputs);

}  // namespace ptq
