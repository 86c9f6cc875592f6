// Evaluates nodes whose tensors are too large to be in memory together, a block of the result at a
// time: element-wise operators with broadcasting, Cast, Transpose, Expand and reductions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "onnx/onnx_pb.h"
#include "passes/constants/constant_evaluator.h"

namespace ptq {

// What a block of the result and what it is made of take at most, in bytes.
inline constexpr uint64_t kBlockBytes = 4 << 20;

// Whether EvaluateInBlocks knows the operator (of the ONNX domain).
bool CanEvaluateInBlocks(const onnx::NodeProto& node);

// As Evaluate, with tensors by reference (null where an optional input is absent) and the result in
// `store`: of context.largest_result bytes at most. Nothing where Evaluate gives nothing, or where
// one element of the result is made of more than kBlockBytes.
std::optional<onnx::TensorProto> EvaluateInBlocks(const onnx::NodeProto& node,
                                                  std::span<const onnx::TensorProto* const> inputs,
                                                  const EvaluationContext& context,
                                                  TensorStore* store);

}  // namespace ptq
