// The integer types that a tensor is quantized to, and their ranges.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "onnx/onnx_pb.h"

namespace ptq {

enum class QuantFormat { kQOperator, kQDQ };

// Element type of quantized data; the names are the reference's QuantType members.
enum class QuantType { kInt8, kUInt8 };

struct IntegerRange {
  int32_t min;
  int32_t max;
};

// QInt8 -> "QInt8"; and back (nullopt for an unknown name).
std::string_view QuantTypeName(QuantType type);
std::optional<QuantType> QuantTypeFromName(std::string_view name);

onnx::TensorProto::DataType OnnxType(QuantType type);
bool IsSigned(QuantType type);

// Quantized values that scale and zero point are fitted to (onnxruntime.quantization,
// get_qmin_qmax_for_qType): a reduced range wins over a symmetric one.
//            full        symmetric   reduced
//   QInt8    -128..127   -127..127   -64..64
//   QUInt8   0..255      0..255      0..127
IntegerRange FittedRange(QuantType type, bool reduce_range, bool symmetric);

// All values of the type: what quantized data is clipped to.
IntegerRange FullRange(QuantType type);

}  // namespace ptq
