#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace {

TEST(EliminateDropout, InferenceFormsGo) {
  PassTest old("g (float[2] x) => (float[2] y) { a, m = Dropout<ratio = 0.3>(x) y = Relu(a) }",
               R"(<ir_version: 8, opset_import: ["" : 7]> )");
  EXPECT_EQ(EliminateDropout(old.context), 1);
  EXPECT_EQ(Wiring(old.graph()), "Relu(x)->y");
  PassTest fresh(R"(g (float[2] x) => (float[2] y)
      <float r = {0.3}, bool no = {0}> { a = Dropout(x, r, no) b = Dropout(a, r) y = Relu(b) })");
  EXPECT_EQ(EliminateDropout(fresh.context), 2);
  EXPECT_EQ(Wiring(fresh.graph()), "Relu(x)->y");
}

TEST(EliminateDropout, TrainingAndUsedMasksStay) {
  PassTest test(R"(g (float[2] x, bool maybe) => (float[2] y, bool[2] m)
      <float r = {0.3}, bool yes = {1}> {
    a = Dropout(x, r, yes)
    b = Dropout(a, r, maybe)
    y, m = Dropout(b)
  })");
  EXPECT_EQ(EliminateDropout(test.context), 0);
}

}  // namespace
}  // namespace ptq
