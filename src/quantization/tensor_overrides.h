// TensorQuantOverrides: what the user decides about single tensors, in place of what the options
// and the observed values would give (onnxruntime.quantization, tensor_quant_overrides.py).
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "model/graph_view.h"
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

using TensorOverrides = std::unordered_map<std::string, TensorOverride>;

// Reads {"tensor": [{"quant_type": "QUInt16", …}, …]}. Throws kInvalidOption for what is malformed
// in itself, naming the tensor. An empty list is no override.
TensorOverrides ParseTensorOverrides(const nlohmann::json& object);

// Checks them against the model: every tensor exists, an axis is one of its axes, the number of
// dictionaries fits, `convert` goes to another type. Throws kInvalidOption.
void CheckTensorOverrides(const TensorOverrides& overrides, const GraphView& view,
                          QuantType activation_type);

// Whether a type that `matches` is asked for anywhere.
template <typename Predicate>
bool AnyOverriddenType(const TensorOverrides& overrides, Predicate matches) {
  for (const auto& [tensor, override] : overrides) {
    const auto& own = override.first().quant_type;
    if (own && matches(*own)) return true;
    if (override.convert && matches(*override.convert->parameters.quant_type)) return true;
  }
  return false;
}

}  // namespace ptq
