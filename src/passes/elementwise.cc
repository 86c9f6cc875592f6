#include "passes/elementwise.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "model/node_queries.h"

namespace ptq {

bool IsElementwise(const onnx::NodeProto& node) {
  static constexpr std::array<std::string_view, 36> kOpTypes = {
      "Abs",  "Add",   "Cast",  "Ceil",    "Clip",        "Cos",       "Div",       "Elu",
      "Erf",  "Exp",   "Floor", "Gelu",    "HardSigmoid", "HardSwish", "LeakyRelu", "Log",
      "Max",  "Mean",  "Min",   "Mish",    "Mul",         "Neg",       "Pow",       "Reciprocal",
      "Relu", "Round", "Selu",  "Sigmoid", "Sign",        "Sin",       "Softplus",  "Softsign",
      "Sqrt", "Sub",   "Sum",   "Tanh"};
  return std::any_of(kOpTypes.begin(), kOpTypes.end(),
                     [&](std::string_view op_type) { return IsOp(node, op_type); });
}

}  // namespace ptq
