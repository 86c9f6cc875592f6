// The coefficients of Pillow's antialiased resampling, one axis at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "image/resize.h"

namespace ptq::image {

// Fixed point of the 8-bit kernels: 32 bits less 8 of the pixel less 2 of headroom (the absolute
// values of a filter with negative lobes sum up to less than 4).
inline constexpr int kPrecisionBits = 32 - 8 - 2;

// Output pixel `i` is the sum over k < count[i] of input pixel (first[i] + k) times
// weights[i * stride + k], in kPrecisionBits fixed point.
struct AxisFilter {
  int stride = 0;
  std::vector<int> first;
  std::vector<int> count;
  std::vector<int32_t> weights;
};

// Coefficients for outputs [begin, end) of an axis that goes from `in_size` to `out_size` pixels.
// Not for kNearest, which is not a filter.
AxisFilter MakeAxisFilter(int in_size, int out_size, int begin, int end, Interpolation filter);

}  // namespace ptq::image
