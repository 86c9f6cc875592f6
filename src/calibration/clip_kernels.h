// Values clipped as onnxruntime clips them: NaN stays, and so does the sign of 0.
#pragma once

#include <span>

#include "quantization/clip_bounds.h"

namespace ptq {

inline float Clip(float value, const ClipBounds& bounds) {
  const float raised = value < bounds.low ? bounds.low : value;
  return raised > bounds.high ? bounds.high : raised;
}

// `clipped` has the size of `values`.
void ClipValues(std::span<const float> values, const ClipBounds& bounds, std::span<float> clipped);

}  // namespace ptq
