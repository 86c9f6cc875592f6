// operators() of bindings/js/wasm/ptq_core.d.mts: the operator table, for docs/operators.md.
#include <emscripten/bind.h>

#include <nlohmann/json.hpp>
#include <string>

#include "ops/op_registry.h"

namespace {

std::string Operators() {
  nlohmann::json rows = nlohmann::json::array();
  for (const ptq::OpRow& row : ptq::OpRegistry()) {
    rows.push_back({{"opType", row.op_type},
                    {"byDefault", row.selection == ptq::Selection::kByDefault},
                    {"minOpset", row.min_opset},
                    {"qdq", ptq::Describe(row.qdq)},
                    {"qOperator", ptq::Describe(row.qoperator)}});
  }
  return rows.dump();
}

}  // namespace

EMSCRIPTEN_BINDINGS(ptq_operators) { emscripten::function("operators", &Operators); }
