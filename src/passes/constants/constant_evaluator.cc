#include "passes/constants/constant_evaluator.h"

#include <cstring>
#include <string_view>
#include <unordered_map>

#include "base/float16.h"
#include "passes/constants/constant_kernels.h"

namespace ptq {
namespace {

using onnx::TensorProto;

const std::unordered_map<std::string_view, EvaluationKernel>& Kernels() {
  static const auto* const kernels = new std::unordered_map<std::string_view, EvaluationKernel>{
      {"Abs", EvaluateUnary},
      {"Add", EvaluateBinary},
      {"Cast", EvaluateCast},
      {"Clip", EvaluateClip},
      {"Concat", EvaluateConcat},
      {"ConstantOfShape", EvaluateConstantOfShape},
      {"Div", EvaluateBinary},
      {"Equal", EvaluateBinary},
      {"Exp", EvaluateUnary},
      {"Expand", EvaluateExpand},
      {"Flatten", EvaluateFlatten},
      {"Gather", EvaluateGather},
      {"Greater", EvaluateBinary},
      {"Less", EvaluateBinary},
      {"Max", EvaluateExtreme},
      {"Min", EvaluateExtreme},
      {"Mul", EvaluateBinary},
      {"Neg", EvaluateUnary},
      {"Not", EvaluateUnary},
      {"Pow", EvaluateBinary},
      {"Range", EvaluateRange},
      {"Reciprocal", EvaluateUnary},
      {"ReduceL2", EvaluateReduce},
      {"ReduceMax", EvaluateReduce},
      {"ReduceMean", EvaluateReduce},
      {"ReduceSum", EvaluateReduce},
      {"ReduceSumSquare", EvaluateReduce},
      {"Reshape", EvaluateReshape},
      {"Shape", EvaluateShape},
      {"Slice", EvaluateSlice},
      {"Sqrt", EvaluateUnary},
      {"Squeeze", EvaluateSqueeze},
      {"Sub", EvaluateBinary},
      {"Transpose", EvaluateTranspose},
      {"Unsqueeze", EvaluateUnsqueeze},
      {"Where", EvaluateWhere},
  };
  return *kernels;
}

template <typename T>
std::vector<int64_t> Widened(const std::vector<uint8_t>& bytes) {
  std::vector<int64_t> values(bytes.size() / sizeof(T));
  for (size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<int64_t>(value);
  }
  return values;
}

}  // namespace

bool CanEvaluate(const onnx::NodeProto& node) {
  return node.output_size() == 1 && Kernels().contains(node.op_type());
}

EvaluationResult Evaluate(const onnx::NodeProto& node, ConstantInputs inputs,
                          const EvaluationContext& context) {
  const auto kernel = Kernels().find(node.op_type());
  return kernel == Kernels().end() ? std::nullopt : kernel->second(node, inputs, context);
}

std::optional<uint64_t> AllowedCount(std::span<const int64_t> dims, uint64_t element_bytes,
                                     const EvaluationContext& context) {
  if (element_bytes == 0) return std::nullopt;
  const uint64_t limit = context.largest_result / element_bytes;
  uint64_t count = 1;
  for (const int64_t dim : dims) {
    if (dim < 0) return std::nullopt;
    if (dim > 0 && count > limit / static_cast<uint64_t>(dim)) return std::nullopt;
    count *= static_cast<uint64_t>(dim);
  }
  return count;
}

EvaluationResult NewTensor(int32_t type, std::vector<int64_t> dims,
                           const EvaluationContext& context) {
  const std::optional<uint64_t> count = AllowedCount(dims, ElementBytes(type), context);
  if (!count) return std::nullopt;
  return ConstantTensor{type, std::move(dims), std::vector<uint8_t>(*count * ElementBytes(type))};
}

std::optional<std::vector<int64_t>> IntsOf(const ConstantTensor* tensor) {
  if (tensor == nullptr) return std::nullopt;
  switch (tensor->type) {
    case TensorProto::BOOL:
    case TensorProto::UINT8:
      return Widened<uint8_t>(tensor->bytes);
    case TensorProto::INT8:
      return Widened<int8_t>(tensor->bytes);
    case TensorProto::INT16:
      return Widened<int16_t>(tensor->bytes);
    case TensorProto::UINT16:
      return Widened<uint16_t>(tensor->bytes);
    case TensorProto::INT32:
      return Widened<int32_t>(tensor->bytes);
    case TensorProto::UINT32:
      return Widened<uint32_t>(tensor->bytes);
    case TensorProto::INT64:
      return Widened<int64_t>(tensor->bytes);
    default:
      return std::nullopt;
  }
}

std::optional<std::vector<double>> FloatsOf(const ConstantTensor* tensor) {
  if (tensor == nullptr) return std::nullopt;
  std::vector<double> values;
  switch (tensor->type) {
    case TensorProto::FLOAT:
    case TensorProto::DOUBLE: {
      const uint64_t width = ElementBytes(tensor->type);
      values.resize(tensor->bytes.size() / width);
      for (size_t i = 0; i < values.size(); ++i) {
        float single = 0;
        void* const into = width == sizeof(float) ? static_cast<void*>(&single) : &values[i];
        std::memcpy(into, tensor->bytes.data() + i * width, width);
        if (width == sizeof(float)) values[i] = single;
      }
      return values;
    }
    case TensorProto::FLOAT16:
    case TensorProto::BFLOAT16:
      for (const int64_t half : Widened<uint16_t>(tensor->bytes)) {
        const auto bits = static_cast<uint16_t>(half);
        values.push_back(tensor->type == TensorProto::FLOAT16 ? HalfToFloat(bits)
                                                              : BFloat16ToFloat(bits));
      }
      return values;
    default:
      return std::nullopt;
  }
}

void StoreFloats(std::span<const double> values, ConstantTensor* tensor) {
  const uint64_t width = ElementBytes(tensor->type);
  tensor->bytes.resize(values.size() * width);
  for (size_t i = 0; i < values.size(); ++i) {
    const auto single = static_cast<float>(values[i]);
    uint16_t half = 0;
    const void* from = &half;
    if (tensor->type == TensorProto::FLOAT16) {
      half = FloatToHalf(single);
    } else if (tensor->type == TensorProto::BFLOAT16) {
      half = FloatToBFloat16(single);
    } else {
      from = tensor->type == TensorProto::FLOAT ? static_cast<const void*>(&single) : &values[i];
    }
    std::memcpy(tensor->bytes.data() + i * width, from, width);
  }
}

bool IsFloatElement(int32_t type) {
  return type == TensorProto::FLOAT || type == TensorProto::DOUBLE ||
         type == TensorProto::FLOAT16 || type == TensorProto::BFLOAT16;
}

void StoreInts(std::span<const int64_t> values, ConstantTensor* tensor) {
  const uint64_t width = ElementBytes(tensor->type);
  tensor->bytes.resize(values.size() * width);
  // Little-endian: the low bytes come first.
  for (size_t i = 0; i < values.size(); ++i) {
    std::memcpy(tensor->bytes.data() + i * width, &values[i], width);
  }
}

std::optional<int64_t> NormalAxis(int64_t axis, size_t rank) {
  const auto size = static_cast<int64_t>(rank);
  if (axis < -size || axis >= size) return std::nullopt;
  return axis < 0 ? axis + size : axis;
}

std::optional<std::vector<int64_t>> BroadcastDims(ConstantInputs inputs) {
  std::vector<int64_t> dims;
  for (const ConstantTensor* input : inputs) {
    if (input == nullptr) return std::nullopt;
    if (input->dims.size() > dims.size()) {
      dims.insert(dims.begin(), input->dims.size() - dims.size(), 1);
    }
    const size_t shift = dims.size() - input->dims.size();
    for (size_t i = 0; i < input->dims.size(); ++i) {
      int64_t& dim = dims[shift + i];
      if (dim != input->dims[i] && dim != 1 && input->dims[i] != 1) return std::nullopt;
      if (dim == 1) dim = input->dims[i];
    }
  }
  return dims;
}

std::vector<uint64_t> BroadcastIndices(std::span<const int64_t> from,
                                       std::span<const int64_t> dims) {
  uint64_t count = 1;
  for (const int64_t dim : dims) count *= static_cast<uint64_t>(dim);
  const size_t rank = dims.size();
  std::vector<uint64_t> strides(rank, 0);  // 0: the dimension is repeated
  uint64_t stride = 1;
  for (size_t i = from.size(); i-- > 0;) {
    if (from[i] != 1) strides[rank - from.size() + i] = stride;
    stride *= static_cast<uint64_t>(from[i]);
  }
  std::vector<uint64_t> indices(count);
  std::vector<int64_t> at(rank, 0);
  uint64_t index = 0;
  for (uint64_t& out : indices) {
    out = index;
    for (size_t axis = rank; axis-- > 0;) {
      index += strides[axis];
      if (++at[axis] < dims[axis]) break;
      index -= strides[axis] * static_cast<uint64_t>(dims[axis]);
      at[axis] = 0;
    }
  }
  return indices;
}

}  // namespace ptq
