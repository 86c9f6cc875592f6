// Tensors whose range is made by a constant that stands for infinity: attention masks, by Where or
// as (1 - mask) * lowest. Quantized with such a range nothing but the mask would be left.
#pragma once

#include <string>
#include <unordered_map>

#include "model/graph_view.h"
#include "model/model.h"
#include "quantization/float_reason.h"
#include "quantization/quant_plan.h"

namespace ptq {

// Tensors that must stay float, each with why the nodes that make or read it do: those that hold a
// mask and reach Softmax or another operator that takes the far end as "nothing" (kRangeOfMask),
// others with an infinite end in `ranges`, and constants that hold infinity or nothing but NaN
// (kRangeNotFinite).
//
// A mask is found by the graph: a constant of a magnitude of 1,000 or more (exp of it is 0) through
// Where, times a tensor of 0 and 1, or with other values beside it; and it must leave less than a
// sixteenth of the range to the others, as far as `ranges` knows them. What calibration saw of the
// mask itself does not matter: no sample may have needed it.
std::unordered_map<std::string, FloatReason> TensorsOfMasks(const Model& model,
                                                            const GraphView& view,
                                                            const TensorRanges& ranges);

}  // namespace ptq
