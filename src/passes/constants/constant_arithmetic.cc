// Add, Sub, Mul, Div, Pow, Equal, Less, Greater, Max, Min, Clip, Abs, Exp, Neg, Not, Reciprocal,
// Sqrt, Where, Cast, Range.
//
// Integers wrap as two's complement in their own width and divide towards zero; floats are computed
// in single precision, doubles in double. Both as onnxruntime's CPU kernels do.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "model/attributes.h"
#include "passes/constants/constant_kernels.h"

namespace ptq {
namespace {

using onnx::TensorProto;

// Through unsigned arithmetic, where wrapping is defined.
int64_t Wrapped(uint64_t value) { return static_cast<int64_t>(value); }

std::optional<int64_t> Compute(const std::string& op, int64_t a, int64_t b) {
  const auto x = static_cast<uint64_t>(a);
  const auto y = static_cast<uint64_t>(b);
  if (op == "Add") return Wrapped(x + y);
  if (op == "Sub") return Wrapped(x - y);
  if (op == "Mul") return Wrapped(x * y);
  if (op == "Equal") return a == b;
  if (op == "Less") return a < b;
  if (op == "Greater") return a > b;
  const bool overflows = a == std::numeric_limits<int64_t>::min() && b == -1;
  if (op == "Div" && b != 0 && !overflows) return a / b;
  return std::nullopt;
}

template <typename Float>
Float ComputeFloat(const std::string& op, Float a, Float b) {
  if (op == "Add") return a + b;
  if (op == "Sub") return a - b;
  if (op == "Mul") return a * b;
  if (op == "Div") return a / b;
  if (b == 2) return a * a;
  if (b == Float{0.5}) return std::sqrt(a);
  return std::pow(a, b);
}

double Compute(const std::string& op, int32_t type, double a, double b) {
  if (type == TensorProto::DOUBLE) return ComputeFloat(op, a, b);
  return ComputeFloat(op, static_cast<float>(a), static_cast<float>(b));
}

template <typename Float>
Float ComputeFloat(const std::string& op, Float value) {
  if (op == "Abs") return std::abs(value);
  if (op == "Exp") return std::exp(value);
  if (op == "Reciprocal") return 1 / value;
  if (op == "Sqrt") return std::sqrt(value);
  return -value;
}

double Compute(const std::string& op, int32_t type, double value) {
  if (type == TensorProto::DOUBLE) return ComputeFloat(op, value);
  return ComputeFloat(op, static_cast<float>(value));
}

// A number of any type.
std::optional<std::vector<double>> NumbersOf(const ConstantTensor* tensor) {
  if (auto floats = FloatsOf(tensor)) return floats;
  const auto ints = IntsOf(tensor);
  if (!ints) return std::nullopt;
  return std::vector<double>(ints->begin(), ints->end());
}

bool IsComparison(const std::string& op) {
  return op == "Equal" || op == "Less" || op == "Greater";
}

EvaluationResult IntBinary(const std::string& op, ConstantInputs inputs, ConstantTensor out) {
  const auto a = IntsOf(inputs[0]);
  const auto b = IntsOf(inputs[1]);
  if (!a || !b) return std::nullopt;
  const std::vector<uint64_t> from_a = BroadcastIndices(inputs[0]->dims, out.dims);
  const std::vector<uint64_t> from_b = BroadcastIndices(inputs[1]->dims, out.dims);
  std::vector<int64_t> values(from_a.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const auto value = Compute(op, (*a)[from_a[i]], (*b)[from_b[i]]);
    if (!value) return std::nullopt;
    values[i] = *value;
  }
  StoreInts(values, &out);
  return out;
}

EvaluationResult FloatBinary(const std::string& op, ConstantInputs inputs, ConstantTensor out) {
  const std::vector<double> a = *FloatsOf(inputs[0]);
  const std::vector<double> b = *NumbersOf(inputs[1]);
  const std::vector<uint64_t> from_a = BroadcastIndices(inputs[0]->dims, out.dims);
  const std::vector<uint64_t> from_b = BroadcastIndices(inputs[1]->dims, out.dims);
  if (IsComparison(op)) {
    for (size_t i = 0; i < out.bytes.size(); ++i) {
      const double x = a[from_a[i]];
      const double y = b[from_b[i]];
      out.bytes[i] = op == "Equal" ? x == y : op == "Less" ? x < y : x > y;
    }
    return out;
  }
  std::vector<double> values(from_a.size());
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = Compute(op, out.type, a[from_a[i]], b[from_b[i]]);
  }
  StoreFloats(values, &out);
  return out;
}

template <typename T>
bool Fits(double value) {
  // Exact bounds: 2^n is a float, 2^n - 1 need not be.
  const double high = std::ldexp(1.0, std::numeric_limits<T>::digits);
  const double low = std::numeric_limits<T>::is_signed ? -high : 0.0;
  return std::trunc(value) >= low && std::trunc(value) < high;
}

// Towards zero; undefined outside of the range, and so not evaluated.
std::optional<int64_t> ToInt(double value, int32_t type) {
  const auto checked = [&](bool fits) -> std::optional<int64_t> {
    if (!fits) return std::nullopt;
    return static_cast<int64_t>(value);
  };
  switch (type) {
    case TensorProto::BOOL:
      return value != 0.0;
    case TensorProto::INT8:
      return checked(Fits<int8_t>(value));
    case TensorProto::UINT8:
      return checked(Fits<uint8_t>(value));
    case TensorProto::INT16:
      return checked(Fits<int16_t>(value));
    case TensorProto::UINT16:
      return checked(Fits<uint16_t>(value));
    case TensorProto::INT32:
      return checked(Fits<int32_t>(value));
    case TensorProto::UINT32:
      return checked(Fits<uint32_t>(value));
    case TensorProto::INT64:
      return checked(Fits<int64_t>(value));
    default:
      return std::nullopt;
  }
}

}  // namespace

EvaluationResult EvaluateBinary(const onnx::NodeProto& node, ConstantInputs inputs,
                                const EvaluationContext& context) {
  if (inputs.size() != 2) return std::nullopt;
  const auto dims = BroadcastDims(inputs);
  if (!dims) return std::nullopt;
  const std::string& op = node.op_type();
  const int32_t type = inputs[0]->type;
  const bool power = op == "Pow" && IsFloatElement(type) && NumbersOf(inputs[1]).has_value();
  if (!power && (op == "Pow" || type != inputs[1]->type)) return std::nullopt;
  EvaluationResult out =
      NewTensor(IsComparison(op) ? int32_t{TensorProto::BOOL} : type, *dims, context);
  if (!out) return std::nullopt;
  return IsFloatElement(type) ? FloatBinary(op, inputs, std::move(*out))
                              : IntBinary(op, inputs, std::move(*out));
}

EvaluationResult EvaluateUnary(const onnx::NodeProto& node, ConstantInputs inputs,
                               const EvaluationContext&) {
  const ConstantTensor* data = InputAt(inputs, 0);
  if (data == nullptr) return std::nullopt;
  ConstantTensor out = *data;
  const std::string& op = node.op_type();
  if (IsFloatElement(data->type) && op != "Not") {
    std::vector<double> values = *FloatsOf(data);
    for (double& value : values) value = Compute(op, data->type, value);
    StoreFloats(values, &out);
    return out;
  }
  auto values = IntsOf(data);
  if (!values || (op != "Not" && op != "Neg")) return std::nullopt;
  for (int64_t& value : *values) {
    value = op == "Not" ? int64_t{value == 0} : Wrapped(-static_cast<uint64_t>(value));
  }
  StoreInts(*values, &out);
  return out;
}

// Max and Min, which take any number of inputs. A NaN remains one.
EvaluationResult EvaluateExtreme(const onnx::NodeProto& node, ConstantInputs inputs,
                                 const EvaluationContext& context) {
  const auto dims = inputs.empty() ? std::nullopt : BroadcastDims(inputs);
  if (!dims || !IsFloatElement(inputs[0]->type)) return std::nullopt;
  EvaluationResult out = NewTensor(inputs[0]->type, *dims, context);
  if (!out) return std::nullopt;
  const bool largest = node.op_type() == "Max";
  std::vector<double> values;
  for (const ConstantTensor* input : inputs) {
    if (input->type != out->type) return std::nullopt;
    const std::vector<double> next = *FloatsOf(input);
    const std::vector<uint64_t> from = BroadcastIndices(input->dims, *dims);
    const bool first = values.empty();
    values.resize(from.size());
    for (size_t i = 0; i < values.size(); ++i) {
      const double value = next[from[i]];
      const bool beyond = largest ? value > values[i] : value < values[i];
      if (first || beyond || std::isnan(value)) values[i] = value;
    }
  }
  StoreFloats(values, &*out);
  return out;
}

// Ends are attributes up to opset 10, inputs from 11 on.
EvaluationResult EvaluateClip(const onnx::NodeProto& node, ConstantInputs inputs,
                              const EvaluationContext&) {
  const ConstantTensor* data = InputAt(inputs, 0);
  if (data == nullptr || !IsFloatElement(data->type)) return std::nullopt;
  double ends[] = {FloatAttribute(node, "min", -std::numeric_limits<float>::infinity()),
                   FloatAttribute(node, "max", std::numeric_limits<float>::infinity())};
  for (size_t i = 0; i < 2; ++i) {
    const ConstantTensor* end = InputAt(inputs, i + 1);
    if (end == nullptr) continue;
    const auto value = FloatsOf(end);
    if (!value || value->size() != 1 || end->type != data->type) return std::nullopt;
    ends[i] = value->front();
  }
  ConstantTensor out = *data;
  std::vector<double> values = *FloatsOf(data);
  for (double& value : values) {
    if (!std::isnan(value)) value = std::min(std::max(value, ends[0]), ends[1]);
  }
  StoreFloats(values, &out);
  return out;
}

EvaluationResult EvaluateWhere(const onnx::NodeProto&, ConstantInputs inputs,
                               const EvaluationContext& context) {
  if (inputs.size() != 3) return std::nullopt;
  const auto dims = BroadcastDims(inputs);
  const auto condition = IntsOf(inputs[0]);
  if (!dims || !condition || inputs[1]->type != inputs[2]->type) return std::nullopt;
  EvaluationResult out = NewTensor(inputs[1]->type, *dims, context);
  if (!out) return std::nullopt;
  const std::vector<uint64_t> test = BroadcastIndices(inputs[0]->dims, *dims);
  const std::vector<uint64_t> yes = BroadcastIndices(inputs[1]->dims, *dims);
  const std::vector<uint64_t> no = BroadcastIndices(inputs[2]->dims, *dims);
  const uint64_t width = ElementBytes(out->type);
  for (size_t i = 0; i < test.size(); ++i) {
    const bool take = (*condition)[test[i]] != 0;
    const uint8_t* from =
        take ? inputs[1]->bytes.data() + yes[i] * width : inputs[2]->bytes.data() + no[i] * width;
    std::memcpy(out->bytes.data() + i * width, from, width);
  }
  return out;
}

EvaluationResult EvaluateCast(const onnx::NodeProto& node, ConstantInputs inputs,
                              const EvaluationContext& context) {
  const ConstantTensor* data = InputAt(inputs, 0);
  if (data == nullptr) return std::nullopt;
  const auto to = static_cast<int32_t>(IntAttribute(node, "to", 0));
  EvaluationResult out = NewTensor(to, data->dims, context);
  if (!out) return std::nullopt;
  if (to == data->type) return *data;
  if (const auto ints = IntsOf(data)) {
    if (IsFloatElement(to)) {
      std::vector<double> values;
      for (const int64_t value : *ints) {
        // Rounded once.
        values.push_back(to == TensorProto::DOUBLE ? static_cast<double>(value)
                                                   : static_cast<float>(value));
      }
      StoreFloats(values, &*out);
      return out;
    }
    if (!IntsOf(&*out)) return std::nullopt;
    std::vector<int64_t> values = *ints;
    if (to == TensorProto::BOOL) {
      for (int64_t& value : values) value = value != 0;
    }
    StoreInts(values, &*out);
    return out;
  }
  const auto floats = FloatsOf(data);
  if (!floats) return std::nullopt;
  if (IsFloatElement(to)) {
    StoreFloats(*floats, &*out);
    return out;
  }
  std::vector<int64_t> values;
  for (const double value : *floats) {
    const std::optional<int64_t> stored = ToInt(value, to);
    if (!stored) return std::nullopt;
    values.push_back(*stored);
  }
  StoreInts(values, &*out);
  return out;
}

// max(ceil((limit - start) / delta), 0) elements from start on.
EvaluationResult EvaluateRange(const onnx::NodeProto&, ConstantInputs inputs,
                               const EvaluationContext& context) {
  if (inputs.size() != 3) return std::nullopt;
  for (const ConstantTensor* input : inputs) {
    if (input == nullptr || input->type != inputs[0]->type || !input->dims.empty()) {
      return std::nullopt;
    }
  }
  const auto start = IntsOf(inputs[0]);
  if (!start) return std::nullopt;  // float steps accumulate rounding that only the runtime knows
  const int64_t first = start->front();
  const int64_t limit = IntsOf(inputs[1])->front();
  const int64_t delta = IntsOf(inputs[2])->front();
  int64_t span = 0;
  const bool overflows = __builtin_sub_overflow(limit, first, &span);
  if (delta == 0 || overflows || span == std::numeric_limits<int64_t>::min()) return std::nullopt;
  const bool runs = (span > 0) == (delta > 0) && span != 0;
  const int64_t count = runs ? span / delta + (span % delta != 0 ? 1 : 0) : 0;
  EvaluationResult out = NewTensor(inputs[0]->type, {count}, context);
  if (!out) return std::nullopt;
  std::vector<int64_t> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) values[i] = first + static_cast<int64_t>(i) * delta;
  StoreInts(values, &*out);
  return out;
}

}  // namespace ptq
