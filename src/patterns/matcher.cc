#include "patterns/matcher.h"

#include <cmath>

#include "model/node_queries.h"

namespace ptq {
namespace {

constexpr int kMaxFactors = 6;  // deep enough for all forms of Gelu, and a bound on the work

}  // namespace

bool IsNear(double a, double b) { return std::abs(a - b) <= 1e-6 * std::abs(b); }

int Matcher::MakerOf(const std::string& tensor, std::string_view op_type) const {
  const int maker = view_.Producer(tensor);
  return maker >= 0 && IsOp(node(maker), op_type) && node(maker).output_size() == 1 ? maker : -1;
}

int Matcher::ReaderOf(const std::string& tensor, std::string_view op_type) const {
  const std::vector<Use>& uses = view_.Uses(tensor);
  if (uses.size() != 1 || uses[0].input < 0 || view_.IsGraphOutput(tensor)) return -1;
  return IsOp(node(uses[0].node), op_type) ? uses[0].node : -1;
}

std::string Matcher::Other(int index, const std::string& tensor) const {
  const onnx::NodeProto& node = this->node(index);
  if (node.input_size() != 2 || node.input(0) == node.input(1)) return "";
  if (node.input(0) == tensor) return node.input(1);
  return node.input(1) == tensor ? node.input(0) : "";
}

const onnx::TensorProto* Matcher::Constant(const std::string& tensor) const {
  return view_.IsGraphInput(tensor) ? nullptr : view_.Initializer(tensor);
}

std::optional<double> Matcher::Number(const std::string& tensor, const std::string& beside) const {
  const onnx::TensorProto* constant = Constant(tensor);
  if (constant == nullptr) return std::nullopt;
  for (const int64_t dim : constant->dims()) {
    if (dim != 1) return std::nullopt;
  }
  const std::optional<std::vector<int64_t>> shape = Shape(beside);
  const size_t rank = shape ? shape->size() : 0;
  if (static_cast<size_t>(constant->dims_size()) > rank) return std::nullopt;
  const int32_t type = constant->data_type();
  if (type == onnx::TensorProto::INT64 || type == onnx::TensorProto::INT32) {
    return static_cast<double>(model_.tensors().ReadInts(*constant).at(0));
  }
  if (type != onnx::TensorProto::FLOAT && type != onnx::TensorProto::FLOAT16) return std::nullopt;
  return static_cast<double>(model_.tensors().ReadFloats(*constant).at(0));
}

bool Matcher::IsNumber(const std::string& tensor, const std::string& beside, double value) const {
  const std::optional<double> number = Number(tensor, beside);
  return number && IsNear(*number, value);
}

std::string Matcher::BesideNumber(int index, double value) const {
  const onnx::NodeProto& node = this->node(index);
  if (node.input_size() != 2) return "";
  if (IsNumber(node.input(1), node.input(0), value)) return node.input(0);
  return IsNumber(node.input(0), node.input(1), value) ? node.input(1) : "";
}

std::optional<Product> Matcher::AsProduct(const std::string& tensor, const std::string& x) const {
  Product product;
  if (!Multiply(tensor, x, 1, 0, &product)) return std::nullopt;
  return product;
}

bool Matcher::Multiply(const std::string& tensor, const std::string& x, int sign, int depth,
                       Product* product) const {
  if (tensor == x) {
    product->power += sign;
    return true;
  }
  if (const std::optional<double> number = Number(tensor, x)) {
    product->number *= sign > 0 ? *number : 1 / *number;
    return true;
  }
  const int maker = view_.Producer(tensor);
  if (maker < 0 || depth == kMaxFactors || node(maker).input_size() != 2) return false;
  const onnx::NodeProto& made = node(maker);
  product->nodes.push_back(maker);
  if (IsOp(made, "Mul") || IsOp(made, "Div")) {
    const int second = IsOp(made, "Mul") ? sign : -sign;
    return Multiply(made.input(0), x, sign, depth + 1, product) &&
           Multiply(made.input(1), x, second, depth + 1, product);
  }
  if (!IsOp(made, "Pow") || made.input(0) != x) return false;
  const std::optional<double> exponent = Number(made.input(1), x);
  if (!exponent || (*exponent != 2 && *exponent != 3)) return false;
  product->power += sign * static_cast<int>(*exponent);
  return true;
}

std::vector<ScaledProduct> Matcher::ProductsWith(const std::string& tensor, double number) const {
  std::vector<ScaledProduct> products;
  const auto scaled_by_number = [&](int index, const std::string& of) {
    const onnx::NodeProto& node = this->node(index);
    if (IsOp(node, "Mul")) return BesideNumber(index, number) == of;
    return IsOp(node, "Div") && node.input(0) == of && IsNumber(node.input(1), of, 1 / number);
  };
  const auto reader = [&](const std::string& of) {
    const int multiply = ReaderOf(of, "Mul");
    return multiply >= 0 ? multiply : ReaderOf(of, "Div");
  };
  const int first = reader(tensor);
  if (first < 0) return products;
  if (number != 1 && scaled_by_number(first, tensor)) {  // (tensor * number) * factor
    const std::string& scaled = node(first).output(0);
    const int second = ReaderOf(scaled, "Mul");
    const std::string factor = second < 0 ? "" : Other(second, scaled);
    if (!factor.empty()) products.push_back({factor, {first, second}});
    return products;
  }
  const std::string factor = IsOp(node(first), "Mul") ? Other(first, tensor) : "";
  if (factor.empty()) return products;
  if (number == 1) {
    products.push_back({factor, {first}});
    return products;
  }
  if (const int maker = view_.Producer(factor); maker >= 0 && node(maker).input_size() == 2) {
    for (const std::string& inner : node(maker).input()) {  // (factor * number) * tensor
      if (scaled_by_number(maker, inner)) products.push_back({inner, {maker, first}});
    }
  }
  const std::string& unscaled = node(first).output(0);  // (tensor * factor) * number
  const int second = reader(unscaled);
  if (second >= 0 && scaled_by_number(second, unscaled)) {
    products.push_back({factor, {first, second}});
  }
  return products;
}

std::optional<std::vector<int64_t>> Matcher::Shape(const std::string& tensor) const {
  const onnx::ValueInfoProto* info = types_.ValueInfo(tensor);
  if (info == nullptr || !info->type().tensor_type().has_shape()) return std::nullopt;
  std::vector<int64_t> shape;
  for (const auto& dim : info->type().tensor_type().shape().dim()) {
    shape.push_back(dim.has_dim_value() ? dim.dim_value() : -1);
  }
  return shape;
}

}  // namespace ptq
