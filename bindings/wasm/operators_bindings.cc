// operators() of bindings/js/wasm/ptq_core.d.mts: the operator table, and the op types that are
// tested without a row in it, for docs/operators.md.
#include <emscripten/bind.h>

#include <nlohmann/json.hpp>
#include <string>

#include "ops/op_registry.h"

namespace {

std::string Operators() {
  nlohmann::json rows = nlohmann::json::array();
  const auto add = [&](const ptq::OpRow& row, bool by_default) {
    rows.push_back({{"opType", row.op_type},
                    {"byDefault", by_default},
                    {"minOpset", row.traits.min_opset},
                    {"qdq", ptq::Describe(row.qdq)},
                    {"qOperator", ptq::Describe(row.qoperator)}});
  };
  for (const ptq::OpRow& row : ptq::OpRegistry()) add(row, true);
  for (const std::string_view op_type : ptq::TestedWithoutRow()) {
    add({op_type, ptq::QdqRuleOf(op_type), ptq::QOperatorRule::kNone, {}}, false);
  }
  return rows.dump();
}

}  // namespace

EMSCRIPTEN_BINDINGS(ptq_operators) { emscripten::function("operators", &Operators); }
