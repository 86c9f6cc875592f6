#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace eliminate_common_subexpressions_test {

std::string After(const std::string& graph, int changes) {
  PassTest test(graph);
  EXPECT_EQ(EliminateCommonSubexpressions(test.context), changes);
  EXPECT_EQ(EliminateCommonSubexpressions(test.context), 0);
  return Wiring(test.graph());
}

TEST(EliminateCommonSubexpressions, TheSecondGivesWayToTheFirst) {
  EXPECT_EQ(After("g (float[N,M] x) => (float[M,N] y) "
                  "{ a = Transpose(x) b = Transpose(x) y = Add(a, b) }",
                  1),
            "Transpose(x)->a; Add(a,a)->y");
}

TEST(EliminateCommonSubexpressions, WhatReadsThemIsThenEqual) {
  EXPECT_EQ(After("g (float[N] x) => (float[N] y) "
                  "{ a = Relu(x) b = Relu(x) c = Neg(a) d = Neg(b) y = Add(c, d) }",
                  2),
            "Relu(x)->a; Neg(a)->c; Add(c,c)->y");
}

TEST(EliminateCommonSubexpressions, SmallConstantsGoByTheirElements) {
  const std::string adds = "{ a = Add(x, p) b = Add(x, q) y = Mul(a, b) }";
  EXPECT_EQ(After("g (float[2] x) => (float[2] y) "
                  "<float[2] p = {1.0, 2.0}, float[2] q = {1.0, 2.0}> " +
                      adds,
                  1),
            "Add(x,p)->a; Mul(a,a)->y");
  EXPECT_EQ(After("g (float[2] x) => (float[2] y) "
                  "<float[2] p = {1.0, 2.0}, float[2] q = {1.0, 3.0}> " +
                      adds,
                  0),
            "Add(x,p)->a; Add(x,q)->b; Mul(a,b)->y");
  EXPECT_EQ(After("g (float[2] x) => (float[1,2] y) "
                  "<float[2] p = {1.0, 2.0}, float[1,2] q = {1.0, 2.0}> " +
                      adds,
                  0),
            "Add(x,p)->a; Add(x,q)->b; Mul(a,b)->y");
}

TEST(EliminateCommonSubexpressions, AttributesAndOrderOfInputsCount) {
  EXPECT_EQ(After("g (float[N,M] x) => (float[N,M] y) { a = Softmax <axis = 0> (x) "
                  "b = Softmax <axis = 1> (x) y = Add(a, b) }",
                  0),
            "Softmax(x)->a; Softmax(x)->b; Add(a,b)->y");
  EXPECT_EQ(After("g (float[N] x, float[N] z) => (float[N] y) "
                  "{ a = Sub(x, z) b = Sub(z, x) y = Add(a, b) }",
                  0),
            "Sub(x,z)->a; Sub(z,x)->b; Add(a,b)->y");
}

TEST(EliminateCommonSubexpressions, AttributesInAnotherOrderAreTheSame) {
  EXPECT_EQ(After("g (float[1,1,8] x, float[1,1,3] w) => (float[N] y) "
                  "{ a = Conv <strides = [1], pads = [1, 1]> (x, w) "
                  "b = Conv <pads = [1, 1], strides = [1]> (x, w) y = Add(a, b) }",
                  1),
            "Conv(x,w)->a; Add(a,a)->y");
}

TEST(EliminateCommonSubexpressions, WhatIsRandomStays) {
  EXPECT_EQ(After("g (float[N] x) => (float[N] y) "
                  "{ a = RandomNormalLike(x) b = RandomNormalLike(x) y = Add(a, b) }",
                  0),
            "RandomNormalLike(x)->a; RandomNormalLike(x)->b; Add(a,b)->y");
}

TEST(EliminateCommonSubexpressions, GraphOutputsKeepTheirNames) {
  EXPECT_EQ(After("g (float[N] x) => (float[N] a, float[N] b) { a = Relu(x) b = Relu(x) }", 0),
            "Relu(x)->a; Relu(x)->b");
}

TEST(EliminateCommonSubexpressions, CustomOperatorsStay) {
  EXPECT_EQ(
      After("g (float[N] x) => (float[N] y) { a = acme.Dice(x) b = acme.Dice(x) y = Add(a, b) }",
            0),
      "Dice(x)->a; Dice(x)->b; Add(a,b)->y");
}

TEST(EliminateCommonSubexpressions, ReadsInBodiesFollow) {
  PassTest test(R"(g (float[N] x, bool c) => (float[N] y) {
    a = Relu(x) b = Relu(x)
    y = If (c) <then_branch = t () => (float[N] p) { p = Add(a, b) },
                else_branch = e () => (float[N] q) { q = Neg(b) }> })");
  EXPECT_EQ(EliminateCommonSubexpressions(test.context), 1);
  EXPECT_EQ(Wiring(test.graph().node(1).attribute(0).g()), "Add(a,a)->p");
}

}  // namespace eliminate_common_subexpressions_test
}  // namespace ptq
