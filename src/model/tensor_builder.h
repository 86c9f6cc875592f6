// New TensorProtos in the forms in which onnx's own tools store them: typed fields, as
// onnx.helper.make_tensor does (scales, zero points), and raw_data, as onnx.numpy_helper.from_array
// does (quantized weights and biases). Which of the two is used shows in the bytes of the file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "onnx/onnx_pb.h"

namespace ptq {

// Name, type and dims without data; give it some by TensorStore::SetBytes or Begin.
onnx::TensorProto EmptyTensor(const std::string& name, int32_t data_type,
                              std::span<const int64_t> dims);

// FLOAT in float_data.
onnx::TensorProto FloatTensor(const std::string& name, std::span<const int64_t> dims,
                              std::span<const float> values);

// FLOAT16 or BFLOAT16, rounded half to even, as bits in int32_data.
onnx::TensorProto HalfTensor(const std::string& name, int32_t data_type,
                             std::span<const int64_t> dims, std::span<const float> values);

// FLOAT, FLOAT16, BFLOAT16 or DOUBLE by the typed field that make_tensor uses for it.
onnx::TensorProto RealTensor(const std::string& name, int32_t data_type,
                             std::span<const int64_t> dims, std::span<const float> values);

// Any integer type or BOOL by the field that make_tensor uses: int64_data for INT64, uint64_data
// for UINT32 and UINT64, else int32_data. INT4 and UINT4 are packed here, two values an entry; the
// values given are one per element.
onnx::TensorProto IntTensor(const std::string& name, int32_t data_type,
                            std::span<const int64_t> dims, std::span<const int64_t> values);

// The types that int32_data holds.
onnx::TensorProto Int32FieldTensor(const std::string& name, int32_t data_type,
                                   std::span<const int64_t> dims, std::span<const int32_t> values);

// Any type, as raw little-endian bytes. Meant for small data: TensorStore::SetBytes knows scratch.
onnx::TensorProto RawTensor(const std::string& name, int32_t data_type,
                            std::span<const int64_t> dims, std::span<const uint8_t> bytes);

// Two 4-bit values a byte, the first in the low half; an odd count leaves the last high half 0.
std::vector<uint8_t> PackInt4(std::span<const int64_t> values);

}  // namespace ptq
