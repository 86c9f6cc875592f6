// The core's structs as JSON, under the names of bindings/js/types.ts.
#pragma once

#include <string>

#include "base/error.h"
#include "calibration/calibration_model.h"
#include "model/model.h"
#include "quantization/quantize_static.h"

namespace ptq::binding {

std::string ToJson(const Error& error);
std::string ToJson(const Diagnostics& diagnostics);
std::string SummaryJson(const Model& model);
// The graph by itself: nodes, types of all tensors after inference, dims of initializers.
std::string StructureJson(const Model& model);
std::string ToJson(const PrepareReport& report);
std::string ToJson(const CalibrationModel& model);
std::string ToJson(const QuantizeReport& report);
std::string ToJson(const TensorRanges& ranges);
// {tensor: [lowest, highest]}. Throws kInvalidRange for anything else.
TensorRanges RangesFromJson(const std::string& json);

}  // namespace ptq::binding
