#include "passes/pass_registry.h"

namespace ptq {

std::span<const Pass> OptimizePasses() {
  // Each relies on the ones above it: everything after the third sees weights as initializers and
  // nothing else, BatchNormalization is looked for once nothing stands between it and its Conv, and
  // equal nodes give way once each has been folded with what is its own. Patterns come before what
  // would take their constants. What later passes leave, earlier ones see in the next round
  // (optimize_model.cc).
  static constexpr Pass kPasses[] = {
      {"inline_functions", "calls of the model's own functions become their nodes", InlineFunctions,
       true},
      {"drop_initializer_inputs", "weights repeated as graph inputs become constants",
       DropInitializerInputs, true},
      {"extract_constants", "Constant nodes become initializers", ExtractConstants},
      {"eliminate_dropout", "Dropout in inference form is bypassed", EliminateDropout},
      {"eliminate_identity", "Identity is bypassed", EliminateIdentity},
      {"eliminate_noop_cast", "Casts that change nothing are bypassed", EliminateNoopCast},
      {"fold_constants", "subgraphs of constants are evaluated", FoldConstants},
      {"upgrade_opset", "the model is raised to the opset that was asked for", RaiseToTarget, true},
      {"fold_known_integers", "integers computed of known dimensions become constants",
       FoldKnownIntegers},
      {"fold_reshape_shapes", "computed shapes and ends that copy dimensions become constants",
       FoldReshapeShapes},
      {"inline_constant_if", "If with a constant condition becomes its branch", InlineConstantIf},
      {"unroll_loop", "Loop of a few iterations over weights becomes their nodes", UnrollLoop},
      {"eliminate_noop_movement", "movement that leaves everything at its place is bypassed",
       EliminateNoopMovement},
      {"eliminate_noop_arithmetic", "arithmetic with 0 or 1 that changes nothing is bypassed",
       EliminateNoopArithmetic},
      {"fuse_patterns",
       "LayerNormalization, RMSNormalization, Gelu, Swish and HardSwish in pieces become one node",
       FusePatterns},
      {"fold_pad", "Pad with zeros becomes the padding of the Conv or pool behind it", FoldPad},
      {"fuse_transpose_gemm", "Transpose of a matrix becomes an attribute of the Gemm behind it",
       FuseTransposeGemm},
      {"fuse_matmul_add", "MatMul + Add of constants become one Gemm", FuseMatMulAdd},
      {"fold_batch_norm", "Conv, Gemm or MatMul + BatchNormalization become one node",
       FoldBatchNorm},
      {"fold_output_affine", "arithmetic with constants behind Conv, Gemm or MatMul goes into it",
       FoldOutputAffine},
      {"fold_input_scale", "constant factors in front of Conv, Gemm or MatMul go into the weight",
       FoldInputScale},
      {"eliminate_common_subexpressions", "nodes that do what an earlier one did give way to it",
       EliminateCommonSubexpressions},
      {"fuse_space_to_depth", "slices of every second row and column become SpaceToDepth",
       FuseSpaceToDepth},
      {"fuse_depth_to_space", "Reshape, Transpose, Reshape of blocks become one node",
       FuseDepthToSpace},
      {"sink_transposes", "Transposes move behind elementwise nodes, where they become fewer",
       SinkTransposes},
      {"merge_transposes", "Transposes in a row become one, those of unit dimensions Reshapes",
       MergeTransposes},
      {"merge_reshapes", "Reshape, Flatten, Squeeze and Unsqueeze in a row become one",
       MergeReshapes},
      {"cancel_reshapes", "Reshapes that cancel around elementwise nodes go", CancelReshapes},
      {"eliminate_unused", "what no output needs is removed", EliminateUnused},
      {"drop_unused_imports", "opset imports that no node needs are dropped", DropUnusedImports},
  };
  return kPasses;
}

}  // namespace ptq
