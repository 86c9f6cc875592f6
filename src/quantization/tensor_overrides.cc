#include "quantization/tensor_overrides.h"

#include <algorithm>
#include <cmath>

#include "base/near_matches.h"
#include "quantization/option_json.h"
#include "quantization/option_names.h"

namespace ptq {
namespace {

using Keys = std::vector<std::string>;

// In the order in which messages list them.
const Keys kConvertKeys = {"quant_type", "scale", "zero_point", "symmetric",
                           "rmin",       "rmax",  "recv_nodes"};
const Keys kEntryKeys = {"quant_type", "scale", "zero_point",   "symmetric", "rmin",
                         "rmax",       "axis",  "reduce_range", "convert"};

bool Contains(const Keys& keys, const std::string& key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

// What the value of `key` has to be, or "" where `value` is that.
std::string Expected(const std::string& key, const OptionValue& value) {
  if (key == "quant_type") {
    const bool known = value.is_string() && QuantTypeFromName(value.get<std::string>());
    return known ? "" : "one of " + Joined(QuantTypeNames());
  }
  if (key == "scale" || key == "rmin" || key == "rmax") return value.is_number() ? "" : "a number";
  if (key == "zero_point" || key == "axis") return WholeNumber(value) ? "" : "a whole number";
  if (key == "convert") return value.is_object() ? "" : "an object";
  if (key == "recv_nodes") {
    const auto is_name = [](const OptionValue& item) { return item.is_string(); };
    const bool names = value.is_array() && std::all_of(value.begin(), value.end(), is_name);
    return names ? "" : "a list of names";
  }
  return value.is_boolean() ? "" : "true or false";
}

// One dictionary of `tensor`: `what` is "an entry" or "\"convert\"". Its keys and their values are
// checked when it is made, and which of them go together when they are read.
class Entry {
 public:
  Entry(const std::string& tensor, const std::string& what, const OptionValue& value,
        const Keys& keys)
      : tensor_(tensor), value_(value) {
    if (!value.is_object()) throw InvalidOverride(tensor, what + " is not an object");
    for (const auto& [key, item] : value.items()) {
      if (item.is_null()) continue;
      if (!Contains(keys, key)) FailUnknown(what, key, keys);
      const std::string expected = Expected(key, item);
      if (expected.empty()) continue;
      const bool misspelt = key == "quant_type" && item.is_string();
      std::string message = key;
      message.append(": expected ").append(expected).append(" but received ");
      message.append(JsonText(item));
      throw InvalidOverride(
          tensor, message,
          misspelt ? DidYouMean(NearMatches(item.get<std::string>(), QuantTypeNames())) : "");
    }
    CheckParameters();
  }

  // The value of `key`, or null.
  const OptionValue* Find(const char* key) const {
    const auto found = value_.find(key);
    return found == value_.end() || found->is_null() ? nullptr : &*found;
  }

  ParameterOverride Parameters() const {
    ParameterOverride result;
    if (const auto type = Get<std::string>("quant_type")) {
      result.quant_type = QuantTypeFromName(*type);
    }
    result.scale = Get<double>("scale");
    result.zero_point = Whole("zero_point");
    result.symmetric = Get<bool>("symmetric");
    result.reduce_range = Get<bool>("reduce_range");
    result.rmin = Get<double>("rmin");
    result.rmax = Get<double>("rmax");
    result.axis = Whole("axis");
    return result;
  }

 private:
  template <typename Value>
  std::optional<Value> Get(const char* key) const {
    const OptionValue* value = Find(key);
    return value == nullptr ? std::nullopt : std::optional(value->get<Value>());
  }

  std::optional<int64_t> Whole(const char* key) const {
    const OptionValue* value = Find(key);
    return value == nullptr ? std::nullopt : WholeNumber(*value);
  }

  [[noreturn]] void FailUnknown(const std::string& what, const std::string& key,
                                const Keys& keys) const {
    if (Contains(kEntryKeys, key)) {
      throw InvalidOverride(tensor_, what + " cannot have \"" + key + '"',
                            '"' + key + "\" is for initializers, which are not converted");
    }
    const std::string near = DidYouMean(NearMatches(key, keys));
    throw InvalidOverride(tensor_, what + " has the unknown key \"" + key + '"',
                          near.empty() ? "known are " + Joined(keys) : near);
  }

  void CheckParameters() const {
    const ParameterOverride given = Parameters();
    if (given.scale.has_value() != given.zero_point.has_value()) {
      throw InvalidOverride(tensor_, "Must provide both 'scale' and 'zero_point', or neither");
    }
    if (given.scale) CheckScale(*given.scale);
    if (given.quant_type) CheckZeroPoint(tensor_, given, *given.quant_type);
    if (given.rmin && given.rmax && *given.rmin > *given.rmax) {
      throw InvalidOverride(tensor_, "rmin " + NumberText(*given.rmin) + " is larger than rmax " +
                                         NumberText(*given.rmax));
    }
  }

  void CheckScale(double scale) const {
    Keys clashing;
    for (const char* key : {"symmetric", "reduce_range", "rmin", "rmax"}) {
      if (Find(key) != nullptr) clashing.emplace_back(key);
    }
    if (!clashing.empty()) {
      throw InvalidOverride(
          tensor_, "option(s) [" + Joined(clashing) + "] are invalid with 'scale' and 'zero_point'",
          "scale and zero point say everything: leave the others out");
    }
    if (scale <= 0) {
      throw InvalidOverride(tensor_,
                            "scale: expected more than 0 but received " + NumberText(scale));
    }
  }

  const std::string& tensor_;
  const OptionValue& value_;
};

std::string OfChannel(const char* key, size_t channel) {
  return std::string(key) + " of channel " + std::to_string(channel);
}

// Per channel: what the dictionary of `channel` has to have in common with the first.
void CheckChannel(const std::string& tensor, size_t channel, const ParameterOverride& own,
                  const ParameterOverride& first) {
  const auto check_same = [&](const char* key, const auto& one, const auto& all) {
    if (!one || one == all) return;
    throw InvalidOverride(tensor, OfChannel(key, channel) + " differs from that of channel 0");
  };
  check_same("\"quant_type\"", own.quant_type, first.quant_type);
  check_same("\"symmetric\"", own.symmetric, first.symmetric);
  check_same("\"reduce_range\"", own.reduce_range, first.reduce_range);
  // A negative axis may be the same as a positive one: that depends on the rank.
  if (own.axis && (*own.axis < 0) == (*first.axis < 0)) {
    check_same("\"axis\"", own.axis, first.axis);
  }
  const char* const for_all = "where channel 0 has them, all channels have them";
  if (first.scale && !own.scale) {
    throw InvalidOverride(
        tensor, OfChannel("\"scale\" and \"zero_point\"", channel) + " are missing", for_all);
  }
  if (own.rmin.has_value() != own.rmax.has_value()) {
    throw InvalidOverride(tensor, OfChannel("\"rmin\" or \"rmax\"", channel) + " is missing",
                          "per channel they go together: give both or none");
  }
  if (first.rmin && !own.rmin) {
    throw InvalidOverride(tensor, OfChannel("\"rmin\" and \"rmax\"", channel) + " are missing",
                          for_all);
  }
}

void CheckChannels(const std::string& tensor, const std::vector<Entry>& entries,
                   const TensorOverride& override) {
  if (!override.axis) {
    throw InvalidOverride(tensor,
                          "several objects are one for each channel, but the first has no \"axis\"",
                          "give \"axis\" in the first object");
  }
  for (size_t channel = 0; channel < entries.size(); ++channel) {
    if (entries[channel].Find("convert") != nullptr) {
      throw InvalidOverride(tensor, "\"convert\" together with \"axis\"",
                            "initializers are not converted");
    }
    CheckChannel(tensor, channel, override.channels[channel], override.first());
  }
}

ConvertOverride ParseConvert(const std::string& tensor, const OptionValue& value,
                             std::optional<QuantType> original) {
  const Entry entry(tensor, "\"convert\"", value, kConvertKeys);
  ConvertOverride convert{entry.Parameters(), std::nullopt};
  if (!convert.parameters.quant_type) {
    throw InvalidOverride(tensor, "\"convert\" has no \"quant_type\"",
                          "give the type to convert to");
  }
  if (convert.parameters.quant_type == original) {
    throw InvalidOverride(tensor,
                          "\"convert\" is to " + Name(*original) + ", which the tensor has already",
                          "give another quant_type, or leave \"convert\" out");
  }
  if (const OptionValue* names = entry.Find("recv_nodes")) {
    convert.recv_nodes.emplace(names->begin(), names->end());
  }
  return convert;
}

TensorOverride ParseOne(const std::string& tensor, const OptionValue& list,
                        std::optional<QuantType> activation_type) {
  std::vector<Entry> entries;
  TensorOverride override;
  for (const OptionValue& value : list) {
    entries.emplace_back(tensor, "an entry", value, kEntryKeys);
    override.channels.push_back(entries.back().Parameters());
  }
  if (entries.empty()) return override;
  override.axis = override.first().axis;
  if (entries.size() > 1 || override.axis) {
    CheckChannels(tensor, entries, override);
  } else if (const OptionValue* convert = entries[0].Find("convert")) {
    const std::optional<QuantType> own = override.first().quant_type;
    override.convert = ParseConvert(tensor, *convert, own ? own : activation_type);
  }
  return override;
}

}  // namespace

void TensorOverrides::Add(const std::string& tensor, TensorOverride override) {
  tensors_.push_back(tensor);
  if (!override.channels.empty()) by_tensor_.emplace(tensor, std::move(override));
}

const TensorOverride* TensorOverrides::Find(const std::string& tensor) const {
  const auto found = by_tensor_.find(tensor);
  return found == by_tensor_.end() ? nullptr : &found->second;
}

Error InvalidOverride(const std::string& tensor, const std::string& what, const std::string& hint) {
  return Error(ErrorCode::kInvalidOption,
               Text("TensorQuantOverrides of \"") + tensor + "\": " + what)
      .WithTensor(tensor)
      .WithHint(hint);
}

TensorOverrides ParseTensorOverrides(const OptionValue& object,
                                     std::optional<QuantType> activation_type) {
  if (!object.is_object()) {
    throw Error(ErrorCode::kInvalidOption,
                "TensorQuantOverrides: expected an object of lists by tensor name")
        .WithHint("such as {\"tensor\": [{\"quant_type\": \"QUInt16\"}]}");
  }
  TensorOverrides overrides;
  for (const auto& [tensor, list] : object.items()) {
    if (!list.is_array()) {
      throw InvalidOverride(tensor, "expected a list of objects",
                            "one object is a list of one: [{…}]");
    }
    overrides.Add(tensor, ParseOne(tensor, list, activation_type));
  }
  return overrides;
}

TensorOverrides TensorOverridesFromJson(const std::string& json,
                                        std::optional<QuantType> activation_type) {
  return ParseTensorOverrides(OptionValue::parse(json, nullptr, /*allow_exceptions=*/false),
                              activation_type);
}

void CheckZeroPoint(const std::string& tensor, const ParameterOverride& parameters,
                    QuantType type) {
  if (!parameters.zero_point) return;
  const IntegerRange range = IsFloat8(type) ? IntegerRange{0, 0} : FullRange(type);
  if (*parameters.zero_point >= range.min && *parameters.zero_point <= range.max) return;
  throw InvalidOverride(tensor, "zero_point: " + std::to_string(*parameters.zero_point) +
                                    " is not a " + Name(type) + ", which goes from " +
                                    std::to_string(range.min) + " to " + std::to_string(range.max));
}

std::vector<QuantType> OverriddenTypes(const TensorOverrides& overrides) {
  std::vector<QuantType> types;
  for (const std::string& tensor : overrides.tensors()) {
    const TensorOverride* override = overrides.Find(tensor);
    if (override == nullptr) continue;
    if (const auto& own = override->first().quant_type) types.push_back(*own);
    if (override->convert) types.push_back(*override->convert->parameters.quant_type);
  }
  return types;
}

const std::string* ConvertedTensor(const TensorOverrides& overrides) {
  for (const std::string& tensor : overrides.tensors()) {
    const TensorOverride* override = overrides.Find(tensor);
    if (override != nullptr && override->convert) return &tensor;
  }
  return nullptr;
}

}  // namespace ptq
