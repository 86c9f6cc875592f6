// Add, Sub, Mul, Div, Equal, Less, Greater, Neg, Not, Where, Cast, Range.
//
// Integers wrap as two's complement in their own width and divide towards zero; floats are computed
// in single precision. Both as onnxruntime's CPU kernels do.
#include <cmath>
#include <cstring>
#include <limits>

#include "base/float16.h"
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

float Compute(const std::string& op, float a, float b) {
  if (op == "Add") return a + b;
  if (op == "Sub") return a - b;
  if (op == "Mul") return a * b;
  return a / b;
}

bool IsComparison(const std::string& op) {
  return op == "Equal" || op == "Less" || op == "Greater";
}

void StoreFloats(std::span<const float> values, ConstantTensor* tensor) {
  if (!values.empty()) std::memcpy(tensor->bytes.data(), values.data(), tensor->bytes.size());
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
  const std::vector<float> a = *FloatsOf(inputs[0]);
  const std::vector<float> b = *FloatsOf(inputs[1]);
  const std::vector<uint64_t> from_a = BroadcastIndices(inputs[0]->dims, out.dims);
  const std::vector<uint64_t> from_b = BroadcastIndices(inputs[1]->dims, out.dims);
  if (IsComparison(op)) {
    for (size_t i = 0; i < out.bytes.size(); ++i) {
      const float x = a[from_a[i]];
      const float y = b[from_b[i]];
      out.bytes[i] = op == "Equal" ? x == y : op == "Less" ? x < y : x > y;
    }
    return out;
  }
  std::vector<float> values(from_a.size());
  for (size_t i = 0; i < values.size(); ++i) values[i] = Compute(op, a[from_a[i]], b[from_b[i]]);
  StoreFloats(values, &out);
  return out;
}

template <typename T>
bool Fits(float value) {
  // Exact bounds: 2^n is a float, 2^n - 1 need not be.
  const double high = std::ldexp(1.0, std::numeric_limits<T>::digits);
  const double low = std::numeric_limits<T>::is_signed ? -high : 0.0;
  return std::trunc(value) >= low && std::trunc(value) < high;
}

// Towards zero; undefined outside of the range, and so not evaluated.
std::optional<int64_t> ToInt(float value, int32_t type) {
  const auto checked = [&](bool fits) -> std::optional<int64_t> {
    if (!fits) return std::nullopt;
    return static_cast<int64_t>(value);
  };
  switch (type) {
    case TensorProto::BOOL:
      return value != 0.0f;
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
  if (!dims || inputs[0]->type != inputs[1]->type) return std::nullopt;
  const std::string& op = node.op_type();
  const int32_t type = inputs[0]->type;
  EvaluationResult out =
      NewTensor(IsComparison(op) ? int32_t{TensorProto::BOOL} : type, *dims, context);
  if (!out) return std::nullopt;
  return type == TensorProto::FLOAT ? FloatBinary(op, inputs, std::move(*out))
                                    : IntBinary(op, inputs, std::move(*out));
}

EvaluationResult EvaluateUnary(const onnx::NodeProto& node, ConstantInputs inputs,
                               const EvaluationContext&) {
  const ConstantTensor* data = InputAt(inputs, 0);
  if (data == nullptr) return std::nullopt;
  ConstantTensor out = *data;
  if (data->type == TensorProto::FLOAT && node.op_type() == "Neg") {
    std::vector<float> values = *FloatsOf(data);
    for (float& value : values) value = -value;
    StoreFloats(values, &out);
    return out;
  }
  auto values = IntsOf(data);
  if (!values) return std::nullopt;
  for (int64_t& value : *values) {
    value = node.op_type() == "Not" ? int64_t{value == 0} : Wrapped(-static_cast<uint64_t>(value));
  }
  StoreInts(*values, &out);
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
    if (to == TensorProto::FLOAT) {
      std::vector<float> values;
      for (const int64_t value : *ints) values.push_back(static_cast<float>(value));
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
  if (to == TensorProto::FLOAT) {
    StoreFloats(*floats, &*out);
    return out;
  }
  std::vector<int64_t> values;
  for (const float value : *floats) {
    const std::optional<int64_t> stored =
        to == TensorProto::FLOAT16 ? std::optional<int64_t>(FloatToHalf(value)) : ToInt(value, to);
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
