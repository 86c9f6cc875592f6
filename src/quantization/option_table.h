// Every option by name: how it is read, what its default is, which format and methods heed it. The
// one table that config.cc reads by; the library's (bindings/js/options) is held to it by
// OptionDefaultsJson.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "quantization/config.h"
#include "quantization/option_value.h"

namespace ptq {

struct OptionRow {
  std::string name;
  // Throws kInvalidOption. `value` is not null.
  void (*read)(const std::string& name, const OptionValue& value, StaticQuantConfig* config);
  // The value in `config`, null where it is not set: what a value is compared to the default by.
  OptionValue (*write)(const StaticQuantConfig& config);
  std::optional<QuantFormat> format = std::nullopt;  // nullopt: both heed it
  std::vector<CalibrationMethod> methods = {};       // empty: all heed it
};

// In the order in which values are checked.
const std::vector<OptionRow>& Parameters();
// The keys of extra_options.
const std::vector<OptionRow>& ExtraOptions();

// Whether the option has another value in `config` than where nothing is given.
bool IsChanged(const OptionRow& row, const StaticQuantConfig& config);

}  // namespace ptq
