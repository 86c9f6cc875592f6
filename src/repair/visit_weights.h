// The weights of a linear layer one by one, read in windows.
#pragma once

#include <span>
#include <vector>

#include "model/tensor_store.h"
#include "repair/linear_layers.h"

namespace ptq {

// Calls visit(value, place) for every element of the weight, in order.
template <typename Visit>
void VisitWeights(const TensorStore& tensors, const LinearLayer& layer, Visit visit) {
  tensors.VisitFloats(*layer.weight, [&](uint64_t first, std::span<const float> window) {
    LinearLayer::Place place{};
    for (size_t i = 0; i < window.size(); ++i) {
      const uint64_t element = first + i;
      if (i == 0 || element % layer.kernel == 0) place = layer.PlaceOf(element);
      visit(window[i], place);
    }
  });
}

// What each output is at inputs that are `inputs` everywhere: the sums of weights times these.
std::vector<double> OutputsAt(const TensorStore& tensors, const LinearLayer& layer,
                              std::span<const double> inputs);

}  // namespace ptq
