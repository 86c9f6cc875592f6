// A copy of a layer's weight with its channels scaled, written in windows.
#pragma once

#include <vector>

#include "model/model.h"
#include "repair/linear_layers.h"

namespace ptq {

// What the weight is multiplied with: out[output] * in[input].
struct ChannelFactors {
  std::vector<float> out;
  std::vector<float> in;

  explicit ChannelFactors(const LinearLayer& layer)
      : out(static_cast<size_t>(layer.outputs), 1), in(static_cast<size_t>(layer.inputs), 1) {}
  bool are_one() const;
};

// Of a FLOAT weight; under its name.
onnx::TensorProto ScaledWeight(const LinearLayer& layer, const ChannelFactors& factors,
                               TensorStore* tensors);

}  // namespace ptq
