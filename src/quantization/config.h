// Every parameter of quantize_static that the core acts on, under the reference's meaning. The
// names in JSON (option_table.cc) are the reference's own.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "model/graph_view.h"
#include "quantization/quant_type.h"
#include "quantization/tensor_overrides.h"

namespace ptq {

// How a tensor range is taken from the observed values.
enum class CalibrationMethod {
  kMinMax,        // lowest and highest value
  kEntropy,       // the clip that changes the distribution least
  kPercentile,    // what holds a share of the values
  kDistribution,  // mirrored about 0, with mean and standard deviation
  kMse,           // the clip with the least expected quantization error
  kAuto,          // per tensor the best of the others
};

// What is done beyond the reference for a model that computes what the float model does.
enum class Effort {
  kNone,    // nothing: the reference's result
  kFast,    // repairs from statistics of the calibration (src/repair)
  kNormal,  // as fast here; the host goes on to search for what must stay float
  kMax,     // the same, for as long as it is given
};

struct StaticQuantConfig {
  QuantFormat quant_format = QuantFormat::kQOperator;
  std::unordered_set<std::string> op_types_to_quantize;  // empty: all of OpRegistry()
  bool per_channel = false;
  bool reduce_range = false;
  QuantType activation_type = QuantType::kUInt8;
  QuantType weight_type = QuantType::kUInt8;
  std::unordered_set<std::string> nodes_to_quantize;  // empty: all
  std::unordered_set<std::string> nodes_to_exclude;
  bool optimize_model = true;
  std::unordered_set<std::string> disabled_passes;  // of optimize_model
  int64_t target_opset = 0;                         // 0: as low as the output can have it
  std::map<std::string, int64_t> fix_dim;           // dimensions of inputs, by name
  Effort effort = Effort::kNone;
  CalibrationMethod calibrate_method = CalibrationMethod::kMinMax;

  // extra_options, both formats
  bool activation_symmetric = false;
  std::optional<bool> weight_symmetric;  // nullopt: signed types symmetric, unsigned not
  bool activation_restricted_asymmetric = false;
  std::optional<double> minimum_real_range;
  bool force_quantize_no_input_check = false;
  bool matmul_const_b_only = false;
  std::optional<bool> calib_tensor_range_symmetric;  // nullopt: of Percentile, not of the others
  double calib_percentile = 99.999;                  // Percentile only, 0 to 100
  bool only_percentile = false;       // no other range is made from what is collected for it
  int64_t num_bins = 0;               // of Entropy, Percentile, Distribution; 0: 2048
  int64_t num_quantized_bins = 128;   // Entropy only
  bool cube_root_scenario = false;    // "scenario": "p3", Distribution only
  bool calib_moving_average = false;  // these four: MinMax only
  double calib_moving_average_constant = 0.01;
  bool calib_per_channel = false;     // ranges by channel, for files only: activations have one
  int64_t calib_strided_min_max = 0;  // samples a stride; 0: no strides
  bool sigmoid_nnapi = false;
  bool enable_subgraph = false;
  int32_t default_tensor_type = 0;  // onnx::TensorProto type of tensors of unknown type; 0: none
  TensorOverrides tensor_overrides;

  // extra_options, QDQ only
  bool add_qdq_pair_to_weight = false;
  bool dedicated_qdq_pair = false;
  bool quantize_bias = true;
  bool use_qdq_contrib_ops = false;
  bool qdq_keep_removable_activations = false;
  bool qdq_disable_weight_adjust_for_int32_bias = false;
  std::unordered_set<std::string> op_types_to_exclude_output_quantization;
  std::map<std::string, int64_t> qdq_op_type_per_channel_support_to_axis;
  int64_t block_size = 0;  // values a block of a weight; 0: no blocks

  // No options: what a repair asks of the plan.
  bool bias_room = false;  // biases leave two bits of int32 to the sums that are added to them
  bool layer_io = false;   // only linear layers are quantized: see layer_io.h
  std::unordered_set<std::string> left_float;  // by NodeLabel: see left_float.h
  std::unordered_set<std::string> only;        // by NodeLabel: nothing else is; empty: all

  bool WeightSymmetric(QuantType type) const { return weight_symmetric.value_or(IsSigned(type)); }
  bool RangeSymmetric() const {
    return calib_tensor_range_symmetric.value_or(calibrate_method ==
                                                 CalibrationMethod::kPercentile);
  }
  Bodies bodies() const { return enable_subgraph ? Bodies::kInside : Bodies::kOutside; }
  // The override of `tensor`, or null.
  const TensorOverride* Override(const std::string& tensor) const {
    return tensor_overrides.Find(tensor);
  }
  // Whether weights, activations or overridden tensors are of a type that `matches`.
  template <typename Predicate>
  bool AnyType(Predicate matches) const {
    const std::vector<QuantType> overridden = OverriddenTypes(tensor_overrides);
    return matches(activation_type) || matches(weight_type) ||
           std::any_of(overridden.begin(), overridden.end(), matches);
  }
};

// Reads the JSON object of docs/options.md ({"quant_format": "QDQ", …, "extra_options": {…}}); what
// is left out or null is at its default. Checks all that is known without the model: names, values,
// combinations, the form of tensor overrides. An option that the format or the method does not heed
// is fine at its default. Throws kInvalidOption (unknown key or value) and kUnsupportedOption
// (refused combinations).
StaticQuantConfig ParseConfig(const std::string& json);

// JSON of all options that ParseConfig knows: {"parameters": {name: default}, "extra_options":
// {name: {"default", "format"?: "QDQ", "methods"?: ["MinMax", …]}}}. null: not set. `format` and
// `methods`: those alone heed it.
std::string OptionDefaultsJson();

}  // namespace ptq
