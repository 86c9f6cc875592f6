// TensorQuantOverrides: what the user decides about single tensors, in place of what the options
// and the observed values would give (onnxruntime.quantization, TensorQuantOverridesHelper).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/error.h"
#include "quantization/option_value.h"
#include "quantization/quant_type.h"

namespace ptq {

// One dictionary: what it leaves out is decided as for every other tensor. Scale and zero point
// come together, and without the four below them.
struct ParameterOverride {
  std::optional<QuantType> quant_type;
  std::optional<double> scale;
  std::optional<int64_t> zero_point;
  std::optional<bool> symmetric;
  std::optional<bool> reduce_range;  // initializers only
  std::optional<double> rmin;
  std::optional<double> rmax;
  std::optional<int64_t> axis;  // as given: TensorOverride::axis, perhaps from the other end
};

// The tensor is quantized a second time, to another type, for some of its readers.
struct ConvertOverride {
  ParameterOverride parameters;                               // quant_type is set
  std::optional<std::unordered_set<std::string>> recv_nodes;  // names; nullopt: all readers
};

struct TensorOverride {
  std::optional<int64_t> axis;              // set: per channel; an initializer then
  std::vector<ParameterOverride> channels;  // one, which holds for all channels, or one a channel
  std::optional<ConvertOverride> convert;   // activations only

  const ParameterOverride& first() const { return channels.front(); }
  const ParameterOverride& channel(size_t index) const {
    return channels.size() == 1 ? channels.front() : channels[index];
  }
  bool has_scale() const { return first().scale.has_value(); }
};

class TensorOverrides {
 public:
  // An override without channels is none: only the name of the tensor is kept.
  void Add(const std::string& tensor, TensorOverride override);

  // The override of `tensor`, or null.
  const TensorOverride* Find(const std::string& tensor) const;

  // Every tensor that was named, in the order given.
  const std::vector<std::string>& tensors() const { return tensors_; }

  auto begin() const { return by_tensor_.begin(); }
  auto end() const { return by_tensor_.end(); }

 private:
  std::vector<std::string> tensors_;
  std::unordered_map<std::string, TensorOverride> by_tensor_;
};

// Reads {"tensor": [{"quant_type": "QUInt16", …}, …]}; a key that is null is left out.
// `activation_type` is what an activation has without an override, nullopt where that is not known.
// Throws kInvalidOption for what is malformed in itself, naming the tensor.
TensorOverrides ParseTensorOverrides(const OptionValue& object,
                                     std::optional<QuantType> activation_type);

// The same from text.
TensorOverrides TensorOverridesFromJson(const std::string& json,
                                        std::optional<QuantType> activation_type);

// kInvalidOption for the override of `tensor`: what all messages about one have in common.
Error InvalidOverride(const std::string& tensor, const std::string& what,
                      const std::string& hint = "");

// Throws kInvalidOption where the zero point, if any, is no value of `type`.
void CheckZeroPoint(const std::string& tensor, const ParameterOverride& parameters, QuantType type);

// All types that are asked for, in the order given; `convert` after what it converts.
std::vector<QuantType> OverriddenTypes(const TensorOverrides& overrides);

// The first tensor with a `convert`, or null.
const std::string* ConvertedTensor(const TensorOverrides& overrides);

}  // namespace ptq
