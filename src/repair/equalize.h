// Cross-layer equalization. Where a layer feeds another one, through nothing or through a Relu or
// Clip, its output channel may be divided by any s > 0 if the next layer multiplies by it: the
// model stays the same, and with s = sqrt(r1 / r2) the channels of both weights reach equally far,
// so that one scale serves them all. What a channel has above 0 in every sample moves into the next
// layer's bias (absorption). Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization
// and Bias Correction".
#pragma once

#include "model/model.h"
#include "quantization/config.h"
#include "quantization/quant_plan.h"
#include "repair/channel_statistics.h"

namespace ptq {

// Equalizes `model`, and adjusts the ranges and statistics of what lies between its layers. Returns
// the number of pairs of layers; 0 where that has no purpose (weights per channel) or ranges are
// not those of the values (methods other than MinMax). A Clip counts only for channels that stay
// well within its bounds: the result is the same model on data like the samples.
int EqualizeLayers(const StaticQuantConfig& config, Model* model, TensorRanges* ranges,
                   TensorStatistics* statistics);

}  // namespace ptq
