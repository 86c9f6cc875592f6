// The types that a tensor is quantized to, and their ranges.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "onnx/onnx_pb.h"

namespace ptq {

enum class QuantFormat { kQOperator, kQDQ };

// Element type of quantized data; the names are the reference's QuantType members.
enum class QuantType { kInt8, kUInt8, kInt16, kUInt16, kInt4, kUInt4, kFloat8E4M3FN };

struct IntegerRange {
  int32_t min;
  int32_t max;
};

// QInt8 -> "QInt8"; and back (nullopt for an unknown name).
std::string_view QuantTypeName(QuantType type);
std::optional<QuantType> QuantTypeFromName(std::string_view name);

onnx::TensorProto::DataType OnnxType(QuantType type);
bool IsSigned(QuantType type);  // float8 counts: its weights are symmetric
int Bits(QuantType type);       // of one element: 4, 8 or 16

inline bool IsFloat8(QuantType type) { return type == QuantType::kFloat8E4M3FN; }

// Quantized values that scale and zero point are fitted to (onnxruntime.quantization,
// get_qmin_qmax_for_qType): a reduced range wins over a symmetric one. Not for float8.
//            full             symmetric        reduced
//   QInt8    -128..127        -127..127        -64..64
//   QUInt8   0..255           0..255           0..127
//   QInt16   -32768..32767    -32767..32767    -16384..16384
//   QUInt16  0..65535         0..65535         0..32767
//   QInt4    -8..7            -8..7            -4..3
//   QUInt4   0..15            0..15            0..7
IntegerRange FittedRange(QuantType type, bool reduce_range, bool symmetric);

// All values of the type: what quantized data is clipped to. Float8: its integers, -448..448.
IntegerRange FullRange(QuantType type);

}  // namespace ptq
