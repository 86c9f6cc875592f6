#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace inline_constant_if_test {

std::string Graph(const std::string& condition, const std::string& yes, const std::string& no) {
  return "g (float[2] x) => (float[2] y) <bool c = {" + condition +
         "}> { h = Relu(x) y = If (c) <then_branch = t () => (float[2] a) " + yes +
         ", else_branch = e () => (float[2] a) " + no + "> }";
}

TEST(InlineConstantIf, TheBranchThatIsTakenStays) {
  PassTest yes(Graph("1", "{ a = Neg(h) }", "{ a = Abs(h) }"));
  EXPECT_EQ(InlineConstantIf(yes.context), 1);
  EXPECT_EQ(Wiring(yes.graph()), "Relu(x)->h; Neg(h)->y");
  EXPECT_EQ(InlineConstantIf(yes.context), 0);
  PassTest no(Graph("0", "{ a = Neg(h) }", "{ a = Abs(h) }"));
  EXPECT_EQ(InlineConstantIf(no.context), 1);
  EXPECT_EQ(Wiring(no.graph()), "Relu(x)->h; Abs(h)->y");
}

TEST(InlineConstantIf, WeightsOfTheBranchAreWeightsOfTheGraph) {
  PassTest test(Graph("1", "<float[2] w = {1.0, 2.0}> { b = Mul(h, w) a = Neg(b) }",
                      "<float[2] w = {3.0, 4.0}> { b = Mul(h, w) a = Abs(b) }"));
  EXPECT_EQ(InlineConstantIf(test.context), 1);
  EXPECT_EQ(Wiring(test.graph()), "Relu(x)->h; Mul(h,w)->b; Neg(b)->y");
  EXPECT_EQ(test.text.model.tensors().ReadFloats(InitializerOf(test.graph(), "w")),
            (std::vector<float>{1, 2}));
}

TEST(InlineConstantIf, TwoBranchesOfTheSameNamesDoNotClash) {
  PassTest test(R"(g (float[2] x) => (float[2] y) <bool c = {1}> {
    h = If (c) <then_branch = t () => (float[2] a) { b = Relu(x) a = Neg(b) },
                else_branch = e () => (float[2] a) { a = Abs(x) }>
    y = If (c) <then_branch = t () => (float[2] a) { b = Exp(h) a = Neg(b) },
                else_branch = e () => (float[2] a) { a = Abs(h) }> })");
  EXPECT_EQ(InlineConstantIf(test.context), 2);
  const std::string wiring = Wiring(test.graph());
  EXPECT_EQ(OpTypes(test.graph()), "Relu Neg Exp Neg");
  EXPECT_EQ(wiring.substr(0, 24), "Relu(x)->b; Neg(b)->h; E");
  EXPECT_NE(test.graph().node(2).output(0), "b");
  EXPECT_EQ(test.graph().node(3).input(0), test.graph().node(2).output(0));
}

TEST(InlineConstantIf, AnOutputFromAroundIsPassedOn) {
  PassTest test(R"(g (float[2] x) => (float[2] y) <bool c = {1}> {
    h = Relu(x)
    y = If (c) <then_branch = t () => (float[2] h) { unused = Neg(h) },
                else_branch = e () => (float[2] a) { a = Abs(h) }> })");
  EXPECT_EQ(InlineConstantIf(test.context), 1);
  EXPECT_EQ(Wiring(test.graph()), "Relu(x)->h; Neg(h)->unused; Identity(h)->y");
}

TEST(InlineConstantIf, OneInABranchIsInlinedNext) {
  PassTest test(R"(g (float[2] x) => (float[2] y) <bool c = {1}> {
    y = If (c) <then_branch = t () => (float[2] a) {
                  a = If (c) <then_branch = p () => (float[2] d) { d = Neg(x) },
                              else_branch = q () => (float[2] d) { d = Abs(x) }> },
                else_branch = e () => (float[2] a) { a = Exp(x) }> })");
  EXPECT_EQ(InlineConstantIf(test.context), 1);
  EXPECT_EQ(InlineConstantIf(test.context), 1);
  EXPECT_EQ(Wiring(test.graph()), "Neg(x)->y");
}

TEST(InlineConstantIf, AConditionThatIsComputedOrReplaceableStays) {
  const std::string branches = R"(y = If (c) <then_branch = t () => (float[2] a) { a = Neg(x) },
                                              else_branch = e () => (float[2] b) { b = Abs(x) }> })";
  PassTest input("g (float[2] x, bool c) => (float[2] y) { " + branches);
  EXPECT_EQ(InlineConstantIf(input.context), 0);
  PassTest replaceable("g (float[2] x, bool c) => (float[2] y) <bool c = {1}> { " + branches);
  EXPECT_EQ(InlineConstantIf(replaceable.context), 0);
}

}  // namespace inline_constant_if_test
}  // namespace ptq
