// LpNormalization of the second order, as torch.nn.functional.normalize is exported:
//
//   y = x / Expand(Clip(ReduceL2(x, axis), 1e-12), Shape(x))
//
// without the Expand, or with Max for Clip, too. The operator takes 0 for the quotient where the
// norm is 0, as the pieces do. It has no epsilon: a vector between 0 and 1e-12 is divided by its
// norm instead, so one that is larger, or none, is not this pattern.
#include "model/attributes.h"
#include "model/node_builder.h"
#include "model/node_queries.h"
#include "patterns/matcher.h"

namespace ptq {
namespace {

constexpr double kLargestEpsilon = 1.1e-12;

bool IsEpsilon(std::optional<double> value) {
  return value && *value > 0 && *value <= kLargestEpsilon;
}

// The node that keeps the norm from 0, where it does nothing else; or -1.
int FindFloor(const Matcher& m, const std::string& norm) {
  const int clip = m.ReaderOf(norm, "Clip");
  if (clip >= 0) {
    const onnx::NodeProto& node = m.node(clip);
    if (FindAttribute(node, "max") != nullptr || HasInput(node, 2)) return -1;
    const bool is_floor = HasInput(node, 1) ? IsEpsilon(m.Number(node.input(1), norm))
                                            : IsEpsilon(FloatAttribute(node, "min", 0));
    return is_floor ? clip : -1;
  }
  const int max = m.ReaderOf(norm, "Max");
  if (max < 0 || m.node(max).input_size() != 2) return -1;
  return IsEpsilon(m.Number(m.Other(max, norm), norm)) ? max : -1;
}

// The only axis that is reduced, and kept.
std::optional<int64_t> Axis(const Matcher& m, const onnx::NodeProto& node) {
  if (IntAttribute(node, "keepdims", 1) == 0) return std::nullopt;
  std::vector<int64_t> axes = IntsAttribute(node, "axes");
  if (axes.empty() && HasInput(node, 1)) {
    const onnx::TensorProto* constant = m.Constant(node.input(1));
    if (constant != nullptr) axes = m.model().tensors().ReadInts(*constant);
  }
  return axes.size() == 1 ? std::optional(axes[0]) : std::nullopt;
}

// Whether Expand brings the norm to the shape of x and no other.
bool ExpandsTo(const Matcher& m, const onnx::NodeProto& expand, const std::string& x) {
  const int shape = m.MakerOf(expand.input(1), "Shape");
  if (shape >= 0) {
    const onnx::NodeProto& node = m.node(shape);
    return node.input(0) == x && node.attribute_size() == 0;
  }
  const auto wanted = m.Shape(x);
  return wanted && std::ranges::find(*wanted, -1) == wanted->end() &&
         m.Shape(expand.output(0)) == wanted;
}

}  // namespace

std::optional<Pattern> MatchLpNormalization(const Matcher& m, int anchor) {
  const onnx::NodeProto& reduce = m.node(anchor);
  if (!IsOp(reduce, "ReduceL2") ||
      m.types().ElementType(reduce.input(0)) != onnx::TensorProto::FLOAT)
    return std::nullopt;
  const std::string& x = reduce.input(0);
  const std::optional<int64_t> axis = Axis(m, reduce);
  const int floor = FindFloor(m, reduce.output(0));
  if (!axis || floor < 0) return std::nullopt;
  std::vector<int> nodes = {anchor, floor};
  std::string divisor = m.node(floor).output(0);
  const int expand = m.ReaderOf(divisor, "Expand");
  if (expand >= 0) {
    if (!ExpandsTo(m, m.node(expand), x)) return std::nullopt;
    nodes.push_back(expand);
    divisor = m.node(expand).output(0);
  }
  const int divide = m.ReaderOf(divisor, "Div");
  if (divide < 0 || m.node(divide).input(0) != x) return std::nullopt;
  nodes.push_back(divide);
  Pattern pattern{"LpNormalization", 1, std::move(nodes), {}};
  pattern.node = MakeNode("LpNormalization", {x}, {m.node(divide).output(0)}, "");
  SetAttribute(&*pattern.node, "axis", *axis);
  SetAttribute(&*pattern.node, "p", int64_t{2});
  return pattern;
}

}  // namespace ptq
