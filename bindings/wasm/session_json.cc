#include "session_json.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "base/hex_kernels.h"
#include "calibration/range_json.h"
#include "model/find_constant.h"
#include "model/graph_view.h"
#include "model/subgraphs.h"
#include "onnx/defs/data_type_utils.h"
#include "passes/infer_shapes.h"
#include "quantization/option_names.h"
#include "quantization/quantized_tensors.h"

namespace ptq::binding {
namespace {

using nlohmann::json;

// Invalid UTF-8 in names of a hostile model becomes U+FFFD instead of an exception.
std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// Whether a translation needs more than the sentence itself.
bool HasParts(const Text& text) { return !text.params().empty() && text.form() != "{0}"; }

json PartsJson(const Text& text) {
  json params = json::array();
  for (const Text::Param& param : text.params()) {
    if (const auto* string = std::get_if<std::string>(&param)) {
      params.push_back(*string);
    } else if (const auto* number = std::get_if<int64_t>(&param)) {
      params.push_back(*number);
    } else {
      params.push_back(PartsJson(*std::get<std::shared_ptr<const Text>>(param)));
    }
  }
  return {{"form", text.form()}, {"params", std::move(params)}};
}

// A sentence, and its parts where they are not plain from it.
void Put(json* item, const std::string& key, const Text& text) {
  (*item)[key] = text.str();
  if (HasParts(text)) (*item)[key + "Text"] = PartsJson(text);
}

json DiagnosticsJson(const Diagnostics& diagnostics) {
  json list = json::array();
  for (const Diagnostic& diagnostic : diagnostics) {
    json item = {{"severity", diagnostic.severity == Severity::kWarning ? "warning" : "info"},
                 {"code", diagnostic.code}};
    Put(&item, "message", diagnostic.message);
    if (!diagnostic.node.empty()) item["node"] = diagnostic.node;
    if (!diagnostic.tensor.empty()) item["tensor"] = diagnostic.tensor;
    if (!diagnostic.hint.empty()) Put(&item, "hint", diagnostic.hint);
    list.push_back(std::move(item));
  }
  return list;
}

// onnxruntime's spelling of element types.
std::string TypeName(int32_t type) {
  switch (type) {
    case onnx::TensorProto::FLOAT:
      return "float32";
    case onnx::TensorProto::DOUBLE:
      return "float64";
    case onnx::TensorProto::UNDEFINED:
      return "unknown";
    default: {
      std::string name = onnx::TensorProto_DataType_Name(type);
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      return name;
    }
  }
}

json ValueJson(const onnx::ValueInfoProto& value) {
  json item = {{"name", value.name()}};
  if (!value.type().has_tensor_type()) {
    item["type"] = "not a tensor";
    item["shape"] = nullptr;
    return item;
  }
  const auto& tensor = value.type().tensor_type();
  item["type"] = TypeName(tensor.elem_type());
  if (!tensor.has_shape()) {
    item["shape"] = nullptr;
    return item;
  }
  json shape = json::array();
  for (const auto& dim : tensor.shape().dim()) {
    if (dim.has_dim_value() && dim.dim_value() >= 0) {
      shape.push_back(dim.dim_value());
    } else if (!dim.dim_param().empty()) {
      shape.push_back(dim.dim_param());
    } else {
      shape.push_back(nullptr);
    }
  }
  item["shape"] = std::move(shape);
  return item;
}

// The nodes that are quantized and those that stay float.
std::pair<json, json> NodeListsJson(const std::vector<QuantizedNode>& nodes) {
  json quantized = json::array();
  json left_float = json::array();
  for (const QuantizedNode& node : nodes) {
    json item = {{"name", node.name}, {"opType", node.op_type}};
    if (node.plan.action == NodeAction::kFloat) {
      item["code"] = FloatReasonName(node.plan.reason.code);
      Put(&item, "reason", node.plan.reason.text);
      left_float.push_back(std::move(item));
    } else {
      if (node.weight != WeightForm::kNone) item["weight"] = WeightFormName(node.weight);
      quantized.push_back(std::move(item));
    }
  }
  return {std::move(quantized), std::move(left_float)};
}

json WeightsJson(const FloatWeights& weights) {
  json left = json::array();
  for (const FloatWeight& weight : weights.left) {
    json item = {{"name", weight.tensor},
                 {"bytes", weight.bytes},
                 {"node", weight.node},
                 {"code", FloatReasonName(weight.reason.code)}};
    Put(&item, "reason", weight.reason.text);
    left.push_back(std::move(item));
  }
  return {{"bytes", weights.bytes}, {"floatBytes", weights.float_bytes}, {"left", std::move(left)}};
}

}  // namespace

std::string TextJson(const Text& text) { return HasParts(text) ? Dump(PartsJson(text)) : ""; }

std::string ToJson(const Diagnostics& diagnostics) { return Dump(DiagnosticsJson(diagnostics)); }

std::string SummaryJson(const Model& model) {
  const GraphView view(model.graph());
  json inputs = json::array();
  for (const onnx::ValueInfoProto& input : model.graph().input()) {
    if (view.Initializer(input.name()) != nullptr) continue;
    json item = ValueJson(input);
    item["isRead"] = !view.Uses(input.name()).empty() || view.IsGraphOutput(input.name());
    inputs.push_back(std::move(item));
  }
  json outputs = json::array();
  for (const onnx::ValueInfoProto& output : model.graph().output()) {
    outputs.push_back(ValueJson(output));
  }
  std::map<std::string, int> op_types;
  for (const onnx::NodeProto& node : model.graph().node()) ++op_types[node.op_type()];
  uint64_t parameters = 0;
  onnx::ModelProto copy = model.proto();  // the walk is one for editing
  ForEachTensor(&copy, [&](const onnx::TensorProto& t) { parameters += ElementCount(t); });
  return Dump({{"inputs", std::move(inputs)},
               {"outputs", std::move(outputs)},
               {"opset", model.Opset()},
               {"irVersion", model.proto().ir_version()},
               {"producer", model.proto().producer_name()},
               {"nodes", model.graph().node_size()},
               {"opTypes", op_types},
               {"parameters", parameters},
               {"externalFiles", model.data_files()},
               {"alreadyQuantized", op_types.contains("QuantizeLinear") ||
                                        op_types.contains("DequantizeLinear") ||
                                        op_types.contains("QLinearConv")}});
}

std::string StructureJson(const Model& model) {
  // As onnx's inference fills them in: on a copy, the model stays as it was given.
  const onnx::GraphProto graph = InferredShapes(model, KnownShapes::kAll, /*failure=*/nullptr);
  const GraphView view(graph);
  json nodes = json::array();
  json tensors = json::object();
  const auto add_tensor = [&](const std::string& name) {
    if (!name.empty()) tensors[name] = TypeName(view.ElementType(name));
  };
  for (const onnx::NodeProto& node : graph.node()) {
    nodes.push_back({{"name", node.name()},
                     {"opType", node.op_type()},
                     {"domain", node.domain()},
                     {"inputs", node.input()},
                     {"outputs", node.output()}});
    for (const std::string& name : node.input()) add_tensor(name);
    for (const std::string& name : node.output()) add_tensor(name);
  }
  for (const onnx::ValueInfoProto& input : graph.input()) add_tensor(input.name());
  for (const onnx::ValueInfoProto& output : graph.output()) add_tensor(output.name());
  json initializers = json::object();
  for (const onnx::TensorProto& initializer : graph.initializer()) {
    add_tensor(initializer.name());
    initializers[initializer.name()] = initializer.dims();
  }
  return Dump({{"nodes", std::move(nodes)},
               {"tensors", std::move(tensors)},
               {"initializers", std::move(initializers)},
               {"opset", model.Opset()},
               {"hasExternalData", !model.data_files().empty()}});
}

std::string ToJson(const PrepareReport& report) {
  json passes = json::array();
  for (const auto& [name, changes] : report.changes) {
    passes.push_back({{"name", name}, {"changes", changes}});
  }
  return Dump({{"nodesBefore", report.nodes_before},
               {"nodesAfter", report.nodes_after},
               {"opsetBefore", report.opset_before},
               {"opsetAfter", report.opset_after},
               {"passes", std::move(passes)},
               {"diagnostics", DiagnosticsJson(report.diagnostics)}});
}

std::string ToJson(const ModelInspection& inspection) {
  json formats = json::object();
  for (const FormatForecast& forecast : inspection.formats) {
    auto [quantized, left_float] = NodeListsJson(forecast.nodes);
    json item = {{"opset", forecast.opset},
                 {"nodesQuantized", std::move(quantized)},
                 {"nodesLeftFloat", std::move(left_float)}};
    if (!forecast.refused.empty()) item["refused"] = forecast.refused;
    formats[Name(forecast.format)] = std::move(item);
  }
  json steps = json::array();
  for (const InputStep& step : inspection.input_steps) {
    steps.push_back({{"input", step.input},
                     {"node", step.node},
                     {"opType", step.op_type},
                     {"values", step.values}});
  }
  return Dump({{"formats", std::move(formats)},
               {"nodesBefore", inspection.prepared.nodes_before},
               {"nodesAfter", inspection.prepared.nodes_after},
               {"weightBytes", inspection.weight_bytes},
               {"activationBytes", inspection.memory.activations},
               {"allShapesKnown", inspection.memory.all_known},
               {"inputSteps", std::move(steps)},
               {"diagnostics", DiagnosticsJson(inspection.prepared.diagnostics)}});
}

std::string ToJson(const CalibrationModel& model) {
  return Dump(
      {{"outputs", model.outputs}, {"files", model.files}, {"lacksSums", model.lacks_sums}});
}

std::string ToJson(const ProbeModel& probe) {
  return Dump({{"outputs", probe.model.outputs},
               {"files", probe.model.files},
               {"inputs", probe.inputs},
               {"fed", probe.fed},
               {"added", probe.added}});
}

std::string QuantizedTensorsJson(const Model& model) {
  const GraphView view(model.graph());
  json list = json::array();
  for (const QuantizedTensor& tensor : FindQuantizedTensors(view)) {
    const onnx::TensorProto* scale = FindConstant(view, tensor.scale);
    const onnx::TensorProto* zero = FindConstant(view, tensor.zero_point);
    // Computed parameters and floats of 8 bits are no integers with known scales.
    const bool is_integer = zero == nullptr || TypeName(zero->data_type()).find("int") < 2;
    if (scale == nullptr || (zero == nullptr && !tensor.zero_point.empty()) || !is_integer)
      continue;
    const onnx::TensorProto* values = FindConstant(view, tensor.quantized);
    json type = "uint8";  // QuantizeLinear's, without a zero point
    if (zero != nullptr) {
      type = TypeName(zero->data_type());
    } else if (values != nullptr) {
      type = TypeName(values->data_type());
    }
    const std::vector<int64_t> zeros =
        zero == nullptr ? std::vector<int64_t>{0} : model.tensors().ReadInts(*zero);
    list.push_back({{"name", tensor.name},
                    {"before", tensor.before},
                    {"quantized", tensor.quantized},
                    {"after", tensor.after},
                    {"constant", tensor.is_constant},
                    {"type", std::move(type)},
                    {"scales", model.tensors().ReadFloats(*scale)},
                    {"scaleDims", scale->dims()},
                    {"zeroPoints", zeros},
                    {"axis", tensor.axis}});
  }
  return Dump(list);
}

ProbeRequest ProbeFromJson(const std::string& text) {
  const json request = json::parse(text);
  ProbeRequest probe;
  for (const json& output : request.at("outputs")) {
    probe.outputs.push_back(
        {output.at("tensor").get<std::string>(), output.at("after").get<bool>()});
  }
  probe.fed = request.at("fed").get<std::vector<std::string>>();
  probe.added = request.at("added").get<std::vector<std::string>>();
  probe.sizes = request.at("sizes").get<bool>();
  return probe;
}

std::string ToJson(const std::vector<CalibratedTensor>& tensors) {
  json list = json::array();
  for (const CalibratedTensor& tensor : tensors) {
    list.push_back({{"name", tensor.name},
                    {"half", tensor.type == FloatType::kFloat16},
                    {"channels", tensor.channels}});
    if (tensor.has_means) list.back()["means"] = true;
    if (!tensor.derived) continue;
    const auto& [source, clip] = *tensor.derived;
    json& derived = list.back()["derived"] = {{"tensor", source}};
    if (std::isfinite(clip.low)) derived["low"] = clip.low;
    if (std::isfinite(clip.high)) derived["high"] = clip.high;
  }
  return Dump(list);
}

std::string ToJson(const SecondMoments& moments) {
  return Dump({{"inputs", moments.Inputs()}, {"products", moments.Products()}});
}

std::string ToJson(const MemoryEstimate& estimate) {
  return Dump({{"weights", estimate.weights},
               {"activations", estimate.activations},
               {"tensors", estimate.tensors},
               {"allKnown", estimate.all_known}});
}

std::string ToJson(const std::optional<ExpectedMagnitude>& expected) {
  if (!expected) return "null";
  return Dump({{"tensor", expected->tensor}, {"largest", expected->largest}});
}

std::string ToJson(const InputFacts& facts) {
  json result = {{"normalization", nullptr}, {"statistics", nullptr}, {"sums", nullptr}};
  if (facts.normalization) {
    result["normalization"] = {{"scale", facts.normalization->scale},
                               {"offset", facts.normalization->offset},
                               {"opTypes", facts.normalization->op_types}};
  }
  if (facts.statistics) {
    result["statistics"] = {{"tensor", facts.statistics->tensor},
                            {"mean", facts.statistics->mean},
                            {"variance", facts.statistics->variance}};
  }
  if (facts.sums) {
    result["sums"] = {{"tensor", facts.sums->tensor}, {"bias", facts.sums->bias}};
  }
  return Dump(result);
}

std::vector<CalibratedTensor> TensorsFromJson(const std::string& text) {
  std::vector<CalibratedTensor> tensors;
  for (const json& item : json::parse(text)) {
    const bool half = item.at("half").get<bool>();
    tensors.push_back({item.at("name"),
                       half ? FloatType::kFloat16 : FloatType::kFloat,
                       item.value("channels", size_t{1}),
                       item.value("means", false),
                       {}});
    if (!item.contains("derived")) continue;
    const json& derived = item.at("derived");
    Derivation& derivation = tensors.back().derived.emplace();
    derivation.tensor = derived.at("tensor").get<size_t>();
    derivation.clip.low = derived.value("low", derivation.clip.low);
    derivation.clip.high = derived.value("high", derivation.clip.high);
  }
  return tensors;
}

std::vector<int64_t> DimsFromJson(const std::string& text) {
  return json::parse(text).get<std::vector<int64_t>>();
}

std::vector<std::string> NamesFromJson(const std::string& text) {
  return json::parse(text).get<std::vector<std::string>>();
}

std::map<std::string, ObservedType> TypesFromJson(const std::string& text) {
  std::map<std::string, ObservedType> types;
  const json parsed = json::parse(text);
  for (const auto& [name, item] : parsed.items()) {
    for (int32_t type = 1; onnx::TensorProto_DataType_IsValid(type); ++type) {
      if (TypeName(type) == item.at(0).get_ref<const std::string&>()) {
        types[name] = {type, item.at(1).get<int64_t>()};
      }
    }
  }
  return types;
}

std::map<std::string, int64_t> SizesFromJson(const std::string& text) {
  return json::parse(text).get<std::map<std::string, int64_t>>();
}

std::map<std::string, std::vector<int64_t>> ShapesFromJson(const std::string& text) {
  return json::parse(text).get<std::map<std::string, std::vector<int64_t>>>();
}

std::string ToJson(const PlanReport& report) {
  auto [quantized, left_float] = NodeListsJson(report.nodes);
  return Dump({{"nodesQuantized", std::move(quantized)},
               {"nodesLeftFloat", std::move(left_float)},
               {"weights", WeightsJson(report.weights)},
               {"givenWeights", report.given_weights},
               {"integerWeights", report.integer_weights},
               {"bytes", report.bytes},
               {"opset", report.opset},
               {"withRanges", report.with_ranges},
               {"diagnostics", DiagnosticsJson(report.diagnostics)}});
}

std::string ToJson(const QuantizeReport& report) {
  auto [quantized, left_float] = NodeListsJson(report.nodes);
  json tensors = json::array();
  for (const TensorPlan& tensor : report.tensors) {
    json item = {
        {"name", tensor.tensor},
        {"kind", tensor.role == TensorRole::kActivation ? "activation" : "weight"},
        {"quantType", QuantTypeName(tensor.params.type)},
        {"scale", tensor.params.scales.empty() ? 1.0f : tensor.params.scales[0]},
        {"zeroPoint", tensor.params.zero_points.empty() ? 0 : tensor.params.zero_points[0]}};
    if (tensor.params.axis) item["axis"] = *tensor.params.axis;
    if (tensor.has_range) {
      item["lowest"] = tensor.range.lowest;
      item["highest"] = tensor.range.highest;
    }
    tensors.push_back(std::move(item));
  }
  return Dump({{"nodesQuantized", std::move(quantized)},
               {"nodesLeftFloat", std::move(left_float)},
               {"weights", WeightsJson(report.weights)},
               {"tensors", std::move(tensors)},
               {"opset", report.opset},
               {"bytesWritten", report.bytes_written},
               {"repaired",
                {{"equalized", report.repaired.equalized},
                 {"corrected", report.repaired.corrected},
                 {"smoothed", report.repaired.smoothed},
                 {"rounded", report.repaired.rounded}}},
               {"diagnostics", DiagnosticsJson(report.diagnostics)}});
}

std::string ToJson(const TensorRanges& ranges) {
  json object = json::object();
  for (const auto& [tensor, range] : ranges) {
    json& item = object[tensor] = RangeToJson(range);
    if (!range.deviation) continue;
    item.push_back(*range.deviation);
    item.push_back(range.mean);
  }
  return Dump(object);
}

std::string ToJson(const std::map<std::string, ChannelRange>& ranges) {
  json object = json::object();
  for (const auto& [tensor, range] : ranges) object[tensor] = {range.lowest, range.highest};
  return Dump(object);
}

std::string ToJson(const std::vector<Unit>& units) {
  json list = json::array();
  for (const Unit& unit : units) {
    list.push_back(
        {{"nodes", unit.nodes}, {"products", unit.products}, {"weightBytes", unit.weight_bytes}});
  }
  return Dump(list);
}

Repairs RepairsFromJson(const std::string& text) {
  const json given = json::parse(text);
  Repairs repairs;
  repairs.layer_io = given.at("layerIo").get<bool>();
  repairs.equalize = given.at("equalize").get<bool>();
  repairs.correct_biases = given.at("correctBiases").get<bool>();
  repairs.round = given.at("round").get<bool>();
  repairs.smooth = given.at("smooth").get<double>();
  repairs.float_nodes = given.at("floatNodes").get<std::vector<std::string>>();
  repairs.narrowed = !given.value("ranges", json::object()).empty();
  repairs.only = given.value("only", repairs.only);
  return repairs;
}

std::string ToJson(const TensorStatistics& statistics) {
  HexWriter hex;
  json object = json::object();
  for (const auto& [tensor, channels] : statistics) {
    object[tensor] = {{"lowest", {{"hex", hex.Put(channels.lowest)}}},
                      {"highest", {{"hex", hex.Put(channels.highest)}}},
                      {"mean", {{"hex", hex.Put(channels.mean)}}}};
  }
  return hex.Fill(Dump(object));
}

TensorStatistics StatisticsFromJson(const std::string& text) {
  const HexReader hex(text);
  const json object = json::parse(hex.text());
  TensorStatistics statistics;
  for (const auto& [tensor, channels] : object.items()) {
    const auto digits = [&of = channels](const char* key) {
      return of.at(key).at("hex").template get<std::string>();
    };
    statistics.emplace(tensor, ChannelStatistics{hex.Get<float>(digits("lowest")).value(),
                                                 hex.Get<float>(digits("highest")).value(),
                                                 hex.Get<double>(digits("mean")).value()});
  }
  return statistics;
}

TensorRanges RangesFromJson(const std::string& text) {
  const json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    throw Error(ErrorCode::kInvalidRange, "The tensor ranges are not a JSON object.");
  }
  TensorRanges ranges;
  for (const auto& [tensor, ends] : object.items()) {
    try {
      TensorRange range = RangeFromJson(ends);
      if (ends.size() == 4) {
        range.deviation = ends.at(2).get<float>();
        range.mean = ends.at(3).get<float>();
      }
      const bool reversed = range.is_empty() && !ends.is_null();
      if (reversed || (!ends.is_null() && ends.size() != 2 && ends.size() != 4)) {
        throw Error(ErrorCode::kInvalidRange, reversed
                                                  ? "A tensor range ends before it begins."
                                                  : "A tensor range has not two or four numbers.")
            .WithTensor(tensor);
      }
      ranges.emplace(tensor, range);
    } catch (const json::exception&) {
      throw Error(ErrorCode::kInvalidRange,
                  "A tensor range is not two numbers, or four with standard deviation and mean.")
          .WithTensor(tensor);
    }
  }
  return ranges;
}

}  // namespace ptq::binding
