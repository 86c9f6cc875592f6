// The typed fields of a TensorProto (float_data, int32_data, …) seen as the raw bytes that they
// stand for.
#pragma once

#include <cstdint>
#include <span>

#include "onnx/onnx_pb.h"

namespace ptq {

// Bytes of the raw form that the tensor's typed field holds, by its number of entries.
uint64_t TypedByteSize(const onnx::TensorProto& tensor);

// Part of the raw form; the range lies within TypedByteSize.
void ReadTyped(const onnx::TensorProto& tensor, uint64_t offset, std::span<uint8_t> into);

}  // namespace ptq
