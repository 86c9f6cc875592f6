#include "passes/static_shapes.h"

#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace {

TEST(StaticShapes, FollowFromInputsAndConstantsAlone) {
  PassTest test(R"(g (float[N,3,8,8] x, float y) => (float[1,2] z)
      <float[2] w = {1.0, 2.0}, float[7] r> { r = Relu(x) s = Foo(x) z = Add(s, w) })");
  StaticShapes shapes(test.context);
  EXPECT_EQ(shapes.Of("r"), (std::vector<int64_t>{kUnknownDim, 3, 8, 8}));  // not as stated
  EXPECT_EQ(shapes.Of("w"), std::vector<int64_t>{2});
  EXPECT_EQ(shapes.Of("y"), std::vector<int64_t>{});
  EXPECT_EQ(shapes.Of("s"), std::nullopt);
  EXPECT_EQ(shapes.Of("z"), std::nullopt);
  EXPECT_EQ(shapes.Of("nobody"), std::nullopt);
}

}  // namespace
}  // namespace ptq
