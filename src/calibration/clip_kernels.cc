#include "calibration/clip_kernels.h"

namespace ptq {
namespace {

// By value and __restrict, so that the loop vectorizes.
void ClipAll(const float* __restrict values, size_t size, ClipBounds bounds,
             float* __restrict clipped) {
  for (size_t i = 0; i < size; ++i) clipped[i] = Clip(values[i], bounds);
}

}  // namespace

void ClipValues(std::span<const float> values, const ClipBounds& bounds, std::span<float> clipped) {
  ClipAll(values.data(), values.size(), bounds, clipped.data());
}

}  // namespace ptq
