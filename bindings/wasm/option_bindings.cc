// optionDefaults(), checkOptions() and checkOverrides() of bindings/js/wasm/ptq_core.d.mts: the
// rules about options that need no model.
#include <emscripten/bind.h>

#include <string>

#include "passes/optimize_model.h"
#include "quantization/config.h"
#include "quantization/option_names.h"
#include "quantization/option_value.h"
#include "throw_error.h"

namespace ptq::binding {
namespace {

void CheckOptions(const std::string& options) {
  OrThrowToJs([&] { CheckPassNames(ParseConfig(options).disabled_passes); });
}

// `activation_type`: "" where it is not known.
void CheckOverrides(const std::string& overrides, const std::string& activation_type) {
  OrThrowToJs([&] {
    if (!activation_type.empty()) CheckKnown("activation_type", activation_type, QuantTypeNames());
    TensorOverridesFromJson(overrides, QuantTypeFromName(activation_type));
  });
}

}  // namespace

EMSCRIPTEN_BINDINGS(ptq_options) {
  emscripten::function("optionDefaults", &OptionDefaultsJson);
  emscripten::function("checkOptions", &CheckOptions);
  emscripten::function("checkOverrides", &CheckOverrides);
}

}  // namespace ptq::binding
