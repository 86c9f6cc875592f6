#include "quantization/quant_type.h"

#include <array>

namespace ptq {
namespace {

using onnx::TensorProto;

struct TypeRow {
  QuantType type;
  std::string_view name;
  TensorProto::DataType onnx_type;
  int bits;
  bool is_signed;
  IntegerRange full;
  IntegerRange symmetric;
  IntegerRange reduced;
};

using Q = QuantType;

// In the order of the enum.
// clang-format off
constexpr std::array kTypes = {
    TypeRow{Q::kInt8, "QInt8", TensorProto::INT8, 8, true,
            {-128, 127}, {-127, 127}, {-64, 64}},
    TypeRow{Q::kUInt8, "QUInt8", TensorProto::UINT8, 8, false,
            {0, 255}, {0, 255}, {0, 127}},
    TypeRow{Q::kInt16, "QInt16", TensorProto::INT16, 16, true,
            {-32768, 32767}, {-32767, 32767}, {-16384, 16384}},
    TypeRow{Q::kUInt16, "QUInt16", TensorProto::UINT16, 16, false,
            {0, 65535}, {0, 65535}, {0, 32767}},
    TypeRow{Q::kInt4, "QInt4", TensorProto::INT4, 4, true,
            {-8, 7}, {-8, 7}, {-4, 3}},
    TypeRow{Q::kUInt4, "QUInt4", TensorProto::UINT4, 4, false,
            {0, 15}, {0, 15}, {0, 7}},
    TypeRow{Q::kFloat8E4M3FN, "QFLOAT8E4M3FN", TensorProto::FLOAT8E4M3FN, 8, true,
            {-448, 448}, {-448, 448}, {-448, 448}},
};
// clang-format on

const TypeRow& Row(QuantType type) { return kTypes[static_cast<size_t>(type)]; }

}  // namespace

std::string_view QuantTypeName(QuantType type) { return Row(type).name; }

std::optional<QuantType> QuantTypeFromName(std::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (row.name == name) return row.type;
  }
  return std::nullopt;
}

TensorProto::DataType OnnxType(QuantType type) { return Row(type).onnx_type; }

bool IsSigned(QuantType type) { return Row(type).is_signed; }

int Bits(QuantType type) { return Row(type).bits; }

IntegerRange FittedRange(QuantType type, bool reduce_range, bool symmetric) {
  const TypeRow& row = Row(type);
  if (reduce_range) return row.reduced;
  return symmetric ? row.symmetric : row.full;
}

IntegerRange FullRange(QuantType type) { return Row(type).full; }

}  // namespace ptq
