// What rounding weights takes from the means of a linear layer's outputs: the loops over all of its
// weights. Each sum has one order, so that its bits are the same everywhere.
#pragma once

#include <cstdint>
#include <span>

#include "quantization/quant_type.h"

namespace ptq {

// What `weights` are quantized to, as QuantizeLinear and DequantizeLinear compute it: all with the
// same parameters, or with one of each for each.
void RoundToNearest(std::span<const float> weights, float scale, float zero_point,
                    IntegerRange range, std::span<float> rounded);
void RoundToNearest(std::span<const float> weights, std::span<const float> scales,
                    std::span<const float> zero_points, IntegerRange range,
                    std::span<float> rounded);

// `sum` and the errors of the weights of one output, each times the mean of its input.
double AddErrors(std::span<const float> weights, std::span<const float> rounded,
                 std::span<const double> means, double sum);

// Adds the errors of the weights of one input, times its mean, each to that of its output.
void AddErrors(std::span<const float> weights, std::span<const float> rounded, double mean,
               std::span<double> errors);

}  // namespace ptq
