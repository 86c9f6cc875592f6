// ONNX element types: their names and sizes, and how many elements a tensor has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "onnx/onnx_pb.h"

namespace ptq {

// "FLOAT", or "of unknown type 99".
std::string ElementTypeName(int32_t data_type);

// Bits of one element as ONNX stores it: 4 for INT4/UINT4, 32 for FLOAT. Nothing for STRING, whose
// elements have no fixed size, and for unknown types.
std::optional<int> FindElementBits(int32_t data_type);

// The same. Throws kUnsupportedModel where there is nothing.
int ElementBits(int32_t data_type);

// Bytes of one element; 0 where it does not fill whole bytes or has no fixed size.
uint64_t ElementBytes(int32_t data_type);

// Bytes of `elements` of `bits` each, side by side as in raw_data: 2 for three of INT4.
constexpr uint64_t PackedBytes(uint64_t elements, int bits) {
  return (elements * static_cast<uint64_t>(bits) + 7) / 8;
}

// Product of dims; 1 for a scalar. Throws kInvalidModel for a negative or overflowing product.
uint64_t ElementCount(const onnx::TensorProto& tensor);

}  // namespace ptq
