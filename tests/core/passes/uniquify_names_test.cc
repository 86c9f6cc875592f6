#include "passes/uniquify_names.h"

#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace {

constexpr char kSiblings[] = R"(g (bool c, float[2] x) => (float[2] y) {
  h = Relu(x)
  y = If(c) <then_branch = a () => (float[2] t) { t = Neg(h) },
             else_branch = b () => (float[2] t) { u = Abs(h) t = Exp(u) }>
})";

const onnx::GraphProto& Branch(const onnx::GraphProto& graph, const std::string& name) {
  for (const onnx::AttributeProto& attribute : graph.node(1).attribute()) {
    if (attribute.name() == name) return attribute.g();
  }
  throw std::invalid_argument("no " + name);
}

TEST(UniquifyNames, TheSecondOfTwoSiblingsGetsAnotherName) {
  PassTest test(kSiblings);
  EXPECT_EQ(UniquifyNames(test.text.model), 1);
  const onnx::GraphProto& then_branch = Branch(test.graph(), "then_branch");
  const onnx::GraphProto& else_branch = Branch(test.graph(), "else_branch");
  EXPECT_EQ(Wiring(then_branch), "Neg(h)->t");
  EXPECT_EQ(then_branch.output(0).name(), "t");
  // Definition and output follow; what is read from outside stays.
  EXPECT_EQ(Wiring(else_branch), "Abs(h)->u; Exp(u)->t_1");
  EXPECT_EQ(else_branch.output(0).name(), "t_1");
  EXPECT_EQ(UniquifyNames(test.text.model), 0);
}

TEST(UniquifyNames, ABodyThatHidesAnOuterNameReadsItsOwn) {
  PassTest test(R"(g (bool c, float[2] x) => (float[2] y) {
    h = Relu(x)
    y = If(c) <then_branch = a () => (float[2] t) { h = Neg(x) t = Exp(h) },
               else_branch = b () => (float[2] e) { e = Abs(h) }>
  })");
  EXPECT_EQ(UniquifyNames(test.text.model), 1);
  EXPECT_EQ(Wiring(Branch(test.graph(), "then_branch")), "Neg(x)->h_1; Exp(h_1)->t");
  EXPECT_EQ(Wiring(Branch(test.graph(), "else_branch")), "Abs(h)->e");
}

}  // namespace
}  // namespace ptq
