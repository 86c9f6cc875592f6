// HardSwish: y = x * Clip(x + 3, 0, 6) / 6, or y = x * HardSigmoid(x) with alpha 1/6 and beta 0.5.
// Without the division it is a pattern without a node of its own.
#include "model/attributes.h"
#include "model/node_builder.h"
#include "model/node_queries.h"
#include "patterns/matcher.h"

namespace ptq {
namespace {

bool ClipsToSix(const Matcher& m, const onnx::NodeProto& node) {
  if (FindAttribute(node, "min") != nullptr || FindAttribute(node, "max") != nullptr) {
    return FloatAttribute(node, "min", -1) == 0 && FloatAttribute(node, "max", -1) == 6;
  }
  return HasInput(node, 1) && HasInput(node, 2) && m.Number(node.input(1), node.input(0)) == 0.0 &&
         m.Number(node.input(2), node.input(0)) == 6.0;
}

}  // namespace

std::optional<Pattern> MatchHardSwish(const Matcher& m, int anchor) {
  const onnx::NodeProto& node = m.node(anchor);
  std::string argument;  // what must be x
  std::vector<int> nodes = {anchor};
  double number = 1;
  if (IsOp(node, "HardSigmoid")) {
    if (!IsNear(FloatAttribute(node, "alpha", 0.2f), 1.0f / 6) ||
        FloatAttribute(node, "beta", 0.5f) != 0.5f) {
      return std::nullopt;
    }
    argument = node.input(0);
  } else if (IsOp(node, "Clip") && ClipsToSix(m, node)) {
    const int add = m.MakerOf(node.input(0), "Add");
    argument = add < 0 ? "" : m.BesideNumber(add, 3);
    if (argument.empty()) return std::nullopt;
    nodes.push_back(add);
    number = 1.0 / 6;
  } else {
    return std::nullopt;
  }
  for (const double factor : {number, 1.0}) {  // 1: the sixth went into the linear layer behind
    for (const ScaledProduct& product : m.ProductsWith(node.output(0), factor)) {
      if (product.factor != argument) continue;
      Pattern pattern{"HardSwish", 14, nodes, {}};
      pattern.nodes.insert(pattern.nodes.end(), product.nodes.begin(), product.nodes.end());
      if (factor != number) return pattern;
      pattern.node =
          MakeNode("HardSwish", {argument}, {m.node(product.nodes.back()).output(0)}, "");
      return pattern;
    }
  }
  return std::nullopt;
}

}  // namespace ptq
