#include "repair/visit_weights.h"

namespace ptq {

std::vector<double> OutputsAt(const TensorStore& tensors, const LinearLayer& layer,
                              std::span<const double> inputs) {
  std::vector<double> outputs(static_cast<size_t>(layer.outputs));
  VisitWeights(tensors, layer, [&](float weight, LinearLayer::Place place) {
    outputs[place.output] += static_cast<double>(weight) * inputs[place.input];
  });
  return outputs;
}

}  // namespace ptq
