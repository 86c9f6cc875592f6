#include "quantization/tensor_overrides.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/near_matches.h"

namespace ptq {
namespace {

using nlohmann::json;

[[noreturn]] void Refuse(const std::string& tensor, const std::string& what,
                         const std::string& hint = "") {
  throw Error(ErrorCode::kInvalidOption, "TensorQuantOverrides of '" + tensor + "': " + what + ".")
      .WithTensor(tensor)
      .WithHint(hint);
}

// The members of one dictionary, by key.
class Dictionary {
 public:
  Dictionary(const std::string& tensor, const json& object, std::vector<std::string> keys)
      : tensor_(tensor), object_(object) {
    if (!object.is_object()) Refuse(tensor, "expected a list of objects");
    for (const auto& [key, value] : object.items()) {
      if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
      Refuse(tensor, "unknown key '" + key + "'", DidYouMean(NearMatches(key, keys)));
    }
  }

  bool Has(const char* key) const { return object_.contains(key) && !object_.at(key).is_null(); }

  std::optional<double> Number(const char* key) const {
    if (!Has(key)) return std::nullopt;
    if (!object_.at(key).is_number()) Wrong(key, "a number");
    return object_.at(key).get<double>();
  }

  std::optional<int64_t> Integer(const char* key) const {
    const std::optional<double> number = Number(key);
    if (!number) return std::nullopt;
    if (std::nearbyint(*number) != *number || std::abs(*number) > 0x1p31) {
      Wrong(key, "a whole number");
    }
    return static_cast<int64_t>(*number);
  }

  std::optional<bool> Boolean(const char* key) const {
    if (!Has(key)) return std::nullopt;
    if (!object_.at(key).is_boolean()) Wrong(key, "true or false");
    return object_.at(key).get<bool>();
  }

  std::optional<QuantType> Type(const char* key) const {
    if (!Has(key)) return std::nullopt;
    const json& value = object_.at(key);
    const std::optional<QuantType> type =
        value.is_string() ? QuantTypeFromName(value.get<std::string>()) : std::nullopt;
    if (!type) Wrong(key, "a quantization type such as \"QUInt16\"");
    return type;
  }

  const json& operator[](const char* key) const { return object_.at(key); }

 private:
  [[noreturn]] void Wrong(const char* key, const char* expected) const {
    Refuse(tensor_, std::string(key) + " is " + object_.at(key).dump() + ", expected " + expected);
  }

  const std::string& tensor_;
  const json& object_;
};

const std::vector<std::string> kParameterKeys = {"quant_type",   "scale", "zero_point", "symmetric",
                                                 "reduce_range", "rmin",  "rmax"};

std::vector<std::string> KeysAnd(std::initializer_list<const char*> more) {
  std::vector<std::string> keys = kParameterKeys;
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}

ParameterOverride ParseParameters(const std::string& tensor, const Dictionary& from) {
  ParameterOverride result{from.Type("quant_type"),      from.Number("scale"),
                           from.Integer("zero_point"),   from.Boolean("symmetric"),
                           from.Boolean("reduce_range"), from.Number("rmin"),
                           from.Number("rmax")};
  if (result.scale.has_value() != result.zero_point.has_value()) {
    Refuse(tensor, "Must provide both 'scale' and 'zero_point', or neither");
  }
  for (const std::string key : {"symmetric", "reduce_range", "rmin", "rmax"}) {
    if (!result.scale || !from.Has(key.c_str())) continue;
    Refuse(tensor, "option(s) [" + key + "] are invalid with 'scale' and 'zero_point'",
           "Leave them out, or leave out scale and zero_point.");
  }
  if (result.scale && (!std::isfinite(*result.scale) || *result.scale <= 0)) {
    Refuse(tensor, "scale is not a positive number");
  }
  if (result.rmin && result.rmax && *result.rmin > *result.rmax) {
    Refuse(tensor, "rmin is greater than rmax");
  }
  return result;
}

ConvertOverride ParseConvert(const std::string& tensor, const json& object) {
  const Dictionary from(tensor, object, KeysAnd({"recv_nodes"}));
  ConvertOverride convert{ParseParameters(tensor, from), std::nullopt};
  if (!convert.parameters.quant_type) Refuse(tensor, "convert has no quant_type");
  if (convert.parameters.reduce_range) {
    Refuse(tensor, "reduce_range is for initializers only, not for convert");
  }
  if (from.Has("recv_nodes")) {
    const json& names = from["recv_nodes"];
    const bool strings =
        names.is_array() &&
        std::all_of(names.begin(), names.end(), [](const json& n) { return n.is_string(); });
    if (!strings) Refuse(tensor, "recv_nodes is not a list of node names");
    convert.recv_nodes.emplace(names.begin(), names.end());
  }
  return convert;
}

// What all channels must have in common, and what all or none must have.
void CheckChannels(const std::string& tensor, const TensorOverride& override) {
  const ParameterOverride& first = override.first();
  const auto differs = [](const auto& one, const auto& all) { return one && one != all; };
  for (const ParameterOverride& channel : override.channels) {
    if (channel.rmin.has_value() != channel.rmax.has_value()) {
      Refuse(tensor, "per channel, rmin and rmax come together", "Give both, or neither.");
    }
    if (differs(channel.quant_type, first.quant_type) ||
        differs(channel.symmetric, first.symmetric) ||
        differs(channel.reduce_range, first.reduce_range)) {
      Refuse(tensor, "quant_type, symmetric and reduce_range are the same for all channels",
             "Give them in the first dictionary.");
    }
    if (channel.scale.has_value() != first.scale.has_value() ||
        channel.rmin.has_value() != first.rmin.has_value()) {
      Refuse(tensor, "scale and zero_point, rmin and rmax are given for all channels or for none");
    }
  }
}

TensorOverride ParseOne(const std::string& tensor, const json& list) {
  TensorOverride override;
  for (const json& object : list) {
    const Dictionary from(tensor, object, KeysAnd({"axis", "convert"}));
    const std::optional<int64_t> axis = from.Integer("axis");
    if (override.channels.empty()) {
      override.axis = axis;
    } else if (axis && axis != override.axis) {
      Refuse(tensor, "axis is the same for all channels", "Give it in the first dictionary.");
    }
    if (from.Has("convert")) {
      if (list.size() > 1 || override.axis) {
        Refuse(tensor, "convert is for activations, which are quantized per tensor");
      }
      override.convert = ParseConvert(tensor, from["convert"]);
    }
    override.channels.push_back(ParseParameters(tensor, from));
  }
  if (override.channels.size() > 1 && !override.axis) {
    Refuse(tensor, "a list of several dictionaries needs an axis in the first one");
  }
  if (override.axis) CheckChannels(tensor, override);
  return override;
}

void CheckZeroPoint(const std::string& tensor, const ParameterOverride& parameters,
                    QuantType type) {
  if (!parameters.zero_point) return;
  const IntegerRange range = FullRange(type);
  if (IsFloat8(type) ? *parameters.zero_point != 0
                     : *parameters.zero_point < range.min || *parameters.zero_point > range.max) {
    Refuse(tensor, "zero_point " + std::to_string(*parameters.zero_point) + " is no value of " +
                       std::string(QuantTypeName(type)));
  }
}

}  // namespace

TensorOverrides ParseTensorOverrides(const json& object) {
  if (!object.is_object()) {
    throw Error(ErrorCode::kInvalidOption,
                "TensorQuantOverrides is not an object of lists by tensor name.");
  }
  TensorOverrides overrides;
  for (const auto& [tensor, list] : object.items()) {
    if (!list.is_array()) Refuse(tensor, "expected a list of objects");
    if (!list.empty()) overrides.emplace(tensor, ParseOne(tensor, list));
  }
  return overrides;
}

void CheckTensorOverrides(const TensorOverrides& overrides, const GraphView& view,
                          QuantType activation_type) {
  for (const auto& [tensor, override] : overrides) {
    const onnx::TensorProto* initializer = view.Initializer(tensor);
    const bool exists =
        initializer != nullptr || view.IsGraphInput(tensor) || view.Producer(tensor) >= 0;
    if (!exists) {
      Refuse(tensor, "the tensor is not present in the model",
             DidYouMean(NearMatches(tensor, view.TensorNames())));
    }
    if (initializer == nullptr && override.axis) {
      Refuse(tensor, "an axis is for initializers, and this is an activation");
    }
    if (initializer == nullptr && override.first().reduce_range) {
      Refuse(tensor, "reduce_range is for initializers, and this is an activation");
    }
    if (initializer != nullptr && override.convert) {
      Refuse(tensor, "convert is for activations, and this is an initializer");
    }
    if (override.axis) {
      const int64_t rank = initializer->dims_size();
      if (*override.axis < -rank || *override.axis >= rank) {
        Refuse(tensor, "axis " + std::to_string(*override.axis) + " is out of bounds for rank " +
                           std::to_string(rank));
      }
      const int64_t axis = *override.axis < 0 ? *override.axis + rank : *override.axis;
      const int64_t channels = initializer->dims(static_cast<int>(axis));
      const auto given = static_cast<int64_t>(override.channels.size());
      if (given != 1 && given != channels) {
        Refuse(
            tensor,
            std::to_string(given) + " dictionaries for " + std::to_string(channels) + " channels",
            "Give one for all channels, or one a channel.");
      }
    }
    if (override.convert) {
      const QuantType from = override.first().quant_type.value_or(activation_type);
      if (*override.convert->parameters.quant_type == from) {
        Refuse(tensor, "convert goes to the type that the tensor has already");
      }
      CheckZeroPoint(tensor, override.convert->parameters,
                     *override.convert->parameters.quant_type);
    }
    if (override.first().quant_type || initializer == nullptr) {
      const QuantType type = override.first().quant_type.value_or(activation_type);
      for (const ParameterOverride& channel : override.channels) {
        CheckZeroPoint(tensor, channel, type);
      }
    }
  }
}

}  // namespace ptq
