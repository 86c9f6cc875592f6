#include <gtest/gtest.h>

#include <memory>

#include "model/attributes.h"
#include "passes/pass_test.h"

namespace ptq {
namespace sink_transposes_test {

// Runs the pass, removes what nothing reads any more, and runs it again: a second time it must find
// nothing.
std::unique_ptr<PassTest> Sunk(const std::string& graph, int changes) {
  auto test = std::make_unique<PassTest>(graph);
  EXPECT_EQ(SinkTransposes(test->context), changes);
  EliminateUnused(test->context);
  EXPECT_EQ(SinkTransposes(test->context), 0);
  return test;
}

void ExpectKept(const std::string& graph) {
  PassTest test(graph);
  const std::string before = Wiring(test.graph());
  EXPECT_EQ(SinkTransposes(test.context), 0);
  EXPECT_EQ(Wiring(test.graph()), before);
}

TEST(SinkTransposes, OnBothSidesOfAnElementwiseNodeTheyCancel) {
  const auto test = Sunk(R"(g (float[A,B,C] x) => (float[A,B,C] y) {
    a = Transpose <perm = [0, 2, 1]> (x) b = Relu(a) y = Transpose <perm = [0, 2, 1]> (b) })",
                         1);
  EXPECT_EQ(Wiring(test->graph()), "Relu(x)->b_transposed; Transpose(b_transposed)->y");
  EXPECT_EQ(IntsAttribute(test->graph().node(1), "perm"), (std::vector<int64_t>{0, 1, 2}));
}

TEST(SinkTransposes, TwoOperandsTransposedAlikeAreTransposedOnce) {
  const auto test = Sunk(R"(g (float[A,B,C] x, float[A,B,C] z) => (float[B,C,A] y) {
    a = Transpose <perm = [1, 2, 0]> (x) b = Transpose <perm = [1, 2, 0]> (z) y = Add(a, b) })",
                         1);
  EXPECT_EQ(Wiring(test->graph()), "Add(x,z)->y_transposed; Transpose(y_transposed)->y");
  EXPECT_EQ(IntsAttribute(test->graph().node(1), "perm"), (std::vector<int64_t>{1, 2, 0}));
}

TEST(SinkTransposes, WhereThereWouldBeAsManyAllStays) {
  ExpectKept(
      "g (float[A,B] x) => (float[B,A] y) { a = Transpose <perm = [1, 0]> (x) y = Relu(a) }");
  ExpectKept(R"(g (float[A,B] x, float[A,B] z) => (float[B,A] y, float[B,A] w) {
    a = Transpose <perm = [1, 0]> (x) b = Transpose <perm = [1, 0]> (z) y = Add(a, b) w = Neg(a) })");
}

TEST(SinkTransposes, OneThatOthersReadDoesNotCount) {
  ExpectKept(R"(g (float[A,B] x, float[A,B] z) => (float[B,A] y, float[C] w) {
    a = Transpose <perm = [1, 0]> (x) b = Transpose <perm = [1, 0]> (z) y = Add(a, b)
    w = Flatten(a) })");
  ExpectKept(R"(g (float[A,B] x, float[A,B] z) => (float[B,A] y, float[B,A] a) {
    a = Transpose <perm = [1, 0]> (x) b = Transpose <perm = [1, 0]> (z) y = Add(a, b) })");
}

TEST(SinkTransposes, OperandsInOtherOrdersStay) {
  ExpectKept(R"(g (float[A,B,C] x, float[A,B,C] z) => (float[B,C,A] y) {
    a = Transpose <perm = [1, 2, 0]> (x) b = Transpose <perm = [2, 1, 0]> (z) y = Add(a, b) })");
  ExpectKept(R"(g (float[A,A,A] x, float[A,A,A] z) => (float[A,A,A] y) {
    a = Transpose <perm = [1, 2, 0]> (x) y = Add(a, z) })");
}

TEST(SinkTransposes, ConstantsAlongOneAxisTurnWithIt) {
  const auto test = Sunk(R"(g (float[A,4,5] x) => (float[A,4,5] y)
    <float[4] s = {1.0, 2.0, 3.0, 4.0}, float two = {2.0}> {
    a = Transpose <perm = [0, 2, 1]> (x) b = Mul(a, s) c = Pow(b, two)
    y = Transpose <perm = [0, 2, 1]> (c) })",
                         1);
  EXPECT_EQ(Wiring(test->graph()),
            "Mul(x,s_transposed)->b_transposed; Pow(b_transposed,two)->c_transposed; "
            "Transpose(c_transposed)->y");
  const onnx::TensorProto& turned = InitializerOf(test->graph(), "s_transposed");
  EXPECT_EQ(std::vector<int64_t>(turned.dims().begin(), turned.dims().end()),
            (std::vector<int64_t>{1, 4, 1}));
}

TEST(SinkTransposes, ConstantsAlongTwoAxesKeepThemInFront) {
  ExpectKept(R"(g (float[A,2,2] x) => (float[A,2,2] y) <float[2,2] s = {1.0, 2.0, 3.0, 4.0}> {
    a = Transpose <perm = [0, 2, 1]> (x) b = Mul(a, s) y = Transpose <perm = [0, 2, 1]> (b) })");
}

TEST(SinkTransposes, ConstantsOfAHigherRankKeepThemInFront) {
  ExpectKept(R"(g (float[A,B] x) => (float[1,A,B] y) <float[1,1,1] s = {2.0}> {
    a = Transpose <perm = [1, 0]> (x) b = Mul(a, s) y = Transpose <perm = [0, 2, 1]> (b) })");
}

TEST(SinkTransposes, AReductionOfTheMovedAxesNeedsNone) {
  const auto test = Sunk(R"(g (float[N,C,H,W] x) => (float[N,C] y) {
    a = Transpose <perm = [0, 2, 3, 1]> (x) y = ReduceMax <axes = [1, 2], keepdims = 0> (a) })",
                         1);
  EXPECT_EQ(Wiring(test->graph()), "ReduceMax(x)->y");
  EXPECT_EQ(IntsAttribute(test->graph().node(0), "axes"), (std::vector<int64_t>{2, 3}));
}

TEST(SinkTransposes, AReductionByInputGetsNewAxes) {
  const auto test = Sunk(R"(g (float[N,C,H,W] x) => (float[N,C] y) <int64[2] axes = {1, -2}> {
    a = Transpose <perm = [0, 2, 3, 1]> (x) y = ReduceSum <keepdims = 0> (a, axes) })",
                         1);
  EXPECT_EQ(Wiring(test->graph()), "ReduceSum(x,axes_transposed)->y");
  EXPECT_EQ(test->text.model.tensors().ReadInts(InitializerOf(test->graph(), "axes_transposed")),
            (std::vector<int64_t>{2, 3}));
}

TEST(SinkTransposes, AReductionOfAllAxesOrComputedOnesStays) {
  ExpectKept(R"(g (float[N,C] x) => (float[1,1] y) {
    a = Transpose <perm = [1, 0]> (x) y = ReduceSum(a) })");
  ExpectKept(R"(g (float[N,C] x, int64[1] axes) => (float[M] y) {
    a = Transpose <perm = [1, 0]> (x) y = ReduceSum <keepdims = 0> (a, axes) })");
}

TEST(SinkTransposes, ConcatAndSoftmaxGetTheirAxisRenamed) {
  const auto test = Sunk(R"(g (float[N,C,H,W] x, float[N,C,H,W] z) => (float[A,B,C,D] y) {
    a = Transpose <perm = [0, 2, 3, 1]> (x) b = Transpose <perm = [0, 2, 3, 1]> (z)
    c = Concat <axis = -1> (a, b) d = Softmax(c) y = Transpose <perm = [0, 3, 1, 2]> (d) })",
                         1);
  EXPECT_EQ(Wiring(test->graph()),
            "Concat(x,z)->c_transposed; Softmax(c_transposed)->d_transposed; "
            "Transpose(d_transposed)->y");
  EXPECT_EQ(IntAttribute(test->graph().node(0), "axis", 0), 1);
  EXPECT_EQ(IntAttribute(test->graph().node(1), "axis", 0), 1);
}

TEST(SinkTransposes, AConcatOfOneThatIsNotTransposedStays) {
  ExpectKept(R"(g (float[N,C] x, float[C,N] z) => (float[A,B] y) {
    a = Transpose <perm = [1, 0]> (x) b = Concat <axis = 1> (a, z)
    y = Transpose <perm = [1, 0]> (b) })");
}

TEST(SinkTransposes, NewDimensionsStayWhereTheyAre) {
  // y = [N,1,F,T] of x = [N,F,T], by way of [N,T,F] and [N,T,1,F].
  const auto test = Sunk(R"(g (float[N,F,T] x) => (float[N,1,F,T] y) <int64[1] axes = {2}> {
    a = Transpose <perm = [0, 2, 1]> (x) b = Unsqueeze(a, axes)
    y = Transpose <perm = [0, 2, 3, 1]> (b) })",
                         1);
  // [N,F,1,T] is left to be turned into [N,1,F,T].
  EXPECT_EQ(Wiring(test->graph()), "Unsqueeze(x,axes)->b_transposed; Transpose(b_transposed)->y");
}

TEST(SinkTransposes, ReadsInBodiesKeepTheTensor) {
  ExpectKept(R"(g (float[A,B] x, bool c) => (float[A,B] y) {
    a = Transpose <perm = [1, 0]> (x) b = Relu(a)
    y = If (c) <then_branch = t () => (float[A,B] p) { p = Neg(b) },
                else_branch = e () => (float[A,B] q) { q = Abs(b) }> })");
}

TEST(SinkTransposes, ARegionBehindAnotherWaits) {
  PassTest test(R"(g (float[A,B,C] x) => (float[A,B,C] y) {
    a = Transpose <perm = [0, 2, 1]> (x) b = Relu(a) c = Transpose <perm = [1, 2, 0]> (b)
    d = Neg(c) e = Transpose <perm = [2, 0, 1]> (d) f = Abs(e)
    y = Transpose <perm = [0, 2, 1]> (f) })");
  for (int round = 0; round < 4; ++round) {
    SinkTransposes(test.context);
    MergeTransposes(test.context);
    EliminateNoopMovement(test.context);
    EliminateUnused(test.context);
  }
  EXPECT_EQ(OpTypes(test.graph()), "Relu Neg Abs");
}

TEST(SinkTransposes, CustomOperatorsEndARegion) {
  ExpectKept(R"(g (float[A,B] x) => (float[A,B] y) {
    a = Transpose <perm = [1, 0]> (x) b = acme.Relu(a) y = Transpose <perm = [1, 0]> (b) })");
}

}  // namespace sink_transposes_test
}  // namespace ptq
