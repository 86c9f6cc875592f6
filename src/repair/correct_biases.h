// Bias correction. Rounding a weight moves every sum that it takes part in by its error times the
// input; the mean of that is known before the model runs, (W - rounded W) * mean of x, and the bias
// takes it back. Where a kernel is small, as in depthwise convolutions, it is most of the damage.
// Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias Correction".
#pragma once

#include "model/model.h"
#include "quantization/quant_plan.h"
#include "repair/channel_statistics.h"
#include "repair/weight_grid.h"

namespace ptq {

// Corrects the biases of all layers of `model` whose weights `plan` rounds and whose inputs were
// observed; a Conv or Gemm without a bias is given one. `rounded`: weights that are not rounded to
// the nearest. Returns how many. The correction belongs to these roundings: with others begin from
// the uncorrected model.
int CorrectBiases(const QuantPlan& plan, const TensorStatistics& statistics,
                  const RoundedWeights& rounded, Model* model);

}  // namespace ptq
