// The values that the weights of a linear layer are quantized to.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>

#include "model/graph_view.h"
#include "quantization/quant_plan.h"
#include "repair/linear_layers.h"

namespace ptq {

class WeightGrid {
 public:
  // nullopt: the parameters are along an axis that is neither that of the outputs nor of the
  // inputs, in blocks, or of a float type.
  static std::optional<WeightGrid> Of(const LinearLayer& layer, const QuantParams& params);

  float scale(LinearLayer::Place place) const { return params_->scales[ParameterOf(place)]; }
  float zero_point(LinearLayer::Place place) const {
    return static_cast<float>(params_->zero_points[ParameterOf(place)]);
  }
  IntegerRange range() const { return range_; }

 private:
  enum class Axis { kNone, kOutput, kInput };

  WeightGrid(const QuantParams& params, Axis axis)
      : params_(&params), axis_(axis), range_(FullRange(params.type)) {}
  size_t ParameterOf(LinearLayer::Place place) const {
    return axis_ == Axis::kNone ? 0 : axis_ == Axis::kOutput ? place.output : place.input;
  }

  const QuantParams* params_;
  Axis axis_;
  IntegerRange range_;
};

// By the name of the weight: the values that it is quantized to, where they are not the nearest.
using RoundedWeights = std::unordered_map<std::string, onnx::TensorProto>;

// What the plan makes of the layer's weight; null where it is not quantized, or the layer not.
const TensorPlan* QuantizedWeight(const QuantPlan& plan, const GraphView& view,
                                  const LinearLayer& layer);

}  // namespace ptq
