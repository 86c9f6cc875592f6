#include "passes/optimize_model.h"

#include <gtest/gtest.h>

#include "passes/shape_text.h"
#include "testing/model_text.h"

namespace ptq {
namespace {

TEST(OptimizeModel, PassesWorkOnEachOthersResults) {
  // Weights in Constant nodes, an Identity between Conv and BatchNormalization, a dead branch.
  TextModel text(
      R"(<ir_version: 7, opset_import: ["" : 13]> g (float[1,1,4,4] x) => (float[1,1,4,4] y) {
    w = Constant <value = float[1,1,1,1] {2.0}> ()
    one = Constant <value = float[1] {1.0}> ()
    c = Conv(x, w)
    i = Identity(c)
    n = BatchNormalization<epsilon = 0.0>(i, one, one, one, one)
    s = Shape(n)
    y = Relu(n)
  })");
  Diagnostics diagnostics;
  const PrepareResult result = OptimizeModel(text.model, diagnostics);
  EXPECT_EQ(OpTypes(text.model.graph()), "Conv Relu");
  EXPECT_EQ(text.model.graph().initializer_size(), 2);
  EXPECT_EQ(ShapeOf(text.model, "n"), "1,1,4,4");
  const std::vector<std::pair<std::string, int>> expected = {{"extract_constants", 2},
                                                             {"eliminate_identity", 1},
                                                             {"fold_constants", 1},
                                                             {"fold_batch_norm", 1},
                                                             {"eliminate_unused", 3}};
  EXPECT_EQ(result.changes, expected);
  Diagnostics again;
  EXPECT_TRUE(OptimizeModel(text.model, again).changes.empty());
}

}  // namespace
}  // namespace ptq
