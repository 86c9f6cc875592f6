#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace {

TEST(EliminateUnused, KeepsExactlyWhatOutputsNeed) {
  PassTest test(R"(g (float[2] x, bool c) => (float[2] y)
      <float[2] w = {1.0, 2.0}, float[2] gone = {1.0, 2.0}, float[2] body = {1.0, 2.0}, float[2] v> {
    dead = Add(x, gone)
    v = Relu(dead)
    k = Add(x, w)
    y = If(c) <then_branch = t () => (float[2] p) { p = Add(k, body) },
               else_branch = e () => (float[2] q) { q = Neg(x) }>
  })");
  ASSERT_EQ(test.graph().value_info_size(), 1);
  EXPECT_EQ(EliminateUnused(test.context), 3);
  EXPECT_EQ(Wiring(test.graph()), "Add(x,w)->k; If(c)->y");
  EXPECT_EQ(InitializerNames(test.graph()), "w,body");
  EXPECT_EQ(test.graph().value_info_size(), 0);
}

}  // namespace
}  // namespace ptq
