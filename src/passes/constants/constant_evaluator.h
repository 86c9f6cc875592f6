// Evaluates single nodes on constants: the operators that shape computations consist of.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "model/tensor_store.h"
#include "onnx/onnx_pb.h"

namespace ptq {

// A whole tensor in memory, its elements as raw little-endian bytes.
struct ConstantTensor {
  int32_t type = 0;  // onnx::TensorProto element type, of 8 bits or more
  std::vector<int64_t> dims;
  std::vector<uint8_t> bytes;
};

struct EvaluationContext {
  int64_t opset;            // of the ai.onnx domain
  uint64_t largest_result;  // bytes; larger results are refused
  const TensorStore& tensors;
};

// Null where an optional input is absent.
using ConstantInputs = std::span<const ConstantTensor* const>;

// Whether Evaluate knows the operator (of the ONNX domain).
bool CanEvaluate(const onnx::NodeProto& node);

// The node's only output from its inputs, in the node's order. Nothing where the case is not
// covered: other types, undefined arithmetic (division by zero, a float beyond an integer's range),
// shapes that do not fit, a result above the limit. Rules: onnx/docs/Operators.md.
std::optional<ConstantTensor> Evaluate(const onnx::NodeProto& node, ConstantInputs inputs,
                                       const EvaluationContext& context);

}  // namespace ptq
