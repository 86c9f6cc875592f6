// Gelu, exact and by tanh.
//
//   none: y = 0.5 * x * (1 + Erf(x / sqrt(2)))
//   tanh: y = 0.5 * x * (1 + Tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))
//
// with the factors in any order; also sqrt(2 / pi) * x * (1 + 0.044715 * x^2) inside. Where the
// half is missing it is a pattern without a node of its own.
#include <numbers>

#include "model/attributes.h"
#include "model/node_builder.h"
#include "model/node_queries.h"
#include "patterns/matcher.h"

namespace ptq {
namespace {

constexpr double kCubic = 0.044715;
const double kSqrtTwoOverPi = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;

bool TakeProduct(const std::optional<Product>& product, double number, int power,
                 std::vector<int>* nodes) {
  if (!product || product->power != power || !IsNear(product->number, number)) return false;
  nodes->insert(nodes->end(), product->nodes.begin(), product->nodes.end());
  return true;
}

// `sum` = x^first + 0.044715 * x^(first + 2)
bool IsCubicSum(const Matcher& m, const std::string& sum, const std::string& x, int first,
                std::vector<int>* nodes) {
  const int add = m.MakerOf(sum, "Add");
  if (add < 0) return false;
  for (const int low : {0, 1}) {
    std::vector<int> found = {add};
    if (TakeProduct(m.AsProduct(m.node(add).input(low), x), 1, first, &found) &&
        TakeProduct(m.AsProduct(m.node(add).input(1 - low), x), kCubic, first + 2, &found)) {
      nodes->insert(nodes->end(), found.begin(), found.end());
      return true;
    }
  }
  return false;
}

// What Tanh reads, as a product of the sum and the rest.
bool IsTanhArgument(const Matcher& m, const std::string& tensor, const std::string& x,
                    std::vector<int>* nodes) {
  const int multiply = m.MakerOf(tensor, "Mul");
  if (multiply < 0) return false;
  for (const int sum : {0, 1}) {
    const std::string& factor = m.node(multiply).input(sum);
    const std::optional<Product> rest = m.AsProduct(m.node(multiply).input(1 - sum), x);
    if (!rest || (rest->power != 0 && rest->power != 1)) continue;
    std::vector<int> found = {multiply};
    if (TakeProduct(rest, kSqrtTwoOverPi, rest->power, &found) &&
        IsCubicSum(m, factor, x, 1 - rest->power, &found)) {
      nodes->insert(nodes->end(), found.begin(), found.end());
      return true;
    }
    // sqrt(2 / pi) * (x * (1 + …))
    const int inner = rest->power == 0 ? m.MakerOf(factor, "Mul") : -1;
    if (inner < 0 || !IsNear(rest->number, kSqrtTwoOverPi)) continue;
    const std::string other = m.Other(inner, x);
    found = rest->nodes;
    found.push_back(multiply);
    found.push_back(inner);
    if (!other.empty() && IsCubicSum(m, other, x, 0, &found)) {
      nodes->insert(nodes->end(), found.begin(), found.end());
      return true;
    }
  }
  return false;
}

}  // namespace

std::optional<Pattern> MatchGelu(const Matcher& m, int anchor) {
  const onnx::NodeProto& node = m.node(anchor);
  const bool exact = IsOp(node, "Erf");
  if (!exact && !IsOp(node, "Tanh")) return std::nullopt;
  const int add = m.ReaderOf(node.output(0), "Add");
  if (add < 0 || m.BesideNumber(add, 1) != node.output(0)) return std::nullopt;
  const std::string& sum = m.node(add).output(0);
  for (const double half : {0.5, 1.0}) {  // 1: the half went into the linear layer behind
    for (const ScaledProduct& product : m.ProductsWith(sum, half)) {
      const std::string& x = product.factor;
      std::vector<int> nodes = product.nodes;
      nodes.push_back(anchor);
      nodes.push_back(add);
      const bool fits =
          exact ? TakeProduct(m.AsProduct(node.input(0), x), 1 / std::numbers::sqrt2, 1, &nodes)
                : IsTanhArgument(m, node.input(0), x, &nodes);
      if (!fits) continue;
      Pattern pattern{"Gelu", 20, std::move(nodes), {}};
      if (half == 1) return pattern;
      pattern.node = MakeNode("Gelu", {x}, {m.node(product.nodes.back()).output(0)}, "");
      if (!exact) SetAttribute(&*pattern.node, "approximate", std::string("tanh"));
      return pattern;
    }
  }
  return std::nullopt;
}

}  // namespace ptq
