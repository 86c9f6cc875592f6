// Reshape, Flatten, Squeeze, Unsqueeze, Shape.
#include <algorithm>

#include "model/attributes.h"
#include "passes/constants/constant_kernels.h"

namespace ptq {
namespace {

std::optional<uint64_t> Count(std::span<const int64_t> dims) {
  uint64_t count = 1;
  for (const int64_t dim : dims) {
    if (dim < 0 || __builtin_mul_overflow(count, static_cast<uint64_t>(dim), &count)) {
      return std::nullopt;
    }
  }
  return count;
}

EvaluationResult WithDims(const ConstantTensor& data, std::vector<int64_t> dims) {
  if (Count(dims) != Count(data.dims)) return std::nullopt;
  return ConstantTensor{data.type, std::move(dims), data.bytes};
}

// Axes are an attribute up to opset 12 and an input from 13 on. Sorted, within [0, rank), each
// once.
std::optional<std::vector<int64_t>> Axes(const onnx::NodeProto& node, ConstantInputs inputs,
                                         const EvaluationContext& context, size_t rank) {
  std::vector<int64_t> axes = IntsAttribute(node, "axes");
  if (context.opset >= 13 && InputAt(inputs, 1) != nullptr) {
    const std::optional<std::vector<int64_t>> given = IntsOf(inputs[1]);
    if (!given) return std::nullopt;
    axes = *given;
  }
  for (int64_t& axis : axes) {
    const std::optional<int64_t> normal = NormalAxis(axis, rank);
    if (!normal) return std::nullopt;
    axis = *normal;
  }
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end()) return std::nullopt;
  return axes;
}

}  // namespace

// 0 copies the input's dimension (unless allowzero), -1 is what remains.
EvaluationResult EvaluateReshape(const onnx::NodeProto& node, ConstantInputs inputs,
                                 const EvaluationContext&) {
  const ConstantTensor* data = InputAt(inputs, 0);
  std::optional<std::vector<int64_t>> dims = IntsOf(InputAt(inputs, 1));
  if (data == nullptr || !dims) return std::nullopt;
  const bool copy_zeros = IntAttribute(node, "allowzero", 0) == 0;
  int64_t* rest = nullptr;
  for (size_t i = 0; i < dims->size(); ++i) {
    int64_t& dim = (*dims)[i];
    if (dim == 0 && copy_zeros) {
      if (i >= data->dims.size()) return std::nullopt;
      dim = data->dims[i];
    } else if (dim == -1) {
      if (rest != nullptr) return std::nullopt;
      rest = &dim;
    }
  }
  if (rest != nullptr) {
    *rest = 1;
    const std::optional<uint64_t> known = Count(*dims);
    const std::optional<uint64_t> total = Count(data->dims);
    if (!known || !total || *known == 0) return std::nullopt;
    *rest = static_cast<int64_t>(*total / *known);
  }
  return WithDims(*data, std::move(*dims));
}

EvaluationResult EvaluateFlatten(const onnx::NodeProto& node, ConstantInputs inputs,
                                 const EvaluationContext&) {
  const ConstantTensor* data = InputAt(inputs, 0);
  if (data == nullptr) return std::nullopt;
  const auto rank = static_cast<int64_t>(data->dims.size());
  const int64_t axis = IntAttribute(node, "axis", 1);
  if (axis < -rank || axis > rank) return std::nullopt;
  const auto at = static_cast<size_t>(axis < 0 ? axis + rank : axis);
  const std::span<const int64_t> dims(data->dims);
  const auto rows = Count(dims.first(at));
  const auto columns = Count(dims.subspan(at));
  if (!rows || !columns) return std::nullopt;
  return WithDims(*data, {static_cast<int64_t>(*rows), static_cast<int64_t>(*columns)});
}

EvaluationResult EvaluateSqueeze(const onnx::NodeProto& node, ConstantInputs inputs,
                                 const EvaluationContext& context) {
  const ConstantTensor* data = InputAt(inputs, 0);
  if (data == nullptr) return std::nullopt;
  const auto axes = Axes(node, inputs, context, data->dims.size());
  if (!axes) return std::nullopt;
  std::vector<int64_t> dims;
  for (size_t i = 0; i < data->dims.size(); ++i) {
    const bool named = std::binary_search(axes->begin(), axes->end(), static_cast<int64_t>(i));
    if (axes->empty() ? data->dims[i] != 1 : !named) dims.push_back(data->dims[i]);
  }
  return WithDims(*data, std::move(dims));
}

EvaluationResult EvaluateUnsqueeze(const onnx::NodeProto& node, ConstantInputs inputs,
                                   const EvaluationContext& context) {
  const ConstantTensor* data = InputAt(inputs, 0);
  if (data == nullptr) return std::nullopt;
  // Axes refer to the output, so the number of them is needed first.
  size_t added = IntsAttribute(node, "axes").size();
  if (context.opset >= 13) {
    const auto given = IntsOf(InputAt(inputs, 1));
    if (!given) return std::nullopt;
    added = given->size();
  }
  const auto axes = Axes(node, inputs, context, data->dims.size() + added);
  if (!axes || axes->empty()) return std::nullopt;
  std::vector<int64_t> dims = data->dims;
  for (const int64_t axis : *axes) dims.insert(dims.begin() + axis, 1);
  return WithDims(*data, std::move(dims));
}

EvaluationResult EvaluateShape(const onnx::NodeProto& node, ConstantInputs inputs,
                               const EvaluationContext&) {
  const ConstantTensor* data = InputAt(inputs, 0);
  if (data == nullptr) return std::nullopt;
  const auto rank = static_cast<int64_t>(data->dims.size());
  const auto clamp = [&](int64_t at) {
    return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const int64_t start = clamp(IntAttribute(node, "start", 0));
  const int64_t end = std::max(start, clamp(IntAttribute(node, "end", rank)));
  ConstantTensor shape{onnx::TensorProto::INT64, {end - start}, {}};
  StoreInts({data->dims.data() + start, static_cast<size_t>(end - start)}, &shape);
  return shape;
}

}  // namespace ptq
