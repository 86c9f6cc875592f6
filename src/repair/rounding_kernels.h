// Adaptive rounding of the weights of some outputs: each weight is rounded to where it best makes
// up for the errors of those that were rounded before it. Frantar et al. 2022, "GPTQ".
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "quantization/quant_type.h"
#include "repair/moment_kernels.h"

namespace ptq {

// Outputs that are rounded side by side.
inline constexpr size_t kPanel = 16;

// Replaces `weights`, propagation.size() rows of kPanel, by the values that they are quantized to.
// Scales and zero points are by weight, too.
void RoundPanel(const ErrorPropagation& propagation, std::span<const float> scales,
                std::span<const float> zero_points, IntegerRange range, std::span<float> weights);

}  // namespace ptq
