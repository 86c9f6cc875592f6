// Carries out a plan: the only place where the graph is changed by quantization.
#pragma once

#include "model/model.h"
#include "quantization/config.h"
#include "quantization/quant_plan.h"

namespace ptq {

// Names, node order and storage forms are those of onnxruntime.quantization 1.32 (its
// QDQQuantizer and ONNXQuantizer), so that models can be compared tensor by tensor.
void RewriteQdq(const QuantPlan& plan, const StaticQuantConfig& config, Model* model);
void RewriteQOperator(const QuantPlan& plan, const StaticQuantConfig& config, Model* model);

}  // namespace ptq
