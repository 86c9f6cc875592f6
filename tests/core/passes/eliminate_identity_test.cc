#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace {

TEST(EliminateIdentity, ReadersReadTheSourceAlsoThroughChainsAndSubgraphs) {
  PassTest test(R"(g (float[2] x, bool c) => (float[2] y) {
    a = Identity(x)
    b = Identity(a)
    d = Relu(b)
    y = If(c) <then_branch = t () => (float[2] p) { p = Add(b, d) },
               else_branch = e () => (float[2] q) { q = Neg(a) }>
  })");
  EXPECT_EQ(EliminateIdentity(test.context), 2);
  EXPECT_EQ(Wiring(test.graph()), "Relu(x)->d; If(c)->y");
  EXPECT_EQ(Wiring(test.graph().node(1).attribute(0).g()), "Add(x,d)->p");
  EXPECT_EQ(Wiring(test.graph().node(1).attribute(1).g()), "Neg(x)->q");
}

TEST(EliminateIdentity, ProducerWritesTheGraphOutputItself) {
  PassTest test(R"(g (float[2] x) => (float[2] y, float[2] z) {
    a = Relu(x)
    b = Identity(a)
    y = Identity(b)
    n = Neg(b)
    z = Abs(n)
  })");
  EXPECT_EQ(EliminateIdentity(test.context), 2);
  EXPECT_EQ(Wiring(test.graph()), "Relu(x)->y; Neg(y)->n; Abs(n)->z");
}

TEST(EliminateIdentity, StaysWhereBothNamesAreNeeded) {
  PassTest test(R"(g (float[2] x) => (float[2] y, float[2] z, float[2] u, float[2] v)
      <float[2] w = {1.0, 2.0}> {
    y = Identity(x)
    z = Identity(w)
    a = Relu(x)
    u = Identity(a)
    v = Identity(a)
  })");
  EXPECT_EQ(EliminateIdentity(test.context), 1);
  EXPECT_EQ(Wiring(test.graph()), "Identity(x)->y; Identity(w)->z; Relu(x)->u; Identity(u)->v");
}

TEST(EliminateIdentity, NodesOutOfOrderAndCyclesAreSafe) {
  PassTest unordered(R"(g (float[2] x) => (float[2] y) {
    y = Identity(c) d = Relu(b) c = Identity(d) b = Identity(a) a = Identity(x)
  })");
  EXPECT_EQ(EliminateIdentity(unordered.context), 4);
  EXPECT_EQ(Wiring(unordered.graph()), "Relu(x)->y");
  PassTest cycle("g (float[2] x) => (float[2] y) { a = Identity(b) b = Identity(a) y = Relu(a) }");
  EXPECT_EQ(EliminateIdentity(cycle.context), 1);
}

TEST(EliminateIdentity, CustomOperatorsOfThatNameStay) {
  PassTest test("g (float[2] x) => (float[2] y) { a = custom.Identity(x) y = Relu(a) }",
                R"(<ir_version: 8, opset_import: ["" : 13, "custom" : 1]> )");
  EXPECT_EQ(EliminateIdentity(test.context), 0);
}

TEST(EliminateIdentity, LongChainsTakeLinearTime) {
  PassTest test("g (float[2] x) => (float[2] y) { }");
  constexpr int kNodes = 200000;
  for (int i = kNodes; i > 0; --i) {  // back to front, the worst order
    onnx::NodeProto* node = test.graph().add_node();
    node->set_op_type("Identity");
    node->add_input(i == 1 ? "x" : "t" + std::to_string(i - 1));
    node->add_output("t" + std::to_string(i));
  }
  onnx::NodeProto* last = test.graph().add_node();
  last->set_op_type("Relu");
  last->add_input("t" + std::to_string(kNodes));
  last->add_output("y");
  EXPECT_EQ(EliminateIdentity(test.context), kNodes);
  EXPECT_EQ(Wiring(test.graph()), "Relu(x)->y");
}

TEST(EliminateIdentity, EveryGraphOutputIsWrittenByItsOwnProducer) {
  // Names that begin alike: a view of a name that was changed meanwhile would find the wrong node.
  PassTest test(
      "g (float[2] x) => (float[2] t2, float[2] t13) "
      "{ t1 = Relu(x) t7 = Neg(x) t2 = Identity(t1) t13 = Identity(t7) }");
  EXPECT_EQ(EliminateIdentity(test.context), 2);
  EXPECT_EQ(Wiring(test.graph()), "Relu(x)->t2; Neg(x)->t13");
}

}  // namespace
}  // namespace ptq
