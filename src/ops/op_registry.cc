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
    OpRow{"AveragePool", Q::kSharedOutput, O::kUnary},
    OpRow{"BatchNormalization", Q::kNormalization, O::kNone},
    OpRow{"Clip", Q::kRemovable, O::kRemovable},
    OpRow{"Concat", Q::kGeneric, O::kConcat},
    OpRow{"Conv", Q::kConv, O::kConv},
    OpRow{"ConvTranspose", Q::kConv, O::kNone},
    OpRow{"CumSum", Q::kGeneric, O::kNone},
    OpRow{"EmbedLayerNormalization", Q::kGeneric, O::kNone},
    OpRow{"Flatten", Q::kSharedOutput, O::kSharedOutput},
    OpRow{"Gather", Q::kGather, O::kGather},
    OpRow{"GatherElements", Q::kGather, O::kNone},
    OpRow{"Gemm", Q::kGemm, O::kGemm},
    OpRow{"GlobalAveragePool", Q::kGeneric, O::kGlobalAveragePool},
    OpRow{"InstanceNormalization", Q::kNormalization, O::kNone},
    OpRow{"LayerNormalization", Q::kNormalization, O::kNone},
    OpRow{"LeakyRelu", Q::kGeneric, O::kUnary},
    OpRow{"MatMul", Q::kMatMul, O::kMatMul},
    OpRow{"MaxPool", Q::kSharedOutput, O::kSharedOutput, 12},
    OpRow{"Mul", Q::kGeneric, O::kBinary},
    OpRow{"Pad", Q::kPad, O::kPad},
    OpRow{"Relu", Q::kRemovable, O::kRemovable},
    OpRow{"Reshape", Q::kSharedOutput, O::kSharedOutput},
    OpRow{"Resize", Q::kSharedOutput, O::kSharedOutput, 11},
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

}  // namespace

std::span<const OpRow> OpRegistry() { return kOps; }

const OpRow* FindOp(std::string_view op_type) {
  const auto row = std::lower_bound(
      kOps.begin(), kOps.end(), op_type,
      [](const OpRow& candidate, std::string_view name) { return candidate.op_type < name; });
  return row != kOps.end() && row->op_type == op_type ? &*row : nullptr;
}

}  // namespace ptq
