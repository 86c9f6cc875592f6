// SmoothQuant. A matrix product reads all channels of its input with one scale, and a few outliers
// make it coarse for the rest. Channel j of the input is divided by s and row j of the weight
// multiplied by it, s = max|x_j|^alpha / max|w_j|^(1 - alpha): some of the difficulty moves into
// the weight. Xiao et al. 2022, "SmoothQuant".
#pragma once

#include "model/model.h"
#include "quantization/config.h"
#include "quantization/quant_plan.h"
#include "repair/channel_statistics.h"

namespace ptq {

// Smooths what the MatMul and Gemm of `model` read, by a Mul in front of each (one for all that
// read the same tensor), and adds ranges and statistics of what these write. Returns the number of
// tensors; 0 where ranges are not those of the values (methods other than MinMax). For plans that
// quantize linear layers alone: the Mul stays float.
int SmoothInputs(const StaticQuantConfig& config, double alpha, Model* model, TensorRanges* ranges,
                 TensorStatistics* statistics);

}  // namespace ptq
