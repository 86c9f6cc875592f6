#include <gtest/gtest.h>

#include "model/attributes.h"
#include "passes/pass_test.h"

namespace ptq {
namespace {

std::vector<int64_t> OrderOf(const PassTest& test, int node) {
  return IntsAttribute(test.text.model.graph().node(node), "perm");
}

TEST(MergeTransposes, TwoInARowBecomeOne) {
  PassTest test(R"(g (float[A,B,C,D] x) => (float[A,B,C,D] y) {
    a = Transpose <perm = [0, 2, 3, 1]> (x) y = Transpose <perm = [0, 3, 2, 1]> (a) })");
  EXPECT_EQ(MergeTransposes(test.context), 1);
  EXPECT_EQ(EliminateUnused(test.context), 1);
  EXPECT_EQ(Wiring(test.graph()), "Transpose(x)->y");
  EXPECT_EQ(OrderOf(test, 0), (std::vector<int64_t>{0, 1, 3, 2}));
  EXPECT_EQ(MergeTransposes(test.context), 0);
}

TEST(MergeTransposes, OnesThatCancelMoveNothing) {
  PassTest test(R"(g (float[A,B,C] x) => (float[A,B,C] y) {
    a = Transpose <perm = [1, 2, 0]> (x) b = Transpose <perm = [2, 0, 1]> (a) y = Relu(b) })");
  EXPECT_EQ(MergeTransposes(test.context), 1);
  EXPECT_EQ(OrderOf(test, 1), (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(EliminateNoopMovement(test.context), 1);
  EXPECT_EQ(EliminateUnused(test.context), 1);
  EXPECT_EQ(Wiring(test.graph()), "Relu(x)->y");
}

TEST(MergeTransposes, AnyNumberInARow) {
  PassTest test(R"(g (float[A,B,C] x) => (float[A,B,C] y) { a = Transpose <perm = [1, 2, 0]> (x)
    b = Transpose <perm = [1, 2, 0]> (a) c = Transpose <perm = [1, 2, 0]> (b) y = Relu(c) })");
  EXPECT_EQ(MergeTransposes(test.context), 2);
  EXPECT_EQ(test.graph().node(2).input(0), "x");
  EXPECT_EQ(OrderOf(test, 2), (std::vector<int64_t>{0, 1, 2}));
}

TEST(MergeTransposes, TheReversedOrderNeedsARank) {
  PassTest unknown("g (float[A,B] x) => (float[A,B] y) { a = Transpose(x) y = Transpose(a) }");
  EXPECT_EQ(MergeTransposes(unknown.context), 0);
  PassTest known(R"(g (float[A,B,C] x) => (float[A,B,C] y) {
    a = Transpose(x) y = Transpose <perm = [0, 2, 1]> (a) })");
  EXPECT_EQ(MergeTransposes(known.context), 1);
  EXPECT_EQ(OrderOf(known, 1), (std::vector<int64_t>{2, 0, 1}));
}

TEST(MergeTransposes, OneThatOthersReadStaysForThem) {
  PassTest test(R"(g (float[A,B] x) => (float[A,B] y, float[B,A] z) {
    a = Transpose <perm = [1, 0]> (x) b = Transpose <perm = [1, 0]> (a) y = Relu(b) z = Neg(a) })");
  EXPECT_EQ(MergeTransposes(test.context), 1);
  EXPECT_EQ(Wiring(test.graph()), "Transpose(x)->a; Transpose(x)->b; Relu(b)->y; Neg(a)->z");
}

TEST(MergeTransposes, OrdersThatDoNotFitStay) {
  PassTest test(R"(g (float[A,B] x) => (float[A,B] y) {
    a = Transpose <perm = [1, 0]> (x) y = Transpose <perm = [0, 2, 1]> (a) })");
  EXPECT_EQ(MergeTransposes(test.context), 0);
}

TEST(MergeTransposes, UnitDimensionsAreMovedByAReshape) {
  PassTest test(
      "g (float[N,1,1,64] x) => (float[N,64,1,1] y) "
      "{ y = Transpose <perm = [0, 3, 1, 2]> (x) }");
  EXPECT_EQ(MergeTransposes(test.context), 1);
  EXPECT_EQ(Wiring(test.graph()), "Reshape(x,y_shape)->y");
  EXPECT_EQ(test.text.model.tensors().ReadInts(InitializerOf(test.graph(), "y_shape")),
            (std::vector<int64_t>{0, 64, 1, 1}));
}

TEST(MergeTransposes, ADimensionThatIsNotOneIsMovedByATranspose) {
  for (const std::string dims : {"N,1,2,64", "N,K,1,64"}) {
    PassTest test("g (float[" + dims +
                  "] x) => (float[A,B,C,D] y) "
                  "{ y = Transpose <perm = [0, 3, 1, 2]> (x) }");
    EXPECT_EQ(MergeTransposes(test.context), 0) << dims;
  }
}

TEST(MergeTransposes, TwoDimensionsWithoutNumberThatMoveNeedATranspose) {
  PassTest test("g (float[1,N,M] x) => (float[N,M,1] y) { y = Transpose <perm = [1, 2, 0]> (x) }");
  EXPECT_EQ(MergeTransposes(test.context), 0);
}

}  // namespace
}  // namespace ptq
