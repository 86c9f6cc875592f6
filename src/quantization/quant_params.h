// Scale and zero point: real = scale * (quantized - zero_point).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "quantization/quant_type.h"

namespace ptq {

// The real numbers that a tensor takes. Float16 tensors have float16 values here.
struct TensorRange {
  float lowest = 0;
  float highest = 0;
  std::optional<float> deviation;  // standard deviation, which float8 scales are made of
  float mean = 0;                  // beside it

  bool is_empty() const { return lowest > highest; }  // no value was seen: {+inf, -inf}
};

// Type of the scale: that of the float tensor.
enum class FloatType { kFloat, kFloat16 };

struct ScaleZeroPoint {
  float scale = 1;  // a float16 value where the tensor is float16
  int32_t zero_point = 0;
};

// Parameters of one tensor: one pair, one a channel along `axis`, or one for every `block_size`
// values along it (ONNX DequantizeLinear-21: per tensor, per axis, blocked).
struct QuantParams {
  QuantType type = QuantType::kUInt8;
  FloatType scale_type = FloatType::kFloat;
  std::optional<int64_t> axis;  // in [0, rank); nullopt: per tensor
  int64_t block_size = 0;       // 0: not in blocks
  std::vector<int64_t> dims;    // of the scale tensor: [], [C], or the tensor's own with blocks
  std::vector<float> scales;
  std::vector<int32_t> zero_points;

  bool per_channel() const { return axis.has_value(); }  // blocks included
  bool blocked() const { return block_size > 0; }
};

// `value` as a float of the scale's type holds it.
float RoundTo(FloatType type, double value);
// The next larger value of that type.
float NextScale(FloatType type, float scale);

struct FitOptions {
  bool symmetric = false;
  bool reduce_range = false;
  std::optional<double> min_real_range;  // extra option MinimumRealRange
};

// Scale and zero point for values in `range`, bit for bit as onnxruntime.quantization's
// compute_scale_zp (1.32): the range is widened to hold 0, the scale computed in double from the
// promoted ends, the zero point from the unrounded scale, both rounded half to even. A scale below
// the smallest normal float (float16: subnormal) becomes 1 with zero point 0. Throws kInvalidRange
// for NaN or infinite ends.
ScaleZeroPoint FitScaleZeroPoint(TensorRange range, QuantType type, FloatType scale_type,
                                 const FitOptions& options);

// The same for one block of a weight (compute_scale_zp_blocked): the width of the range is taken in
// the weight's own type, and the zero point from the stored scale, clipped to the type.
ScaleZeroPoint FitBlock(TensorRange range, QuantType type, FloatType scale_type,
                        const FitOptions& options);

// Float8: the scale that gives data of this standard deviation that of all float8 values; 1 where
// the data has none (compute_scale_zp_float8).
ScaleZeroPoint FitFloat8(float deviation, FloatType scale_type);

// The zero point snapped to the type's lowest value (range without negatives) or its midpoint:
// extra option ActivationRestrictedAsymmetric (snap_zero_point_to_uint8), for kUInt8 only.
ScaleZeroPoint FitRestrictedAsymmetric(TensorRange range, const FitOptions& options);

}  // namespace ptq
