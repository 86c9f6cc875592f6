// int32 biases: scale = input scale * weight scale, zero point 0, so that the integer accumulator
// of a convolution can start from them (ONNX QLinearConv;
// onnxruntime.quantization, quantize_bias_static).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/tensor_store.h"
#include "onnx/onnx_pb.h"
#include "quantization/quant_params.h"

namespace ptq {

// A bias ready to be written. `scales` has one element, or one a channel.
struct QuantizedBias {
  std::vector<int32_t> values;  // row-major, dims of the float bias
  std::vector<float> scales;
  FloatType scale_type = FloatType::kFloat;  // kFloat for a float16 bias that needs the wider scale
  bool clipped = false;                      // a value left the int32 range
};

// What multiplies the bias in the graph: Gemm computes alpha * A * B + beta * C, and an integer
// accumulator holds A * B + C', so C' = beta * C / (alpha * scale of A * scale of B).
struct BiasFactors {
  float alpha = 1;
  float beta = 1;
};

// q = clip(round_half_even(beta * bias / scale), int32), scale = input * weight * alpha, the scale
// product in float, the division in double. `bias` has dims whose last axis has one element a
// channel where `weight_scales` has several.
QuantizedBias QuantizeBias(std::span<const float> bias, FloatType bias_type, float input_scale,
                           std::span<const float> weight_scales, BiasFactors factors);

// Whether all of `bias` is finite and fits int32 with these scales.
bool FitsInt32(std::span<const float> bias, FloatType bias_type, float input_scale,
               std::span<const float> weight_scales, BiasFactors factors);

// Which scales are raised: all below the smallest valid one, as the reference does, or those only
// with which a value would be clipped.
enum class Raise { kBelowSmallestValid, kWhereClipped };

// Raises weight scales so that every bias value fits int32 with the scale input * weight (the
// smallest valid scale is 1.0001 * 2 |bias| / (2^32 - 2)). Per tensor: by the largest |bias|; per
// channel: each by its own. Zero points stay: with a larger scale every weight comes closer to
// them. A bias that is infinite, or needs an infinite scale, is left alone. Returns true where one
// was raised. Source: onnxruntime.quantization, _adjust_weight_scale_for_int32_bias, which knows
// signed weights with zero point 0 only.
bool RaiseWeightScales(std::span<const float> bias, FloatType bias_type, float input_scale,
                       Raise which, QuantParams* weight);

}  // namespace ptq
