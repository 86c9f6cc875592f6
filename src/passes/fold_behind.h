// What folds constants behind a linear layer into its weight and bias.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "passes/pass.h"

namespace ptq {

// Conv, ConvTranspose, Gemm and MatMul of constant weights take the affine steps (affine_steps.h)
// of the op types `folded` behind them, also behind nodes that move values, as long as nothing else
// reads what is between them:
//
//   before: c = Conv(x, W, B)   t = Transpose(c)   y = Mul(t, s)
//   after:  c = Conv(x, W', B')   y = Transpose(c)        W'[channel] = W[channel] * s[channel]
//
// A MatMul has its bias in an Add, or becomes a Gemm for it where x is a matrix. No weight becomes
// two: one that several nodes share is scaled once, if for all of them alike. New tensors are named
// after the old ones, with `suffix`. Returns the number of nodes that went or changed.
int FoldBehind(PassContext& context, std::span<const std::string_view> folded,
               const std::string& suffix);

}  // namespace ptq
