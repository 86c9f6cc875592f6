// Conv, ConvTranspose, Gemm or MatMul followed by Mul, Div, Add and Sub of constants that are one
// number a channel becomes one node.
//
//   before: c = Conv(x, W, B)   m = Mul(c, s)   y = Add(m, t)       after: y = Conv(x, W', B')
//
//   W'[channel] = W[channel] * s[channel]     B' = B * s + t
//   where s and t are [1, channels, 1, …] or one number
//
// What remains of a BatchNormalization in many exports; onnxruntime's ConvMulFusion, ConvAddFusion
// and GemmSumFusion do parts of it.
#include <array>
#include <string_view>

#include "passes/fold_behind.h"
#include "passes/pass_registry.h"

namespace ptq {

int FoldOutputAffine(PassContext& context) {
  static constexpr std::array<std::string_view, 5> kFolded = {"Add", "Div", "Mul", "Sub", "Sum"};
  return FoldBehind(context, kFolded, "_folded");
}

}  // namespace ptq
