// The one place where option names are read. Unknown keys are errors here too, though the front end
// checks first: a wrong name must never be silently without effect.
#include "quantization/config.h"

#include "base/error.h"
#include "quantization/check_config.h"
#include "quantization/option_json.h"
#include "quantization/option_names.h"
#include "quantization/option_table.h"

namespace ptq {
namespace {

const char kExtraOptions[] = "extra_options";

std::vector<std::string> RowNames(const std::vector<OptionRow>& rows) {
  std::vector<std::string> names;
  for (const OptionRow& row : rows) names.push_back(row.name);
  return names;
}

// Values in the order of the table, unknown names before them.
void ReadParameters(const OptionValue& object, StaticQuantConfig* config) {
  const std::vector<std::string> known = RowNames(Parameters());
  for (const auto& [name, value] : object.items()) CheckKnown("option", name, known);
  for (const OptionRow& row : Parameters()) {
    const auto given = object.find(row.name);
    if (given != object.end() && !given->is_null()) row.read(row.name, *given, config);
  }
}

// One after another in the order given.
void ReadExtraOptions(const OptionValue& object, StaticQuantConfig* config) {
  const std::vector<std::string> known = RowNames(ExtraOptions());
  for (const auto& [name, value] : object.items()) {
    CheckKnown("extra option", name, known);
    if (value.is_null()) continue;
    const auto index = std::find(known.begin(), known.end(), name) - known.begin();
    const OptionRow& row = ExtraOptions()[static_cast<size_t>(index)];
    row.read(name, value, config);
    CheckHeeded(row, *config);
  }
}

}  // namespace

StaticQuantConfig ParseConfig(const std::string& text) {
  const auto object = OptionValue::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    throw Error(ErrorCode::kInvalidOption, "the configuration is not a JSON object");
  }
  StaticQuantConfig config;
  ReadParameters(object, &config);
  CheckTypes(config);
  const auto extra = object.find(kExtraOptions);
  if (extra != object.end() && !extra->is_null()) ReadExtraOptions(*extra, &config);
  CheckCombination(config);
  return config;
}

std::string OptionDefaultsJson() {
  const StaticQuantConfig defaults;
  OptionValue parameters = OptionValue::object(), extra = OptionValue::object();
  for (const OptionRow& row : Parameters()) parameters[row.name] = row.write(defaults);
  for (const OptionRow& row : ExtraOptions()) {
    OptionValue& option = extra[row.name] = {{"default", row.write(defaults)}};
    if (row.format) option["format"] = Name(*row.format);
    for (const CalibrationMethod method : row.methods) option["methods"].push_back(Name(method));
  }
  return OptionValue{{"parameters", parameters}, {kExtraOptions, extra}}.dump();
}

}  // namespace ptq
