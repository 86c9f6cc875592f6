// The passes of optimize_model in the order in which they run.
#pragma once

#include <span>

#include "passes/pass.h"

namespace ptq {

// One function a file: <name>.cc opens with a sketch of what it does.
int InlineFunctions(PassContext& context);
int DropInitializerInputs(PassContext& context);
int ExtractConstants(PassContext& context);
int EliminateDropout(PassContext& context);
int EliminateIdentity(PassContext& context);
int EliminateNoopCast(PassContext& context);
int FoldConstants(PassContext& context);
int RaiseToTarget(PassContext& context);  // upgrade_opset.cc
int FoldReshapeShapes(PassContext& context);
int EliminateNoopMovement(PassContext& context);
int EliminateNoopArithmetic(PassContext& context);
int EliminateCommonSubexpressions(PassContext& context);
int MergeTransposes(PassContext& context);
int CancelReshapes(PassContext& context);
int SinkTransposes(PassContext& context);
int FuseSpaceToDepth(PassContext& context);
int FuseDepthToSpace(PassContext& context);
int FoldKnownIntegers(PassContext& context);
int InlineConstantIf(PassContext& context);
int UnrollLoop(PassContext& context);
int MergeReshapes(PassContext& context);
int FusePatterns(PassContext& context);
int FoldPad(PassContext& context);
int FuseTransposeGemm(PassContext& context);
int FuseMatMulAdd(PassContext& context);
int FoldBatchNorm(PassContext& context);
int FoldOutputAffine(PassContext& context);
int FoldInputScale(PassContext& context);
int EliminateUnused(PassContext& context);
int DropUnusedImports(PassContext& context);

std::span<const Pass> OptimizePasses();

}  // namespace ptq
