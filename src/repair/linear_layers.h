// The layers whose outputs are sums of inputs times constant weights, and how their weights lie in
// memory. Repairs work on these.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/graph_view.h"

namespace ptq {

// Conv: weight [outputs, inputs / groups, kernel]; Gemm with transB: [outputs, inputs]; MatMul, and
// Gemm without: [inputs, outputs].
struct LinearLayer {
  int node = -1;                              // index in the view
  const onnx::TensorProto* weight = nullptr;  // FLOAT or FLOAT16, input 1
  int64_t outputs = 0;
  int64_t inputs = 0;
  int64_t groups = 1;
  uint64_t kernel = 1;        // weights between an input and an output
  bool inputs_first = false;  // in the weight
  // Of the tensor that it reads: the axis of the input channels, and the number of axes.
  int64_t axis = 1;
  int64_t rank = 0;
  // Whether calibration observes the channels of its input along this axis: not so where its rank
  // is unknown, or another layer reads the same tensor along another axis.
  bool is_observed = false;

  bool is_depthwise() const { return groups == inputs && groups == outputs; }

  struct Place {
    size_t output;
    size_t input;
  };
  // The channels between which element number `element` of the weight is.
  Place PlaceOf(uint64_t element) const {
    const uint64_t row = element / kernel;
    if (inputs_first) {
      const auto columns = static_cast<uint64_t>(outputs);
      return {static_cast<size_t>(row % columns), static_cast<size_t>(row / columns)};
    }
    const auto per_output = static_cast<uint64_t>(inputs / groups);
    const uint64_t output = row / per_output;
    const uint64_t group = output / static_cast<uint64_t>(outputs / groups);
    return {static_cast<size_t>(output),
            static_cast<size_t>(group * per_output + row % per_output)};
  }
};

// Of the nodes of the view, in their order.
std::vector<LinearLayer> FindLinearLayers(const GraphView& view);

// The tensors that calibration observes by channel, each with a layer that reads it.
std::unordered_map<std::string, const LinearLayer*> ObservedInputs(
    const std::vector<LinearLayer>& layers, const GraphView& view);

}  // namespace ptq
