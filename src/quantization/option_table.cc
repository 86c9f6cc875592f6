#include "quantization/option_table.h"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "quantization/option_json.h"
#include "quantization/option_names.h"

namespace ptq {
namespace {

using C = StaticQuantConfig;
using Names = std::vector<std::string>;

template <typename Value>
OptionValue Written(const Value& value) {
  return value;
}
template <typename Value>
OptionValue Written(const std::optional<Value>& value) {
  return value ? OptionValue(*value) : OptionValue(nullptr);
}

// A member that is what `kRead` makes of the value.
template <auto kMember, auto kRead>
OptionRow Row(const char* name) {
  return {name,
          [](const std::string& label, const OptionValue& value, C* config) {
            config->*kMember = kRead(label, value);
          },
          [](const C& config) { return Written(config.*kMember); }};
}

template <auto kMember>
OptionRow Boolean(const char* name) {
  return Row<kMember, ReadBoolean>(name);
}

template <auto kMember>
OptionRow NameList(const char* name) {
  return Row<kMember, ReadNames>(name);
}

double ReadNotNegative(const std::string& label, const OptionValue& value) {
  return ReadNumber(label, value, 0);
}

template <auto kMember>
OptionRow NotNegative(const char* name) {
  return Row<kMember, ReadNotNegative>(name);
}

int64_t ReadBlockSize(const std::string& label, const OptionValue& value) {
  return ReadInteger(label, value, 0);
}

// A whole number of at least 1; where the member is 0, the option is not set. What is too large
// for the member becomes its largest value.
template <auto kMember>
OptionRow Count(const char* name) {
  return {name,
          [](const std::string& label, const OptionValue& value, C* config) {
            using Value = std::remove_reference_t<decltype(config->*kMember)>;
            const int64_t most = std::numeric_limits<Value>::max();
            config->*kMember = static_cast<Value>(std::min(ReadInteger(label, value, 1), most));
          },
          [](const C& config) {
            return config.*kMember == 0 ? OptionValue(nullptr) : OptionValue(config.*kMember);
          }};
}

QuantType ReadType(const std::string& label, const OptionValue& value) {
  return *QuantTypeFromName(QuantTypeNames()[ReadName(label, value, QuantTypeNames())]);
}

template <auto kMember>
OptionRow Type(const char* name) {
  OptionRow row = Row<kMember, ReadType>(name);
  row.write = [](const C& config) { return OptionValue(Name(config.*kMember)); };
  return row;
}

// One of `kNames`, which are in the order of the enum (or false, true).
template <auto kMember, const Names& (*kNames)()>
OptionRow Enum(const char* name) {
  return {
      name,
      [](const std::string& label, const OptionValue& value, C* config) {
        using Value = std::remove_reference_t<decltype(config->*kMember)>;
        config->*kMember = static_cast<Value>(ReadName(label, value, kNames()));
      },
      [](const C& config) { return OptionValue(kNames()[static_cast<size_t>(config.*kMember)]); }};
}

const Names& Scenarios() {
  static const auto* const kNames = new Names{"same", "p3"};
  return *kNames;
}

// Nothing is kept: however many outputs it allows, that is held to.
OptionRow MaxIntermediateOutputs() {
  return {
      "CalibMaxIntermediateOutputs",
      [](const std::string& label, const OptionValue& value, C*) { ReadInteger(label, value, 1); },
      [](const C&) { return OptionValue(nullptr); }};
}

// Its keys are rows of their own.
OptionRow ExtraOptionsRow() {
  return {"extra_options",
          [](const std::string& label, const OptionValue& value, C*) { CheckObject(label, value); },
          [](const C&) { return OptionValue(OptionValue::value_t::object); }};
}

// As written it has only the names of the tensors.
OptionRow Overrides() {
  return {"TensorQuantOverrides",
          [](const std::string&, const OptionValue& value, C* config) {
            config->tensor_overrides = ParseTensorOverrides(value, config->activation_type);
          },
          [](const C& config) {
            OptionValue object = OptionValue::object();
            for (const std::string& tensor : config.tensor_overrides.tensors()) {
              object[tensor] = OptionValue::array();
            }
            return object;
          }};
}

OptionRow Qdq(OptionRow row) {
  row.format = QuantFormat::kQDQ;
  return row;
}

OptionRow Of(std::vector<CalibrationMethod> methods, OptionRow row) {
  row.methods = std::move(methods);
  return row;
}

}  // namespace

const std::vector<OptionRow>& Parameters() {
  static const auto* const kRows = new std::vector<OptionRow>{
      Enum<&C::quant_format, QuantFormatNames>("quant_format"),
      Type<&C::activation_type>("activation_type"),
      Type<&C::weight_type>("weight_type"),
      Boolean<&C::per_channel>("per_channel"),
      Boolean<&C::reduce_range>("reduce_range"),
      NameList<&C::op_types_to_quantize>("op_types_to_quantize"),
      NameList<&C::nodes_to_quantize>("nodes_to_quantize"),
      NameList<&C::nodes_to_exclude>("nodes_to_exclude"),
      Boolean<&C::optimize_model>("optimize_model"),
      NameList<&C::disabled_passes>("disabled_passes"),
      Count<&C::target_opset>("target_opset"),
      Row<&C::fix_dim, ReadAxes>("fix_dim"),
      Enum<&C::effort, EffortNames>("effort"),
      Enum<&C::calibrate_method, CalibrationMethodNames>("calibrate_method"),
      ExtraOptionsRow(),
      Of({CalibrationMethod::kMinMax}, Boolean<&C::calib_per_channel>("calib_per_channel")),
      Of({CalibrationMethod::kPercentile}, Boolean<&C::only_percentile>("only_percentile")),
  };
  return *kRows;
}

const std::vector<OptionRow>& ExtraOptions() {
  using M = CalibrationMethod;
  static const auto* const kRows = new std::vector<OptionRow>{
      Boolean<&C::activation_symmetric>("ActivationSymmetric"),
      Boolean<&C::weight_symmetric>("WeightSymmetric"),
      Boolean<&C::activation_restricted_asymmetric>("ActivationRestrictedAsymmetric"),
      NotNegative<&C::minimum_real_range>("MinimumRealRange"),
      Overrides(),
      Boolean<&C::force_quantize_no_input_check>("ForceQuantizeNoInputCheck"),
      Boolean<&C::matmul_const_b_only>("MatMulConstBOnly"),
      Boolean<&C::enable_subgraph>("EnableSubgraph"),
      Boolean<&C::sigmoid_nnapi>("extra.Sigmoid.nnapi"),
      Count<&C::default_tensor_type>("DefaultTensorType"),
      Boolean<&C::calib_tensor_range_symmetric>("CalibTensorRangeSymmetric"),
      Of({M::kMinMax}, Boolean<&C::calib_moving_average>("CalibMovingAverage")),
      Of({M::kMinMax},
         NotNegative<&C::calib_moving_average_constant>("CalibMovingAverageConstant")),
      MaxIntermediateOutputs(),
      Of({M::kMinMax}, Count<&C::calib_strided_min_max>("CalibStridedMinMax")),
      Of({M::kDistribution}, Enum<&C::cube_root_scenario, Scenarios>("scenario")),
      Of({M::kPercentile}, NotNegative<&C::calib_percentile>("CalibPercentile")),
      Of({M::kEntropy, M::kPercentile, M::kDistribution}, Count<&C::num_bins>("num_bins")),
      Of({M::kEntropy}, Count<&C::num_quantized_bins>("num_quantized_bins")),
      Qdq(Boolean<&C::add_qdq_pair_to_weight>("AddQDQPairToWeight")),
      Qdq(NameList<&C::op_types_to_exclude_output_quantization>(
          "OpTypesToExcludeOutputQuantization")),
      Qdq(Boolean<&C::dedicated_qdq_pair>("DedicatedQDQPair")),
      Qdq(Row<&C::qdq_op_type_per_channel_support_to_axis, ReadAxes>(
          "QDQOpTypePerChannelSupportToAxis")),
      Qdq(Boolean<&C::quantize_bias>("QuantizeBias")),
      Qdq(Boolean<&C::use_qdq_contrib_ops>("UseQDQContribOps")),
      Qdq(Boolean<&C::qdq_keep_removable_activations>("QDQKeepRemovableActivations")),
      Qdq(Boolean<&C::qdq_disable_weight_adjust_for_int32_bias>(
          "QDQDisableWeightAdjustForInt32Bias")),
      Qdq(Row<&C::block_size, ReadBlockSize>("BlockSize")),
  };
  return *kRows;
}

bool IsChanged(const OptionRow& row, const StaticQuantConfig& config) {
  return row.write(config) != row.write(StaticQuantConfig{});
}

}  // namespace ptq
