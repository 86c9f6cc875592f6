// Questions that all patterns ask of a graph. A match collects the nodes that it walks over;
// whether nothing else reads what is between them is checked once, at the end (find_patterns.cc).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/graph_view.h"
#include "model/model.h"
#include "patterns/pattern.h"

namespace ptq {

// What several factors come to: `number` * x^`power`.
struct Product {
  double number = 1;
  int power = 0;
  std::vector<int> nodes;
};

// A node that gives `number` * `factor` * the tensor that a search began with.
struct ScaledProduct {
  std::string factor;
  std::vector<int> nodes;  // the last of them makes the product
};

class Matcher {
 public:
  Matcher(const Model& model, const GraphView& view, const GraphView& types)
      : model_(model), view_(view), types_(types) {}

  const Model& model() const { return model_; }
  const GraphView& view() const { return view_; }
  const GraphView& types() const { return types_; }
  const onnx::NodeProto& node(int index) const { return view_.node(index); }

  // The node of that op type that makes `tensor`, or -1.
  int MakerOf(const std::string& tensor, std::string_view op_type) const;
  // The only node that reads `tensor` where it is of that op type, or -1.
  int ReaderOf(const std::string& tensor, std::string_view op_type) const;
  // The operand of a node of two inputs that is not `tensor`; empty where both are or neither is.
  std::string Other(int node, const std::string& tensor) const;

  const onnx::TensorProto* Constant(const std::string& tensor) const;
  // A constant of one element that leaves the shape of its other operand, `beside`, alone.
  std::optional<double> Number(const std::string& tensor, const std::string& beside) const;
  bool IsNumber(const std::string& tensor, const std::string& beside, double value) const;
  // The tensor beside a number in a commutative node (Add, Mul); empty where there is none.
  std::string BesideNumber(int node, double value) const;

  // `tensor` as number * x^power, through Mul, Div and Pow; nothing where it has another factor.
  std::optional<Product> AsProduct(const std::string& tensor, const std::string& x) const;
  // The products number * factor * `tensor` that the nodes behind `tensor` form, in whatever order:
  // two where what looks like the factor may be a product itself.
  std::vector<ScaledProduct> ProductsWith(const std::string& tensor, double number) const;

  // Dimensions, -1 where one is not known; nullopt where the rank is not.
  std::optional<std::vector<int64_t>> Shape(const std::string& tensor) const;

 private:
  bool Multiply(const std::string& tensor, const std::string& x, int sign, int depth,
                Product* product) const;

  const Model& model_;
  const GraphView& view_;
  const GraphView& types_;
};

// Whether two numbers are the same up to the rounding of a float.
bool IsNear(double a, double b);

// One file each. `anchor` is any node; nothing where it is not the heart of the pattern.
std::optional<Pattern> MatchNormalization(const Matcher& matcher, int anchor);
std::optional<Pattern> MatchGelu(const Matcher& matcher, int anchor);
std::optional<Pattern> MatchSwish(const Matcher& matcher, int anchor);
std::optional<Pattern> MatchHardSwish(const Matcher& matcher, int anchor);
std::optional<Pattern> MatchLpNormalization(const Matcher& matcher, int anchor);

}  // namespace ptq
