// passes() of bindings/js/wasm/ptq_core.d.mts: the passes of optimize_model, for docs/preparing.md.
#include <emscripten/bind.h>

#include <nlohmann/json.hpp>
#include <string>

#include "passes/pass_registry.h"

namespace {

std::string Passes() {
  nlohmann::json rows = nlohmann::json::array();
  for (const ptq::Pass& pass : ptq::OptimizePasses()) {
    rows.push_back({{"name", pass.name}, {"description", pass.description}});
  }
  return rows.dump();
}

}  // namespace

EMSCRIPTEN_BINDINGS(ptq_passes) { emscripten::function("passes", &Passes); }
