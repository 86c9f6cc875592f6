// Transpose, Concat, Slice, Gather, Expand, ConstantOfShape: the bytes of elements, copied.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "model/attributes.h"
#include "passes/constants/constant_kernels.h"

namespace ptq {
namespace {

std::vector<uint64_t> Strides(std::span<const int64_t> dims) {
  std::vector<uint64_t> strides(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) {
    strides[i - 1] = strides[i] * static_cast<uint64_t>(dims[i]);
  }
  return strides;
}

uint64_t CountOf(std::span<const int64_t> dims) {
  return std::accumulate(dims.begin(), dims.end(), uint64_t{1}, [](uint64_t product, int64_t dim) {
    return product * static_cast<uint64_t>(dim);
  });
}

// Fills `out` in order from element first + sum(at[i] * steps[i]) of `data`; steps may be negative.
void CopyStrided(const ConstantTensor& data, int64_t first, std::span<const int64_t> steps,
                 ConstantTensor* out) {
  const uint64_t width = ElementBytes(data.type);
  std::vector<int64_t> at(out->dims.size(), 0);
  int64_t from = first;
  for (uint64_t to = 0; to < out->bytes.size(); to += width) {
    std::memcpy(out->bytes.data() + to, data.bytes.data() + static_cast<uint64_t>(from) * width,
                width);
    for (size_t axis = at.size(); axis-- > 0;) {
      from += steps[axis];
      if (++at[axis] < out->dims[axis]) break;
      from -= steps[axis] * out->dims[axis];
      at[axis] = 0;
    }
  }
}

}  // namespace

EvaluationResult EvaluateTranspose(const onnx::NodeProto& node, ConstantInputs inputs,
                                   const EvaluationContext& context) {
  const ConstantTensor* data = InputAt(inputs, 0);
  if (data == nullptr) return std::nullopt;
  const size_t rank = data->dims.size();
  std::vector<int64_t> order = IntsAttribute(node, "perm");
  if (order.empty()) {
    for (size_t i = rank; i-- > 0;) order.push_back(static_cast<int64_t>(i));
  }
  std::vector<int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (sorted.size() != rank || sorted[i] != static_cast<int64_t>(i)) return std::nullopt;
  }
  const std::vector<uint64_t> strides = Strides(data->dims);
  std::vector<int64_t> dims;
  std::vector<int64_t> steps;
  for (const int64_t axis : order) {
    dims.push_back(data->dims[static_cast<size_t>(axis)]);
    steps.push_back(static_cast<int64_t>(strides[static_cast<size_t>(axis)]));
  }
  EvaluationResult out = NewTensor(data->type, dims, context);
  if (out) CopyStrided(*data, 0, steps, &*out);
  return out;
}

EvaluationResult EvaluateConcat(const onnx::NodeProto& node, ConstantInputs inputs,
                                const EvaluationContext& context) {
  const ConstantTensor* first = InputAt(inputs, 0);
  if (first == nullptr) return std::nullopt;
  const auto axis = NormalAxis(IntAttribute(node, "axis", 0), first->dims.size());
  if (!axis) return std::nullopt;
  const auto at = static_cast<size_t>(*axis);
  std::vector<int64_t> dims = first->dims;
  dims[at] = 0;
  for (const ConstantTensor* input : inputs) {
    if (input == nullptr || input->type != first->type) return std::nullopt;
    if (input->dims.size() != dims.size()) return std::nullopt;
    for (size_t i = 0; i < dims.size(); ++i) {
      if (i != at && input->dims[i] != dims[i]) return std::nullopt;
    }
    dims[at] += input->dims[at];
  }
  EvaluationResult out = NewTensor(first->type, dims, context);
  if (!out) return std::nullopt;
  const uint64_t outer = CountOf({dims.data(), at});
  const uint64_t inner =
      CountOf({dims.data() + at + 1, dims.size() - at - 1}) * ElementBytes(first->type);
  uint8_t* to = out->bytes.data();
  for (uint64_t row = 0; row < outer; ++row) {
    for (const ConstantTensor* input : inputs) {
      const uint64_t size = static_cast<uint64_t>(input->dims[at]) * inner;
      if (size > 0) std::memcpy(to, input->bytes.data() + row * size, size);
      to += size;
    }
  }
  return out;
}

// Attributes up to opset 9, inputs from 10 on.
EvaluationResult EvaluateSlice(const onnx::NodeProto& node, ConstantInputs inputs,
                               const EvaluationContext& context) {
  const ConstantTensor* data = InputAt(inputs, 0);
  if (data == nullptr) return std::nullopt;
  std::vector<int64_t> starts = IntsAttribute(node, "starts");
  std::vector<int64_t> ends = IntsAttribute(node, "ends");
  std::vector<int64_t> axes = IntsAttribute(node, "axes");
  std::vector<int64_t> steps;
  if (context.opset >= 10) {
    std::vector<int64_t>* const fields[] = {&starts, &ends, &axes, &steps};
    for (size_t i = 0; i < 4; ++i) {
      if (InputAt(inputs, i + 1) == nullptr) continue;
      const auto values = IntsOf(inputs[i + 1]);
      if (!values) return std::nullopt;
      *fields[i] = *values;
    }
  }
  if (axes.empty()) {
    axes.resize(starts.size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  if (steps.empty()) steps.assign(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size() ||
      steps.size() != starts.size()) {
    return std::nullopt;
  }
  std::vector<int64_t> dims = data->dims;
  std::vector<int64_t> walk;
  for (const uint64_t stride : Strides(dims)) walk.push_back(static_cast<int64_t>(stride));
  int64_t first = 0;
  std::vector<bool> seen(dims.size(), false);
  for (size_t i = 0; i < starts.size(); ++i) {
    const auto axis = NormalAxis(axes[i], dims.size());
    constexpr int64_t kFarthest = int64_t{1} << 32;
    if (!axis || steps[i] == 0 || seen[static_cast<size_t>(*axis)]) return std::nullopt;
    const auto at = static_cast<size_t>(*axis);
    seen[at] = true;
    const int64_t size = dims[at];
    const int64_t step = std::clamp(steps[i], -kFarthest, kFarthest);
    // Backwards the last element is size - 1 and the end may be -1, before the first.
    const int64_t low = step > 0 ? 0 : -1;
    const int64_t high = step > 0 ? size : size - 1;
    const int64_t start = std::clamp(starts[i] < 0 ? starts[i] + size : starts[i],
                                     low < 0 ? 0 : low, std::max<int64_t>(high, 0));
    const int64_t end = std::clamp(ends[i] < 0 ? std::max(ends[i], -kFarthest) + size : ends[i],
                                   low, std::max(high, low));
    const int64_t span = step > 0 ? end - start : start - end;
    const int64_t stride = step > 0 ? step : -step;
    dims[at] = size == 0 ? 0 : std::max<int64_t>(0, (span + stride - 1) / stride);
    first += start * walk[at];
    walk[at] *= step;
  }
  EvaluationResult out = NewTensor(data->type, dims, context);
  if (out) CopyStrided(*data, first, walk, &*out);
  return out;
}

EvaluationResult EvaluateGather(const onnx::NodeProto& node, ConstantInputs inputs,
                                const EvaluationContext& context) {
  const ConstantTensor* data = InputAt(inputs, 0);
  const auto indices = IntsOf(InputAt(inputs, 1));
  if (data == nullptr || !indices) return std::nullopt;
  const auto axis = NormalAxis(IntAttribute(node, "axis", 0), data->dims.size());
  if (!axis) return std::nullopt;
  const auto at = static_cast<size_t>(*axis);
  std::vector<int64_t> dims(data->dims.begin(), data->dims.begin() + *axis);
  dims.insert(dims.end(), inputs[1]->dims.begin(), inputs[1]->dims.end());
  dims.insert(dims.end(), data->dims.begin() + *axis + 1, data->dims.end());
  EvaluationResult out = NewTensor(data->type, dims, context);
  if (!out) return std::nullopt;
  const uint64_t outer = CountOf({data->dims.data(), at});
  const uint64_t inner =
      CountOf({data->dims.data() + at + 1, data->dims.size() - at - 1}) * ElementBytes(data->type);
  const auto size = static_cast<uint64_t>(data->dims[at]);
  uint8_t* to = out->bytes.data();
  for (uint64_t row = 0; row < outer; ++row) {
    for (const int64_t index : *indices) {
      const auto element = NormalAxis(index, size);
      if (!element) return std::nullopt;
      const uint64_t from = (row * size + static_cast<uint64_t>(*element)) * inner;
      if (inner > 0) std::memcpy(to, data->bytes.data() + from, inner);
      to += inner;
    }
  }
  return out;
}

EvaluationResult EvaluateExpand(const onnx::NodeProto&, ConstantInputs inputs,
                                const EvaluationContext& context) {
  const ConstantTensor* data = InputAt(inputs, 0);
  const auto shape = IntsOf(InputAt(inputs, 1));
  if (data == nullptr || !shape) return std::nullopt;
  const ConstantTensor target{data->type, *shape, {}};
  const ConstantTensor* const both[] = {data, &target};
  const auto dims = BroadcastDims(both);
  if (!dims) return std::nullopt;
  EvaluationResult out = NewTensor(data->type, *dims, context);
  if (!out) return std::nullopt;
  const uint64_t width = ElementBytes(data->type);
  uint8_t* to = out->bytes.data();
  for (const uint64_t index : BroadcastIndices(data->dims, *dims)) {
    std::memcpy(to, data->bytes.data() + index * width, width);
    to += width;
  }
  return out;
}

EvaluationResult EvaluateConstantOfShape(const onnx::NodeProto& node, ConstantInputs inputs,
                                         const EvaluationContext& context) {
  const auto dims = IntsOf(InputAt(inputs, 0));
  if (!dims) return std::nullopt;
  const onnx::AttributeProto* value = FindAttribute(node, "value");
  const int32_t type = value == nullptr ? onnx::TensorProto::FLOAT : value->t().data_type();
  const uint64_t width = ElementBytes(type);
  EvaluationResult out = NewTensor(type, *dims, context);
  if (!out || value == nullptr) return out;  // float zeros
  if (ElementCount(value->t()) != 1) return std::nullopt;
  std::vector<uint8_t> element(width);
  context.tensors.ReadBytes(value->t(), 0, element);
  for (uint64_t to = 0; to < out->bytes.size(); to += width) {
    std::memcpy(out->bytes.data() + to, element.data(), width);
  }
  return out;
}

}  // namespace ptq
