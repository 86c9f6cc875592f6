// Swish (SiLU): y = x * Sigmoid(alpha * x)
#include "model/attributes.h"
#include "model/node_builder.h"
#include "model/node_queries.h"
#include "patterns/matcher.h"

namespace ptq {

std::optional<Pattern> MatchSwish(const Matcher& m, int anchor) {
  const onnx::NodeProto& node = m.node(anchor);
  if (!IsOp(node, "Sigmoid")) return std::nullopt;
  for (const ScaledProduct& product : m.ProductsWith(node.output(0), 1)) {
    const std::string& x = product.factor;
    const std::optional<Product> argument = m.AsProduct(node.input(0), x);
    if (!argument || argument->power != 1) continue;
    Pattern pattern{"Swish", 24, product.nodes, {}};
    pattern.nodes.push_back(anchor);
    pattern.nodes.insert(pattern.nodes.end(), argument->nodes.begin(), argument->nodes.end());
    pattern.node = MakeNode("Swish", {x}, {m.node(product.nodes.back()).output(0)}, "");
    if (argument->number != 1) {
      SetAttribute(&*pattern.node, "alpha", static_cast<float>(argument->number));
    }
    return pattern;
  }
  return std::nullopt;
}

}  // namespace ptq
