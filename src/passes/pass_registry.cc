#include "passes/pass_registry.h"

namespace ptq {

std::span<const Pass> OptimizePasses() {
  // Each relies on the ones above it: everything after the third sees weights as initializers and
  // nothing else, BatchNormalization is looked for once nothing stands between it and its Conv.
  static constexpr Pass kPasses[] = {
      {"inline_functions", "calls of the model's own functions become their nodes",
       InlineFunctions},
      {"drop_initializer_inputs", "weights repeated as graph inputs become constants",
       DropInitializerInputs},
      {"extract_constants", "Constant nodes become initializers", ExtractConstants},
      {"eliminate_dropout", "Dropout in inference form is bypassed", EliminateDropout},
      {"eliminate_identity", "Identity is bypassed", EliminateIdentity},
      {"eliminate_noop_cast", "Cast to the type that a tensor has is bypassed", EliminateNoopCast},
      {"fold_constants", "subgraphs of constants are evaluated", FoldConstants},
      {"fold_reshape_shapes", "computed Reshape shapes that copy dimensions become constants",
       FoldReshapeShapes},
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
      {"eliminate_unused", "what no output needs is removed", EliminateUnused},
      {"drop_unused_imports", "opset imports that no node needs are dropped", DropUnusedImports},
  };
  return kPasses;
}

}  // namespace ptq
