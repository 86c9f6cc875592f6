// The core's structs as JSON, under the names of bindings/js/base/types.ts.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "calibration/calibration_model.h"
#include "model/model.h"
#include "pipeline/inspect_model.h"
#include "pipeline/quantize_static.h"

namespace ptq::binding {

// {form, params}; "" where the sentence itself is its form, or has none.
std::string TextJson(const Text& text);
std::string ToJson(const Diagnostics& diagnostics);
std::string SummaryJson(const Model& model);
// The graph by itself: nodes, types of all tensors after inference, dims of initializers.
std::string StructureJson(const Model& model);
std::string ToJson(const PrepareReport& report);
std::string ToJson(const ModelInspection& inspection);
std::string ToJson(const std::vector<CalibratedTensor>& tensors);
std::string ToJson(const SecondMoments& moments);  // what is to be observed, and its cost
std::string ToJson(const MemoryEstimate& estimate);
std::string ToJson(const std::optional<ExpectedMagnitude>& expected);  // null where there is none
std::string ToJson(const InputFacts& facts);
std::string ToJson(const CalibrationModel& model);
std::string ToJson(const PlanReport& report);
std::string ToJson(const ProbeModel& probe);
// The tensors that a quantized model holds as integers; scales and zero points as the file has
// them.
std::string QuantizedTensorsJson(const Model& model);
std::string ToJson(const QuantizeReport& report);
std::string ToJson(const TensorRanges& ranges);
std::string ToJson(
    const std::map<std::string, ChannelRange>& ranges);  // {tensor: [[low…], [high…]]}
std::string ToJson(const TensorStatistics& statistics);  // {tensor: {lowest…, highest…, mean…}}
// {tensor: [lowest, highest]}, null where empty. Throws kInvalidRange for anything else.
TensorRanges RangesFromJson(const std::string& json);
// What the library writes itself: nlohmann::json::exception is a bug there.
TensorStatistics StatisticsFromJson(const std::string& json);
std::string ToJson(const std::vector<Unit>& units);
Repairs RepairsFromJson(const std::string& json);
std::vector<CalibratedTensor> TensorsFromJson(const std::string& json);
ProbeRequest ProbeFromJson(const std::string& json);
std::vector<std::string> NamesFromJson(const std::string& json);
std::vector<int64_t> DimsFromJson(const std::string& json);
std::map<std::string, std::vector<int64_t>> ShapesFromJson(const std::string& json);
// {tensor: ["float32", rank]}; types that are none of ONNX's are left out.
std::map<std::string, ObservedType> TypesFromJson(const std::string& json);
std::map<std::string, int64_t> SizesFromJson(const std::string& json);

}  // namespace ptq::binding
