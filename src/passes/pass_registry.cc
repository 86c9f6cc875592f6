#include "passes/pass_registry.h"

namespace ptq {

std::span<const Pass> OptimizePasses() {
  // Each relies on the ones above it: everything after the third sees weights as initializers and
  // nothing else, BatchNormalization is looked for once nothing stands between it and its Conv.
  // What the later ones leave, the earlier ones see in the next round (optimize_model.cc).
  static constexpr Pass kPasses[] = {
      {"inline_functions", "calls of the model's own functions become their nodes", InlineFunctions,
       true},
      {"drop_initializer_inputs", "weights repeated as graph inputs become constants",
       DropInitializerInputs, true},
      {"extract_constants", "Constant nodes become initializers", ExtractConstants},
      {"eliminate_dropout", "Dropout in inference form is bypassed", EliminateDropout},
      {"eliminate_identity", "Identity is bypassed", EliminateIdentity},
      {"eliminate_noop_cast", "Cast to the type that a tensor has is bypassed", EliminateNoopCast},
      {"fold_constants", "subgraphs of constants are evaluated", FoldConstants},
      {"upgrade_opset", "the model is raised to the opset that was asked for", RaiseToTarget, true},
      {"fold_reshape_shapes", "computed Reshape shapes that copy dimensions become constants",
       FoldReshapeShapes},
      {"fold_batch_norm", "Conv + BatchNormalization become one Conv", FoldBatchNorm},
      {"fold_conv_mul_add", "Conv + Mul or Add of a constant per channel become one Conv",
       FoldConvMulAdd},
      {"eliminate_unused", "what no output needs is removed", EliminateUnused},
      {"drop_unused_imports", "opset imports that no node needs are dropped", DropUnusedImports},
  };
  return kPasses;
}

}  // namespace ptq
