#include "model/find_constant.h"

#include <gtest/gtest.h>

#include "testing/model_text.h"

namespace ptq {
namespace {

TEST(FindConstant, IsAnInitializerOrTheTensorOfAConstantNode) {
  const TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[2] x) => (float[2] y) <float[2] w = {1.0, 2.0}> {
      c = Constant <value = float[2] {3, 4}> ()
      list = Constant <value_ints = [1, 2]> ()
      custom = acme.Constant <value = float[1] {5}> ()
      s = Add(x, c) y = Mul(s, w)
    })");
  const GraphView view(text.model.graph());
  ASSERT_NE(FindConstant(view, "w"), nullptr);
  EXPECT_EQ(FindConstant(view, "w")->name(), "w");
  ASSERT_NE(FindConstant(view, "c"), nullptr);
  EXPECT_EQ(text.model.tensors().ReadFloats(*FindConstant(view, "c")), (std::vector<float>{3, 4}));
  for (const char* other : {"list", "custom", "s", "x", "nobody"}) {
    EXPECT_EQ(FindConstant(view, other), nullptr) << other;
  }
}

}  // namespace
}  // namespace ptq
