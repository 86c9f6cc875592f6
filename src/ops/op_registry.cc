#include "ops/op_registry.h"

#include <algorithm>
#include <array>

namespace ptq {
namespace {

using Q = QdqRule;
using O = QOperatorRule;

constexpr std::array kOps = {
    OpRow{"Add", Q::kGeneric, O::kBinary},
    OpRow{"ArgMax", Q::kGeneric, O::kArgMax},
    OpRow{"AveragePool", Q::kSharedOutput, O::kUnary, {.unit_dilations = true}},
    OpRow{"BatchNormalization", Q::kNormalization, O::kNone},
    OpRow{"Clip", Q::kRemovable, O::kRemovable},
    OpRow{"Concat", Q::kConcat, O::kConcat},
    OpRow{"Conv", Q::kConv, O::kConv},
    OpRow{"ConvTranspose", Q::kConv, O::kNone, {.channel_axis = 1}},
    OpRow{"CumSum", Q::kGeneric, O::kNone},
    OpRow{"EmbedLayerNormalization", Q::kGeneric, O::kEmbedLayerNormalization},
    OpRow{"Flatten", Q::kSharedOutput, O::kSharedOutput},
    OpRow{"Gather", Q::kGather, O::kGather},
    OpRow{"GatherElements", Q::kGather, O::kNone},
    OpRow{"Gemm", Q::kGemm, O::kGemm},
    OpRow{"GlobalAveragePool", Q::kGeneric, O::kGlobalAveragePool},
    OpRow{"InstanceNormalization", Q::kNormalization, O::kNone},
    OpRow{"LayerNormalization", Q::kNormalization, O::kNone},
    OpRow{"LeakyRelu", Q::kGeneric, O::kUnary},
    OpRow{"MatMul", Q::kMatMul, O::kMatMul},
    OpRow{"MaxPool", Q::kSharedOutput, O::kSharedOutput, {.min_opset = 12, .float8 = false}},
    OpRow{"Mul", Q::kGeneric, O::kBinary},
    OpRow{"Pad", Q::kPad, O::kPad},
    OpRow{"Relu", Q::kRemovable, O::kRemovable},
    OpRow{"Reshape", Q::kSharedOutput, O::kSharedOutput},
    OpRow{"Resize", Q::kSharedOutput, O::kSharedOutput, {.min_opset = 11}},
    OpRow{"Sigmoid", Q::kGeneric, O::kUnary},
    OpRow{"Slice", Q::kSharedOutput, O::kNone},
    OpRow{"Softmax", Q::kGeneric, O::kSoftmax},
    OpRow{"Split", Q::kSplit, O::kSplit},
    OpRow{"Squeeze", Q::kSharedOutput, O::kSharedOutput},
    OpRow{"TopK", Q::kSharedOutput, O::kNone},
    OpRow{"Transpose", Q::kSharedOutput, O::kSharedOutput},
    OpRow{"Unsqueeze", Q::kSharedOutput, O::kSharedOutput},
    OpRow{"Where", Q::kWhere, O::kWhere},
};

constexpr bool ByName(const OpRow& a, const OpRow& b) { return a.op_type < b.op_type; }
static_assert(std::is_sorted(kOps.begin(), kOps.end(), ByName));

constexpr std::array<std::string_view, 16> kTestedWithoutRow = {
    "DepthToSpace", "Div", "Expand",     "Gelu",         "HardSigmoid", "HardSwish", "Max",  "Min",
    "PRelu",        "Pow", "ReduceMean", "SpaceToDepth", "Sqrt",        "Sub",       "Tanh", "Tile",
};
static_assert(std::is_sorted(kTestedWithoutRow.begin(), kTestedWithoutRow.end()));

}  // namespace

std::span<const OpRow> OpRegistry() { return kOps; }

const OpRow* FindOp(std::string_view op_type) {
  const auto row = std::lower_bound(
      kOps.begin(), kOps.end(), op_type,
      [](const OpRow& candidate, std::string_view name) { return candidate.op_type < name; });
  return row != kOps.end() && row->op_type == op_type ? &*row : nullptr;
}

QdqRule QdqRuleOf(std::string_view op_type) {
  const OpRow* row = FindOp(op_type);
  return row == nullptr ? QdqRule::kGeneric : row->qdq;
}

std::span<const std::string_view> TestedWithoutRow() { return kTestedWithoutRow; }

std::string_view Describe(QdqRule rule) {
  switch (rule) {
    case Q::kGeneric:
    case Q::kConcat:
      return "every float input and output";
    case Q::kConv:
      return "input, weight, output; int32 bias";
    case Q::kGemm:
      return "input, weight (channels by transB), output; int32 bias";
    case Q::kMatMul:
      return "inputs and output; initializers are weights";
    case Q::kRemovable:
      return "removed where the range does its work, else input and output";
    case Q::kSharedOutput:
      return "output shares the input's parameters, if the input is quantized";
    case Q::kGather:
      return "data and output share parameters; begins by itself on an initializer";
    case Q::kSplit:
      return "outputs share the input's parameters";
    case Q::kPad:
      return "inputs and output, which shares where no new value is padded";
    case Q::kWhere:
      return "both values and the output, if both values are quantized";
    case Q::kNormalization:
      return "input, scale as weight, outputs; int32 bias";
  }
  return "";
}

std::string_view Describe(QOperatorRule rule) {
  switch (rule) {
    case O::kNone:
      return "stays float";
    case O::kConv:
      return "QLinearConv";
    case O::kGemm:
      return "QGemm";
    case O::kMatMul:
      return "QLinearMatMul";
    case O::kBinary:
    case O::kUnary:
      return "QLinear form of com.microsoft";
    case O::kSoftmax:
      return "QLinearSoftmax, output scale 1/256";
    case O::kGlobalAveragePool:
      return "QLinearGlobalAveragePool, if its input is quantized";
    case O::kConcat:
      return "QLinearConcat";
    case O::kRemovable:
      return "removed where the range does its work, else float";
    case O::kSharedOutput:
      return "the same on quantized data, if its input is quantized";
    case O::kSplit:
      return "the same on quantized data";
    case O::kPad:
      return "the same on quantized data with a quantized pad value, if its input is quantized";
    case O::kGather:
      return "the same on a quantized initializer";
    case O::kArgMax:
      return "reads quantized data, if its input is quantized";
    case O::kWhere:
      return "QLinearWhere, if forced";
    case O::kEmbedLayerNormalization:
      return "QEmbedLayerNormalization";
  }
  return "";
}

}  // namespace ptq
