// The operators behind Evaluate (constant_evaluator.cc), by family, and what they share.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "passes/constants/constant_evaluator.h"

namespace ptq {

using EvaluationResult = std::optional<ConstantTensor>;
using EvaluationKernel = EvaluationResult (*)(const onnx::NodeProto&, ConstantInputs,
                                              const EvaluationContext&);

// constant_shapes.cc: the same elements in another shape, and shapes as data.
EvaluationResult EvaluateReshape(const onnx::NodeProto&, ConstantInputs, const EvaluationContext&);
EvaluationResult EvaluateSqueeze(const onnx::NodeProto&, ConstantInputs, const EvaluationContext&);
EvaluationResult EvaluateUnsqueeze(const onnx::NodeProto&, ConstantInputs,
                                   const EvaluationContext&);
EvaluationResult EvaluateFlatten(const onnx::NodeProto&, ConstantInputs, const EvaluationContext&);
EvaluationResult EvaluateShape(const onnx::NodeProto&, ConstantInputs, const EvaluationContext&);

// constant_movement.cc: elements in another order.
EvaluationResult EvaluateTranspose(const onnx::NodeProto&, ConstantInputs,
                                   const EvaluationContext&);
EvaluationResult EvaluateConcat(const onnx::NodeProto&, ConstantInputs, const EvaluationContext&);
EvaluationResult EvaluateSlice(const onnx::NodeProto&, ConstantInputs, const EvaluationContext&);
EvaluationResult EvaluateGather(const onnx::NodeProto&, ConstantInputs, const EvaluationContext&);
EvaluationResult EvaluateExpand(const onnx::NodeProto&, ConstantInputs, const EvaluationContext&);
EvaluationResult EvaluateConstantOfShape(const onnx::NodeProto&, ConstantInputs,
                                         const EvaluationContext&);

// constant_arithmetic.cc: new elements.
EvaluationResult EvaluateBinary(const onnx::NodeProto&, ConstantInputs, const EvaluationContext&);
EvaluationResult EvaluateUnary(const onnx::NodeProto&, ConstantInputs, const EvaluationContext&);
EvaluationResult EvaluateExtreme(const onnx::NodeProto&, ConstantInputs, const EvaluationContext&);
EvaluationResult EvaluateClip(const onnx::NodeProto&, ConstantInputs, const EvaluationContext&);
EvaluationResult EvaluateWhere(const onnx::NodeProto&, ConstantInputs, const EvaluationContext&);
EvaluationResult EvaluateCast(const onnx::NodeProto&, ConstantInputs, const EvaluationContext&);
EvaluationResult EvaluateRange(const onnx::NodeProto&, ConstantInputs, const EvaluationContext&);

// constant_reductions.cc: sums and the like over axes.
EvaluationResult EvaluateReduce(const onnx::NodeProto&, ConstantInputs, const EvaluationContext&);
// For each axis of input 0 whether it is reduced. Nothing where the axes are not known or not
// valid.
std::optional<std::vector<bool>> ReducedAxes(const onnx::NodeProto&, ConstantInputs, size_t rank);

// The input, or null where it is absent or past the end.
inline const ConstantTensor* InputAt(ConstantInputs inputs, size_t index) {
  return index < inputs.size() ? inputs[index] : nullptr;
}

// Elements of a shape; nothing if it is negative or their bytes exceed the limit.
std::optional<uint64_t> AllowedCount(std::span<const int64_t> dims, uint64_t element_bytes,
                                     const EvaluationContext& context);

// The type with room for its elements; nothing where AllowedCount says so.
EvaluationResult NewTensor(int32_t type, std::vector<int64_t> dims,
                           const EvaluationContext& context);

// Elements of any integer type or BOOL; nothing for others and for null.
std::optional<std::vector<int64_t>> IntsOf(const ConstantTensor* tensor);
// Elements of FLOAT, DOUBLE, FLOAT16 or BFLOAT16.
std::optional<std::vector<double>> FloatsOf(const ConstantTensor* tensor);
// Whether FloatsOf and StoreFloats take the type.
bool IsFloatElement(int32_t type);

// Stores values in the tensor's type, wrapping as two's complement does.
void StoreInts(std::span<const int64_t> values, ConstantTensor* tensor);

// Stores values in the tensor's type, rounded half to even; to the 16-bit types by way of float.
void StoreFloats(std::span<const double> values, ConstantTensor* tensor);

// Negative axes count from the end; nothing outside of [-rank, rank).
std::optional<int64_t> NormalAxis(int64_t axis, size_t rank);

// NumPy's broadcasting of several shapes; nothing where they do not fit.
std::optional<std::vector<int64_t>> BroadcastDims(ConstantInputs inputs);

// For every element of `dims` in order, the index of the element of a tensor of shape `from` that
// it reads.
std::vector<uint64_t> BroadcastIndices(std::span<const int64_t> from,
                                       std::span<const int64_t> dims);

}  // namespace ptq
