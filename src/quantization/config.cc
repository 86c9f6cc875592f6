// The one place where option names are read. Unknown keys are errors here too, though the front end
// checks first: a wrong name must never be silently without effect.
#include "quantization/config.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/near_matches.h"
#include "onnx/defs/schema.h"
#include "ops/op_registry.h"

namespace ptq {
namespace {

using nlohmann::json;
using Setter = std::function<void(StaticQuantConfig*, const json&)>;

template <typename Value>
Value Get(const json& value) {
  return value.get<Value>();
}

std::unordered_set<std::string> Names(const json& value) {
  const auto list = value.get<std::vector<std::string>>();
  return {list.begin(), list.end()};
}

QuantType Type(const json& value) {
  const auto name = value.get<std::string>();
  if (const std::optional<QuantType> type = QuantTypeFromName(name)) return *type;
  throw Error(ErrorCode::kInvalidOption, "There is no quantization type '" + name + "'.")
      .WithHint("Use QInt8, QUInt8, QInt16, QUInt16, QInt4, QUInt4 or QFLOAT8E4M3FN.");
}

QuantFormat Format(const json& value) {
  const auto name = value.get<std::string>();
  if (name == "QDQ") return QuantFormat::kQDQ;
  if (name == "QOperator") return QuantFormat::kQOperator;
  throw Error(ErrorCode::kInvalidOption, "quant_format is '" + name + "'.")
      .WithHint("Use QOperator or QDQ.");
}

CalibrationMethod Method(const json& value) {
  const auto name = value.get<std::string>();
  if (name == "MinMax") return CalibrationMethod::kMinMax;
  if (name == "Entropy") return CalibrationMethod::kEntropy;
  if (name == "Percentile") return CalibrationMethod::kPercentile;
  if (name == "Distribution") return CalibrationMethod::kDistribution;
  if (name == "MSE") return CalibrationMethod::kMse;
  if (name == "auto") return CalibrationMethod::kAuto;
  throw Error(ErrorCode::kInvalidOption, "There is no calibrate_method '" + name + "'.")
      .WithHint("Use MinMax, Entropy, Percentile, Distribution, MSE or auto.");
}

bool IsCubeRoot(const json& value) {
  const auto name = value.get<std::string>();
  if (name == "same" || name == "p3") return name == "p3";
  throw Error(ErrorCode::kInvalidOption, "scenario is '" + name + "'.").WithHint("Use same or p3.");
}

template <typename Member>
Setter Into(Member member) {
  return [member](StaticQuantConfig* config, const json& value) {
    config->*member = value.get<std::remove_reference_t<decltype(config->*member)>>();
  };
}

template <typename Member>
Setter NamesInto(Member member) {
  return [member](StaticQuantConfig* config, const json& value) { config->*member = Names(value); };
}

template <typename Member>
Setter OptionalInto(Member member) {
  return [member](StaticQuantConfig* config, const json& value) {
    using Optional = std::remove_reference_t<decltype(config->*member)>;
    if (!value.is_null()) config->*member = value.get<typename Optional::value_type>();
  };
}

using C = StaticQuantConfig;

const std::map<std::string, Setter>& Parameters() {
  static const auto* const kParameters = new std::map<std::string, Setter>{
      {"quant_format", [](C* c, const json& v) { c->quant_format = Format(v); }},
      {"op_types_to_quantize", NamesInto(&C::op_types_to_quantize)},
      {"per_channel", Into(&C::per_channel)},
      {"reduce_range", Into(&C::reduce_range)},
      {"activation_type", [](C* c, const json& v) { c->activation_type = Type(v); }},
      {"weight_type", [](C* c, const json& v) { c->weight_type = Type(v); }},
      {"nodes_to_quantize", NamesInto(&C::nodes_to_quantize)},
      {"nodes_to_exclude", NamesInto(&C::nodes_to_exclude)},
      {"optimize_model", Into(&C::optimize_model)},
      {"calibrate_method", [](C* c, const json& v) { c->calibrate_method = Method(v); }},
      {"calib_per_channel", Into(&C::calib_per_channel)},
  };
  return *kParameters;
}

const std::map<std::string, Setter>& ExtraOptions() {
  static const auto* const kOptions = new std::map<std::string, Setter>{
      {"ActivationSymmetric", Into(&C::activation_symmetric)},
      {"WeightSymmetric", OptionalInto(&C::weight_symmetric)},
      {"ActivationRestrictedAsymmetric", Into(&C::activation_restricted_asymmetric)},
      {"MinimumRealRange", OptionalInto(&C::minimum_real_range)},
      {"ForceQuantizeNoInputCheck", Into(&C::force_quantize_no_input_check)},
      {"MatMulConstBOnly", Into(&C::matmul_const_b_only)},
      {"CalibTensorRangeSymmetric", OptionalInto(&C::calib_tensor_range_symmetric)},
      {"CalibPercentile", Into(&C::calib_percentile)},
      {"num_bins", Into(&C::num_bins)},
      {"num_quantized_bins", Into(&C::num_quantized_bins)},
      {"CalibMovingAverage", Into(&C::calib_moving_average)},
      {"CalibMovingAverageConstant", Into(&C::calib_moving_average_constant)},
      {"CalibStridedMinMax",
       [](C* c, const json& v) {
         if (!v.is_null()) c->calib_strided_min_max = v.get<int64_t>();
       }},
      {"CalibMaxIntermediateOutputs", [](C*, const json&) {}},  // nothing is kept: always within it
      {"scenario", [](C* c, const json& v) { c->cube_root_scenario = IsCubeRoot(v); }},
      {"extra.Sigmoid.nnapi", Into(&C::sigmoid_nnapi)},
      {"EnableSubgraph", Into(&C::enable_subgraph)},
      {"DefaultTensorType",
       [](C* c, const json& v) {
         if (!v.is_null()) c->default_tensor_type = v.get<int32_t>();
       }},
      {"TensorQuantOverrides",
       [](C* c, const json& v) { c->tensor_overrides = ParseTensorOverrides(v); }},
      {"BlockSize", Into(&C::block_size)},
      {"AddQDQPairToWeight", Into(&C::add_qdq_pair_to_weight)},
      {"DedicatedQDQPair", Into(&C::dedicated_qdq_pair)},
      {"QuantizeBias", Into(&C::quantize_bias)},
      {"UseQDQContribOps", Into(&C::use_qdq_contrib_ops)},
      {"QDQKeepRemovableActivations", Into(&C::qdq_keep_removable_activations)},
      {"QDQDisableWeightAdjustForInt32Bias", Into(&C::qdq_disable_weight_adjust_for_int32_bias)},
      {"OpTypesToExcludeOutputQuantization",
       NamesInto(&C::op_types_to_exclude_output_quantization)},
      {"QDQOpTypePerChannelSupportToAxis", Into(&C::qdq_op_type_per_channel_support_to_axis)},
  };
  return *kOptions;
}

void Apply(const json& object, const std::map<std::string, Setter>& setters, const char* what,
           StaticQuantConfig* config) {
  for (const auto& [key, value] : object.items()) {
    const auto setter = setters.find(key);
    if (setter == setters.end()) {
      std::vector<std::string> names;
      for (const auto& [name, unused] : setters) names.push_back(name);
      throw Error(ErrorCode::kInvalidOption, std::string("Unknown ") + what + " '" + key + "'.")
          .WithHint(DidYouMean(NearMatches(key, names)));
    }
    try {
      setter->second(config, value);
    } catch (const json::exception&) {
      throw Error(ErrorCode::kInvalidOption,
                  std::string(what) + " '" + key + "' cannot be " + value.dump() + ".");
    }
  }
}

[[noreturn]] void RefuseFormat(const std::string& option, const char* format) {
  throw Error(ErrorCode::kUnsupportedOption,
              "Option " + option + " has no effect in the " + format + " format.")
      .WithHint("Leave it out, or choose the other quant_format.");
}

[[noreturn]] void Refuse(const std::string& what, const std::string& hint) {
  throw Error(ErrorCode::kUnsupportedOption, what).WithHint(hint);
}

void CheckTypes(const StaticQuantConfig& config) {
  if (config.activation_type == QuantType::kInt8 && config.weight_type == QuantType::kUInt8) {
    Refuse("QInt8 activations with QUInt8 weights are not supported by any runtime.",
           "Use QInt8 weights.");
  }
  if (IsFloat8(config.activation_type) != IsFloat8(config.weight_type)) {
    Refuse("QFLOAT8E4M3FN is for activations and weights together.",
           "Give activation_type and weight_type the same type.");
  }
  if (config.quant_format == QuantFormat::kQOperator &&
      config.AnyType([](QuantType type) { return Bits(type) != 8 || IsFloat8(type); })) {
    Refuse("The QOperator format has 8-bit integers only.", "Use quant_format QDQ.");
  }
  if (IsFloat8(config.weight_type) && config.reduce_range) {
    Refuse("reduce_range has no effect on QFLOAT8E4M3FN.", "Leave it out.");
  }
}

void CheckQdq(const StaticQuantConfig& config) {
  const bool has_float8 = config.AnyType(IsFloat8);
  if (config.block_size < 0) {
    throw Error(ErrorCode::kInvalidOption, "BlockSize is negative.")
        .WithHint("Give the number of values in a block, or 0 for no blocks.");
  }
  if (config.block_size > 0 && has_float8) {
    Refuse("BlockSize has no effect on QFLOAT8E4M3FN.", "Leave it out, or use an integer type.");
  }
  if (config.use_qdq_contrib_ops && (config.block_size > 0 || has_float8)) {
    Refuse(std::string("com.microsoft's QuantizeLinear has no ") +
               (has_float8 ? "float8 type." : "blocks."),
           "Leave UseQDQContribOps out: the opset is raised to what ONNX's own needs.");
  }
  if (!config.dedicated_qdq_pair) return;
  for (const auto& [tensor, override] : config.tensor_overrides) {
    if (!override.convert) continue;
    throw Error(ErrorCode::kUnsupportedOption,
                "DedicatedQDQPair and `convert` in TensorQuantOverrides exclude each other.")
        .WithTensor(tensor)
        .WithHint("Leave one of them out.");
  }
}

// An option that only some methods heed.
void RefuseUnless(bool heeded, bool given, const char* option, const char* methods) {
  if (heeded || !given) return;
  Refuse(std::string(option) + " has no effect with this calibrate_method.",
         std::string("Leave it out, or use calibrate_method ") + methods + ".");
}

void CheckNumbers(const StaticQuantConfig& config) {
  const auto check = [](bool good, const char* what, const char* hint) {
    if (!good) throw Error(ErrorCode::kInvalidOption, what).WithHint(hint);
  };
  const double constant = config.calib_moving_average_constant;
  check(constant >= 0 && constant <= 1, "CalibMovingAverageConstant is not in [0, 1].",
        "0.01 is usual.");
  check(config.calib_strided_min_max >= 0, "CalibStridedMinMax is negative.",
        "It is a number of samples.");
  const double percentile = config.calib_percentile;
  check(percentile >= 0 && percentile <= 100, "CalibPercentile is not in [0, 100].",
        "99.999 is usual.");
  constexpr int64_t kMostBins = int64_t{1} << 20;
  check(config.num_bins >= 0 && config.num_bins <= kMostBins, "num_bins is not in [1, 1048576].",
        "2048 is usual.");
  check(config.num_quantized_bins >= 1 && config.num_quantized_bins <= kMostBins,
        "num_quantized_bins is not in [1, 1048576].", "128 is usual.");
  const bool distribution = config.calibrate_method == CalibrationMethod::kDistribution;
  check(!distribution || config.num_bins == 0 || config.num_bins >= 512,
        "num_bins is less than 512, which Distribution needs.", "2048 is usual.");
}

void CheckCalibration(const StaticQuantConfig& config) {
  using Method = CalibrationMethod;
  const Method method = config.calibrate_method;
  if (config.AnyType(IsFloat8) && method != Method::kDistribution) {
    Refuse("QFLOAT8E4M3FN needs a standard deviation, which Distribution alone gives.",
           "Use calibrate_method Distribution.");
  }
  if (config.calib_per_channel && config.enable_subgraph) {
    Refuse("Tensors in bodies have no ranges by channel.", "Leave EnableSubgraph out.");
  }
  RefuseUnless(method == Method::kMinMax, config.calib_per_channel, "calib_per_channel", "MinMax");
  if (method != Method::kMinMax && config.enable_subgraph) {
    Refuse("Tensors in bodies are observed by MinMax only.",
           "Leave EnableSubgraph out, or use calibrate_method MinMax.");
  }
  CheckNumbers(config);
  const bool strides = config.calib_moving_average || config.calib_strided_min_max > 0;
  RefuseUnless(method == Method::kMinMax, strides, "CalibMovingAverage or CalibStridedMinMax",
               "MinMax");
  RefuseUnless(method == Method::kDistribution, config.cube_root_scenario, "scenario p3",
               "Distribution");
  RefuseUnless(method == Method::kPercentile, config.calib_percentile != 99.999, "CalibPercentile",
               "Percentile");
  RefuseUnless(method == Method::kEntropy, config.num_quantized_bins != 128, "num_quantized_bins",
               "Entropy");
  RefuseUnless(method == Method::kEntropy || method == Method::kPercentile ||
                   method == Method::kDistribution,
               config.num_bins != 0, "num_bins", "Entropy, Percentile or Distribution");
}

void CheckCombination(const StaticQuantConfig& config) {
  CheckTypes(config);
  CheckCalibration(config);
  if (config.quant_format == QuantFormat::kQDQ) {
    CheckQdq(config);
    return;
  }
  const std::pair<const char*, bool> qdq_only[] = {
      {"AddQDQPairToWeight", config.add_qdq_pair_to_weight},
      {"DedicatedQDQPair", config.dedicated_qdq_pair},
      {"QuantizeBias", !config.quantize_bias},
      {"UseQDQContribOps", config.use_qdq_contrib_ops},
      {"QDQKeepRemovableActivations", config.qdq_keep_removable_activations},
      {"QDQDisableWeightAdjustForInt32Bias", config.qdq_disable_weight_adjust_for_int32_bias},
      {"OpTypesToExcludeOutputQuantization",
       !config.op_types_to_exclude_output_quantization.empty()},
      {"QDQOpTypePerChannelSupportToAxis", !config.qdq_op_type_per_channel_support_to_axis.empty()},
      {"BlockSize", config.block_size != 0},
  };
  for (const auto& [name, is_set] : qdq_only) {
    if (is_set) RefuseFormat(name, "QOperator");
  }
  for (const auto& [tensor, override] : config.tensor_overrides) {
    if (override.convert) RefuseFormat("`convert` in TensorQuantOverrides", "QOperator");
  }
}

void CheckNodeNames(const char* option, const std::unordered_set<std::string>& names,
                    const std::vector<std::string>& known) {
  const std::unordered_set<std::string> in_model(known.begin(), known.end());
  for (const std::string& name : names) {
    if (in_model.contains(name)) continue;
    throw Error(ErrorCode::kInvalidOption,
                std::string(option) + ": the model has no node named '" + name + "'.")
        .WithNode(name)
        .WithHint(DidYouMean(NearMatches(name, known)));
  }
}

void CollectNodeNames(const onnx::GraphProto& graph, std::vector<std::string>* names) {
  for (const onnx::NodeProto& node : graph.node()) {
    if (!node.name().empty()) names->push_back(node.name());
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      if (attribute.has_g()) CollectNodeNames(attribute.g(), names);
      for (const onnx::GraphProto& body : attribute.graphs()) CollectNodeNames(body, names);
    }
  }
}

void CheckOpTypes(const char* option, const std::unordered_set<std::string>& op_types,
                  const Model& model) {
  std::unordered_set<std::string> in_model;
  for (const onnx::NodeProto& node : model.graph().node()) in_model.insert(node.op_type());
  for (const std::string& op_type : op_types) {
    if (FindOp(op_type) != nullptr || in_model.contains(op_type)) continue;
    if (onnx::OpSchemaRegistry::Schema(op_type, "") != nullptr) continue;
    std::vector<std::string> known(in_model.begin(), in_model.end());
    for (const onnx::OpSchema& schema : onnx::OpSchemaRegistry::get_all_schemas()) {
      known.push_back(schema.Name());
    }
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    throw Error(ErrorCode::kInvalidOption,
                std::string(option) + ": there is no op type '" + op_type + "'.")
        .WithHint(DidYouMean(NearMatches(op_type, known)));
  }
}

}  // namespace

StaticQuantConfig ParseConfig(const std::string& text) {
  json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    throw Error(ErrorCode::kInvalidOption, "The configuration is not a JSON object.");
  }
  StaticQuantConfig config;
  const json extra = object.value("extra_options", json::object());
  object.erase("extra_options");
  Apply(object, Parameters(), "parameter", &config);
  Apply(extra, ExtraOptions(), "extra option", &config);
  CheckCombination(config);
  return config;
}

void CheckConfig(const StaticQuantConfig& config, const Model& model) {
  std::vector<std::string> nodes;
  CollectNodeNames(model.graph(), &nodes);
  CheckNodeNames("nodes_to_quantize", config.nodes_to_quantize, nodes);
  CheckNodeNames("nodes_to_exclude", config.nodes_to_exclude, nodes);
  CheckOpTypes("op_types_to_quantize", config.op_types_to_quantize, model);
  CheckOpTypes("OpTypesToExcludeOutputQuantization", config.op_types_to_exclude_output_quantization,
               model);
  CheckTensorOverrides(config.tensor_overrides, GraphView(model.graph(), Bodies::kInside),
                       config.activation_type);
}

}  // namespace ptq
