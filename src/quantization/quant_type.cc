#include "quantization/quant_type.h"

#include <array>

namespace ptq {
namespace {

struct TypeRow {
  QuantType type;
  std::string_view name;
  onnx::TensorProto::DataType onnx_type;
  bool is_signed;
  IntegerRange full;
  IntegerRange symmetric;
  IntegerRange reduced;
};

constexpr std::array kTypes = {
    TypeRow{QuantType::kInt8,
            "QInt8",
            onnx::TensorProto::INT8,
            true,
            {-128, 127},
            {-127, 127},
            {-64, 64}},
    TypeRow{
        QuantType::kUInt8, "QUInt8", onnx::TensorProto::UINT8, false, {0, 255}, {0, 255}, {0, 127}},
};

const TypeRow& Row(QuantType type) { return kTypes[static_cast<size_t>(type)]; }

}  // namespace

std::string_view QuantTypeName(QuantType type) { return Row(type).name; }

std::optional<QuantType> QuantTypeFromName(std::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (row.name == name) return row.type;
  }
  return std::nullopt;
}

onnx::TensorProto::DataType OnnxType(QuantType type) { return Row(type).onnx_type; }

bool IsSigned(QuantType type) { return Row(type).is_signed; }

IntegerRange FittedRange(QuantType type, bool reduce_range, bool symmetric) {
  const TypeRow& row = Row(type);
  if (reduce_range) return row.reduced;
  return symmetric ? row.symmetric : row.full;
}

IntegerRange FullRange(QuantType type) { return Row(type).full; }

}  // namespace ptq
