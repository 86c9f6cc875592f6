#include "quantization/quantized_already.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "model/domains.h"

namespace ptq {
namespace {

template <size_t N>
bool IsOneOf(std::string_view op_type, const std::array<std::string_view, N>& op_types) {
  return std::find(op_types.begin(), op_types.end(), op_type) != op_types.end();
}

}  // namespace

bool QuantizesAtRunTime(const onnx::NodeProto& node) {
  static constexpr std::array<std::string_view, 4> kOpTypes = {
      "DynamicQuantizeLSTM", "DynamicQuantizeLinear", "DynamicQuantizeMatMul", "QAttention"};
  return IsOneOf(node.op_type(), kOpTypes);
}

bool MakesInt32(const onnx::NodeProto& node) {
  static constexpr std::array<std::string_view, 2> kOpTypes = {"ConvInteger", "MatMulInteger"};
  return IsOneOf(node.op_type(), kOpTypes);
}

bool IsQuantizationOp(const onnx::NodeProto& node) {
  static constexpr std::array<std::string_view, 6> kOpTypes = {"DequantizeLinear",
                                                               "MatMulIntegerToFloat",
                                                               "MatMulNBits",
                                                               "QEmbedLayerNormalization",
                                                               "QGemm",
                                                               "QuantizeLinear"};
  if (!IsOnnxDomain(node.domain()) && node.domain() != kMicrosoftDomain) return false;
  return QuantizesAtRunTime(node) || MakesInt32(node) || IsOneOf(node.op_type(), kOpTypes) ||
         node.op_type().starts_with("QLinear");
}

}  // namespace ptq
