// Conv, ConvTranspose, Gemm or MatMul + BatchNormalization in inference form become one node.
//
//   before: c = Conv(x, W, B)   y = BatchNormalization(c, gamma, beta, mean, var)
//   after:  y = Conv(x, W', B')
//
//   s = gamma / sqrt(var + epsilon)     W'[channel] = W[channel] * s     B' = (B - mean) * s + beta
//   without a bias: B' = beta - mean * s
//
// Also where nodes that move values are between them, as onnxruntime's MatmulBNFusion (exporters
// write BatchNorm1d of a matrix as Unsqueeze, BatchNormalization, Squeeze).
#include <array>
#include <string_view>

#include "passes/fold_behind.h"
#include "passes/pass_registry.h"

namespace ptq {

int FoldBatchNorm(PassContext& context) {
  static constexpr std::array<std::string_view, 1> kFolded = {"BatchNormalization"};
  return FoldBehind(context, kFolded, "_bn_folded");
}

}  // namespace ptq
