// LayerNormalization and RMSNormalization.
//
//   LayerNormalization: d = Sub(x, ReduceMean(x))       RMSNormalization: d = x
//   v = ReduceMean(d * d)   s = Sqrt(v + epsilon)   n = d / s   y = n * scale + bias
//
//   d * d may be Mul(d, d) or Pow(d, 2); d / s may be Div(d, s), Mul(d, Reciprocal(s)),
//   Mul(d, Div(1, s)) or Mul(d, Pow(v + epsilon, -0.5)); d may be computed twice.
//
// Along other than the last axes, without a scale, or with one that is not of the normalized shape,
// it is a pattern without a node of its own.
#include <algorithm>

#include "model/attributes.h"
#include "model/node_builder.h"
#include "model/node_queries.h"
#include "patterns/matcher.h"

namespace ptq {
namespace {

class NormalizationMatch {
 public:
  explicit NormalizationMatch(const Matcher& matcher) : m_(matcher) {}

  // n = numerator / denominator at node `anchor`.
  bool Divides(int anchor, const std::string& numerator, const std::string& inverse, bool divided) {
    nodes_.push_back(anchor);
    return FindVariance(inverse, divided) && FindDeviation(numerator);
  }

  Pattern Take(int anchor);

 private:
  // `tensor` = Sqrt(v + epsilon), or one over it where not `divided`.
  bool FindVariance(const std::string& tensor, bool divided);
  // The numerator is what is squared in the variance.
  bool FindDeviation(const std::string& numerator);
  bool Walk(int node) {
    if (node >= 0) nodes_.push_back(node);
    return node >= 0;
  }
  // The axes of a ReduceMean that keeps them; nullopt where they are not constant.
  std::optional<std::vector<int64_t>> Axes(int node) const;
  // The tensor that `sub` subtracts the mean of from itself, or "".
  std::string Centred(int sub);
  int64_t TrailingAxis() const;

  const Matcher& m_;
  std::vector<int> nodes_;
  std::vector<int64_t> axes_;
  std::string x_, squared_;
  double epsilon_ = 0;
  bool centred_ = false;
};

std::optional<std::vector<int64_t>> NormalizationMatch::Axes(int index) const {
  const onnx::NodeProto& node = m_.node(index);
  if (IntAttribute(node, "keepdims", 1) == 0) return std::nullopt;
  std::vector<int64_t> axes = IntsAttribute(node, "axes");
  if (axes.empty() && HasInput(node, 1)) {
    const onnx::TensorProto* constant = m_.Constant(node.input(1));
    if (constant != nullptr) axes = m_.model().tensors().ReadInts(*constant);
  }
  if (axes.empty()) return std::nullopt;
  if (const auto shape = m_.Shape(node.input(0))) {
    for (int64_t& axis : axes) axis -= axis < 0 ? 0 : static_cast<int64_t>(shape->size());
  }
  std::sort(axes.begin(), axes.end());
  return axes;
}

bool NormalizationMatch::FindVariance(const std::string& tensor, bool divided) {
  std::string root = tensor;
  std::string shifted;  // v + epsilon
  if (!divided) {
    const int inverse = m_.MakerOf(tensor, "Reciprocal");
    const int one_over = m_.MakerOf(tensor, "Div");
    const int power = m_.MakerOf(tensor, "Pow");
    if (inverse >= 0) {
      nodes_.push_back(inverse);
      root = m_.node(inverse).input(0);
    } else if (one_over >= 0) {
      const onnx::NodeProto& node = m_.node(one_over);
      if (!m_.IsNumber(node.input(0), node.input(1), 1)) return false;
      nodes_.push_back(one_over);
      root = node.input(1);
    } else if (power >= 0) {
      const onnx::NodeProto& node = m_.node(power);
      if (!m_.IsNumber(node.input(1), node.input(0), -0.5)) return false;
      nodes_.push_back(power);
      shifted = node.input(0);
    } else {
      return false;
    }
  }
  if (shifted.empty()) {
    if (!Walk(m_.MakerOf(root, "Sqrt"))) return false;
    shifted = m_.node(nodes_.back()).input(0);
  }
  if (!Walk(m_.MakerOf(shifted, "Add"))) return false;
  const onnx::NodeProto& add = m_.node(nodes_.back());
  const std::optional<double> right = m_.Number(add.input(1), add.input(0));
  const std::optional<double> left = m_.Number(add.input(0), add.input(1));
  if (right.has_value() == left.has_value()) return false;
  epsilon_ = right ? *right : *left;
  if (!Walk(m_.MakerOf(add.input(right ? 0 : 1), "ReduceMean"))) return false;
  const std::optional<std::vector<int64_t>> axes = Axes(nodes_.back());
  if (!axes) return false;
  axes_ = *axes;
  const int square = m_.view().Producer(m_.node(nodes_.back()).input(0));
  if (!Walk(square)) return false;
  const onnx::NodeProto& node = m_.node(square);
  if (node.input_size() != 2) return false;
  squared_ = node.input(0);
  return IsOp(node, "Mul") ? node.input(1) == squared_
                           : IsOp(node, "Pow") && m_.IsNumber(node.input(1), squared_, 2);
}

std::string NormalizationMatch::Centred(int sub) {
  const onnx::NodeProto& node = m_.node(sub);
  const int mean = m_.MakerOf(node.input(1), "ReduceMean");
  if (mean < 0 || m_.node(mean).input(0) != node.input(0) || Axes(mean) != axes_) return "";
  nodes_.push_back(mean);
  nodes_.push_back(sub);
  return node.input(0);
}

bool NormalizationMatch::FindDeviation(const std::string& numerator) {
  const int sub = m_.MakerOf(squared_, "Sub");
  x_ = sub < 0 ? "" : Centred(sub);
  centred_ = !x_.empty();
  if (!centred_) {
    x_ = squared_;
    return numerator == x_;
  }
  if (numerator == squared_) return true;
  const int twin = m_.MakerOf(numerator, "Sub");  // some exporters compute d twice
  return twin >= 0 && Centred(twin) == x_;
}

// -n where the axes are the last n ones, else 0.
int64_t NormalizationMatch::TrailingAxis() const {
  const auto count = static_cast<int64_t>(axes_.size());
  for (int64_t i = 0; i < count; ++i) {
    if (axes_[static_cast<size_t>(i)] != i - count) return 0;
  }
  return -count;
}

Pattern NormalizationMatch::Take(int anchor) {
  Pattern pattern;
  pattern.op_type = centred_ ? "LayerNormalization" : "RMSNormalization";
  pattern.min_opset = centred_ ? 17 : 23;
  const auto shape = m_.Shape(x_);
  const int64_t axis = TrailingAxis();
  const bool known = axis < 0 && shape && static_cast<int64_t>(shape->size()) >= -axis;
  // The constant that `node` takes beside `data`, or "".
  const auto constant_beside = [&](int node, const std::string& data) {
    const std::string other = node < 0 ? "" : m_.Other(node, data);
    return !other.empty() && m_.Constant(other) != nullptr ? other : std::string();
  };
  const auto has_normalized_shape = [&](const std::string& constant) {
    const onnx::TensorProto& tensor = *m_.Constant(constant);
    return known && tensor.dims_size() == -axis &&
           std::equal(tensor.dims().begin(), tensor.dims().end(), shape->end() + axis);
  };
  std::string output = m_.node(anchor).output(0);
  std::vector<std::string> inputs = {x_};
  // In half precision the operator computes its mean more exactly than its parts do.
  bool is_one_node = m_.types().ElementType(x_) == onnx::TensorProto::FLOAT;
  const int multiply = m_.ReaderOf(output, "Mul");
  const std::string scale = constant_beside(multiply, output);
  is_one_node = is_one_node && !scale.empty() && has_normalized_shape(scale);
  if (!scale.empty()) {
    nodes_.push_back(multiply);
    inputs.push_back(scale);
    output = m_.node(multiply).output(0);
    const int add = centred_ ? m_.ReaderOf(output, "Add") : -1;
    const std::string bias = constant_beside(add, output);
    if (!bias.empty() && (!is_one_node || has_normalized_shape(bias))) {
      nodes_.push_back(add);
      inputs.push_back(bias);
      output = m_.node(add).output(0);
    }
  }
  if (is_one_node) {
    pattern.node = MakeNode(std::string(pattern.op_type), inputs, {output}, "");
    SetAttribute(&*pattern.node, "axis", axis);
    SetAttribute(&*pattern.node, "epsilon", static_cast<float>(epsilon_));
  }
  pattern.nodes = std::move(nodes_);
  return pattern;
}

}  // namespace

std::optional<Pattern> MatchNormalization(const Matcher& matcher, int anchor) {
  const onnx::NodeProto& node = matcher.node(anchor);
  const bool divides = IsOp(node, "Div");
  if ((!divides && !IsOp(node, "Mul")) || node.input_size() != 2) return std::nullopt;
  for (const int inverse : {1, 0}) {
    NormalizationMatch match(matcher);
    if (match.Divides(anchor, node.input(1 - inverse), node.input(inverse), divides)) {
      return match.Take(anchor);
    }
    if (divides) break;
  }
  return std::nullopt;
}

}  // namespace ptq
