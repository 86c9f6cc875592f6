#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace unroll_loop_test {

std::string Graph(const std::string& body, const std::string& inputs = "float[2,2] x",
                  const std::string& count = "{2}", const std::string& loop = "count, , x") {
  return "g (" + inputs + R"() => (float[2,2] y)
    <int64 count = )" +
         count + R"(, bool yes = {1}, float[2,2] w = {1.0, 2.0, 3.0, 4.0}> {
    y = Loop ()" +
         loop + R"() <body = b (int64 i, bool c, float[2,2] v) => )" + body + "> }";
}

std::string After(const std::string& graph) {
  PassTest test(graph);
  EXPECT_EQ(UnrollLoop(test.context), 1);
  EXPECT_EQ(UnrollLoop(test.context), 0);
  return Wiring(test.graph());
}

void ExpectKept(const std::string& graph) {
  PassTest test(graph);
  EXPECT_EQ(UnrollLoop(test.context), 0);
  EXPECT_EQ(OpTypes(test.graph()), "Loop");
}

TEST(UnrollLoop, EachIterationHasItsNodes) {
  EXPECT_EQ(After(Graph("(bool c, float[2,2] m) { m = MatMul(v, w) }")),
            "MatMul(x,w)->m_1; MatMul(m_1,w)->y");
}

TEST(UnrollLoop, WeightsOfTheBodyAreShared) {
  PassTest test(
      Graph("(bool d, float[2,2] m) <float[2,2] u = {1.0, 2.0, 3.0, 4.0}> "
            "{ d = Identity(c) a = MatMul(v, u) m = Relu(a) }"));
  EXPECT_EQ(UnrollLoop(test.context), 1);
  EliminateUnused(test.context);
  EXPECT_EQ(OpTypes(test.graph()), "MatMul Relu MatMul Relu");
  EXPECT_EQ(InitializerNames(test.graph()), "u");
}

TEST(UnrollLoop, TheNumberOfTheIterationIsAConstant) {
  PassTest test(
      Graph("(bool c, float[2,2] m) "
            "{ a = MatMul(v, w) f = Cast <to = 1> (i) m = Add(a, f) }"));
  EXPECT_EQ(UnrollLoop(test.context), 1);
  const std::string second = test.graph().node(4).input(0);
  EXPECT_EQ(test.graph().node(4).op_type(), "Cast");
  EXPECT_EQ(test.text.model.tensors().ReadInts(InitializerOf(test.graph(), second)),
            (std::vector<int64_t>{1}));
}

TEST(UnrollLoop, ScanOutputsAreConcatenated) {
  PassTest test(R"(g (float[2,2] x) => (float[2,2] y, float[2,2,2] z)
    <int64 count = {2}, float[2,2] w = {1.0, 2.0, 3.0, 4.0}> {
    y, z = Loop (count, , x) <body = b (int64 i, bool c, float[2,2] v)
      => (bool c, float[2,2] m, float[2,2] n) { m = MatMul(v, w) n = Relu(m) }> })");
  EXPECT_EQ(UnrollLoop(test.context), 1);
  EXPECT_EQ(OpTypes(test.graph()), "MatMul Relu MatMul Relu Unsqueeze Unsqueeze Concat");
  EXPECT_EQ(test.graph().node(2).output(0), "y");
  EXPECT_EQ(test.graph().node(6).output(0), "z");
}

TEST(UnrollLoop, AVariableThatStaysIsPassedOn) {
  PassTest test(R"(g (float[2,2] x) => (float[2,2] y, float[2,2] z)
    <int64 count = {2}, float[2,2] w = {1.0, 2.0, 3.0, 4.0}> {
    y, z = Loop (count, , x, x) <body = b (int64 i, bool c, float[2,2] v, float[2,2] u)
      => (bool c, float[2,2] m, float[2,2] u) { m = MatMul(v, w) }> })");
  EXPECT_EQ(UnrollLoop(test.context), 1);
  EXPECT_EQ(Wiring(test.graph()), "MatMul(x,w)->m_1; MatMul(m_1,w)->y; Identity(x)->z");
}

TEST(UnrollLoop, WithoutWeightsItStays) {
  ExpectKept(Graph("(bool c, float[2,2] m) { m = Relu(v) }"));
  ExpectKept(Graph("(bool c, float[2,2] m) { m = MatMul(v, v) }"));
}

TEST(UnrollLoop, ACountThatIsComputedOrLargeStays) {
  const std::string body = "(bool c, float[2,2] m) { m = MatMul(v, w) }";
  ExpectKept(Graph(body, "float[2,2] x, int64 n", "{2}", "n, , x"));
  ExpectKept(Graph(body, "float[2,2] x", "{17}"));
  ExpectKept(Graph(body, "float[2,2] x", "{0}"));
  ExpectKept(Graph(body, "float[2,2] x, int64 count"));
}

TEST(UnrollLoop, AConditionThatMayEndItStays) {
  ExpectKept(Graph("(bool d, float[2,2] m) { m = MatMul(v, w) d = Not(c) }"));
  ExpectKept(Graph("(bool c, float[2,2] m) { m = MatMul(v, w) }", "float[2,2] x, bool go", "{2}",
                   "count, go, x"));
}

TEST(UnrollLoop, AConstantConditionIsTrue) {
  EXPECT_EQ(After(Graph("(bool c, float[2,2] m) { m = MatMul(v, w) }", "float[2,2] x", "{1}",
                        "count, yes, x")),
            "MatMul(x,w)->y");
}

}  // namespace unroll_loop_test
}  // namespace ptq
