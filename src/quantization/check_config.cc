#include "quantization/check_config.h"

#include <algorithm>

#include "base/error.h"
#include "quantization/option_names.h"

namespace ptq {
namespace {

[[noreturn]] void Refuse(const Text& what, const Text& hint) {
  throw Error(ErrorCode::kUnsupportedOption, what).WithHint(hint);
}

std::string MethodList(const std::vector<CalibrationMethod>& methods) {
  std::vector<std::string> names;
  for (const CalibrationMethod method : methods) names.push_back(Name(method));
  return Joined(names, " or ");
}

bool Heeds(CalibrationMethod method, const OptionRow& row) {
  return row.methods.empty() ||
         std::find(row.methods.begin(), row.methods.end(), method) != row.methods.end();
}

// An option that the method of `config` does not heed.
void CheckMethod(const std::string& what, const OptionRow& row, const StaticQuantConfig& config) {
  if (Heeds(config.calibrate_method, row) || !IsChanged(row, config)) return;
  Refuse(Text() + what + row.name + " has no effect with calibrate_method " +
             Name(config.calibrate_method),
         "leave it out, or use calibrate_method " + MethodList(row.methods));
}

// `where`: "" or what follows the message in parentheses.
void RefuseNarrowOrWide(const std::vector<QuantType>& types, const std::string& where) {
  for (const QuantType type : types) {
    if (Bits(type) == 8) continue;
    Refuse(Text() + Name(type) +
               " with quant_format QOperator: the quantized operators take 8 bits only" + where,
           "use quant_format QDQ");
  }
}

void RefuseFloat8WithoutDistribution(const StaticQuantConfig& config, const std::string& where) {
  if (config.calibrate_method == CalibrationMethod::kDistribution) return;
  Refuse(Text("QFLOAT8E4M3FN does not go with calibrate_method ") + Name(config.calibrate_method) +
             where,
         "its scales come from the distribution of the values: use calibrate_method Distribution");
}

const char kInOverrides[] = " (TensorQuantOverrides)";

void CheckOverrides(const StaticQuantConfig& config) {
  const std::string* converted = ConvertedTensor(config.tensor_overrides);
  const std::string convert =
      "\"convert\" in TensorQuantOverrides (tensor \"" + (converted ? *converted : "") + "\")";
  if (converted != nullptr && config.dedicated_qdq_pair) {
    Refuse(Text("DedicatedQDQPair with ") + convert, "leave one of them out");
  }
  if (config.quant_format != QuantFormat::kQOperator) return;
  RefuseNarrowOrWide(OverriddenTypes(config.tensor_overrides), kInOverrides);
  if (converted != nullptr) {
    Refuse(Text() + convert + " has no effect with quant_format QOperator", "use quant_format QDQ");
  }
}

void CheckFloat8(const StaticQuantConfig& config) {
  if (!config.AnyType(IsFloat8)) return;
  if (config.quant_format == QuantFormat::kQOperator) {
    Refuse("QFLOAT8E4M3FN with quant_format QOperator: the quantized operators take integers only",
           "use quant_format QDQ");
  }
  if (IsFloat8(config.weight_type) && config.reduce_range) {
    Refuse("reduce_range has no effect on QFLOAT8E4M3FN", "leave it out");
  }
  RefuseFloat8WithoutDistribution(config, kInOverrides);
  if (config.block_size > 0) {
    Refuse("extra option BlockSize has no effect on QFLOAT8E4M3FN",
           "leave it out, or use an integer type");
  }
}

void CheckEffort(const StaticQuantConfig& config) {
  if (config.effort == Effort::kNone) return;
  if (config.calib_per_channel) {
    Refuse("calib_per_channel with effort, which observes channels of its own",
           "leave one of them out");
  }
  if (config.enable_subgraph) {
    Refuse("EnableSubgraph with effort: layers in bodies are not observed by channel",
           "leave EnableSubgraph out, or use effort none");
  }
}

void CheckBodies(const StaticQuantConfig& config) {
  if (!config.enable_subgraph) return;
  if (config.calib_per_channel) {
    Refuse("tensors in bodies have no ranges by channel", "leave EnableSubgraph out");
  }
  if (config.calibrate_method != CalibrationMethod::kMinMax) {
    Refuse("tensors in bodies are observed by MinMax only",
           "leave EnableSubgraph out, or use calibrate_method MinMax");
  }
}

// Above what option_table.cc refuses.
void CheckNumbers(const StaticQuantConfig& config) {
  const auto check = [](bool good, const char* what, const char* hint) {
    if (!good) throw Error(ErrorCode::kInvalidOption, what).WithHint(hint);
  };
  check(config.calib_moving_average_constant <= 1,
        "CalibMovingAverageConstant: expected a number from 0 to 1", "0.01 is usual");
  check(config.calib_percentile <= 100, "CalibPercentile: expected a number from 0 to 100",
        "99.999 is usual");
  constexpr int64_t kMostBins = int64_t{1} << 20;
  check(config.num_bins <= kMostBins, "num_bins: expected a whole number from 1 to 1048576",
        "2048 is usual");
  check(config.num_quantized_bins <= kMostBins,
        "num_quantized_bins: expected a whole number from 1 to 1048576", "128 is usual");
  const bool distribution = config.calibrate_method == CalibrationMethod::kDistribution;
  check(!distribution || config.num_bins == 0 || config.num_bins >= 512,
        "num_bins: Distribution needs at least 512", "2048 is usual");
}

void CheckPasses(const StaticQuantConfig& config) {
  if (config.optimize_model || config.disabled_passes.empty()) return;
  Refuse("disabled_passes has no effect with optimize_model false", "leave one of them out");
}

void CheckContribOps(const StaticQuantConfig& config) {
  const bool has_float8 = config.AnyType(IsFloat8);
  if (!config.use_qdq_contrib_ops || (config.block_size == 0 && !has_float8)) return;
  Refuse(Text("com.microsoft's QuantizeLinear has no ") + (has_float8 ? "float8 type" : "blocks"),
         "leave UseQDQContribOps out: the opset is raised to what ONNX's own needs");
}

}  // namespace

void CheckTypes(const StaticQuantConfig& config) {
  const QuantType activation = config.activation_type, weight = config.weight_type;
  if (activation == QuantType::kInt8 && weight == QuantType::kUInt8) {
    Refuse("QInt8 activations with QUInt8 weights are supported by no runtime",
           "use weight_type QInt8");
  }
  if (IsFloat8(activation) != IsFloat8(weight)) {
    Refuse(Text("activations of ") + Name(activation) + " with weights of " + Name(weight) +
               " are supported by no runtime",
           "use QFLOAT8E4M3FN for both activation_type and weight_type, or for neither");
  }
  if (IsFloat8(weight)) RefuseFloat8WithoutDistribution(config, "");
  if (config.quant_format == QuantFormat::kQOperator) RefuseNarrowOrWide({activation, weight}, "");
}

void CheckHeeded(const OptionRow& row, const StaticQuantConfig& config) {
  if (row.format && *row.format != config.quant_format && IsChanged(row, config)) {
    Refuse(Text("extra option ") + row.name + " has no effect with quant_format " +
               Name(config.quant_format),
           "leave it out, or use quant_format " + Name(*row.format));
  }
  CheckMethod("extra option ", row, config);
}

void CheckCombination(const StaticQuantConfig& config) {
  CheckOverrides(config);
  CheckFloat8(config);
  CheckBodies(config);
  CheckEffort(config);
  for (const OptionRow& row : Parameters()) CheckMethod("", row, config);
  CheckNumbers(config);
  CheckContribOps(config);
  CheckPasses(config);
}

}  // namespace ptq
