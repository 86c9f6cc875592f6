#include "repair/rounding_kernels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace ptq {
namespace {

using Panel = std::array<float, kPanel>;

// What the errors of the rows after `j` add to the weights of row j.
Panel Carried(std::span<const float> factors, const std::vector<Panel>& errors, size_t j) {
  // Even and odd rows have sums of their own: an addition need not wait for the one before.
  Panel even{};
  Panel odd{};
  size_t i = j + 1;
  for (; i + 1 < errors.size(); i += 2) {
    for (size_t o = 0; o < kPanel; ++o) even[o] += factors[i] * errors[i][o];
    for (size_t o = 0; o < kPanel; ++o) odd[o] += factors[i + 1] * errors[i + 1][o];
  }
  if (i < errors.size()) {
    for (size_t o = 0; o < kPanel; ++o) even[o] += factors[i] * errors[i][o];
  }
  for (size_t o = 0; o < kPanel; ++o) even[o] += odd[o];
  return even;
}

}  // namespace

void RoundPanel(const ErrorPropagation& propagation, std::span<const float> scales,
                std::span<const float> zero_points, IntegerRange range, std::span<float> weights) {
  const auto lowest = static_cast<float>(range.min);
  const auto highest = static_cast<float>(range.max);
  std::vector<Panel> errors(propagation.size());
  for (size_t j = propagation.size(); j-- > 0;) {
    const Panel carried = Carried(propagation.Row(j), errors, j);
    for (size_t o = 0; o < kPanel; ++o) {
      const size_t at = j * kPanel + o;
      const float zero = zero_points[at];
      const float wanted = weights[at] + carried[o];
      const float q = std::nearbyint(wanted / scales[at]) + zero;
      const float rounded = (std::clamp(q, lowest, highest) - zero) * scales[at];
      errors[j][o] = weights[at] - rounded;
      weights[at] = rounded;
    }
  }
}

}  // namespace ptq
