#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace eliminate_noop_movement_test {

// y = Relu(m), with `movement` computing m from x.
PassTest Moved(const std::string& input, const std::string& movement,
               const std::string& head = kHead13) {
  return PassTest("g (" + input + R"( x) => (float[A,B] y)
    <int64[1] zero = {0}, int64[1] one = {1}, int64[1] two = {2}, int64[1] three = {3},
     int64[1] all = {9223372036854775807}, int64[2] ones = {1, 1}, int64[4] nothing = {0, 0, 0, 0},
     int64[4] something = {0, 0, 0, 1}, int64[2] same = {2, 3}, int64[2] rest = {2, -1},
     int64[2] turned = {3, 2}, int64[3] more = {1, 2, 3}, float[2] scales = {1.0, 1.0}> { )" +
                      movement + " y = Relu(m) }",
                  head);
}

void ExpectBypassed(PassTest test) {
  EXPECT_EQ(EliminateNoopMovement(test.context), 1);
  EXPECT_TRUE(Wiring(test.graph()).ends_with("Relu(x)->y")) << Wiring(test.graph());
  EXPECT_EQ(EliminateNoopMovement(test.context), 0);
}

void ExpectKept(PassTest test) {
  const std::string before = Wiring(test.graph());
  EXPECT_EQ(EliminateNoopMovement(test.context), 0);
  EXPECT_EQ(Wiring(test.graph()), before);
}

TEST(EliminateNoopMovement, ATransposeInTheSameOrder) {
  ExpectBypassed(Moved("float[N,M]", "m = Transpose <perm = [0, 1]> (x)"));
  ExpectKept(Moved("float[N,M]", "m = Transpose <perm = [1, 0]> (x)"));
  ExpectKept(Moved("float[N,M]", "m = Transpose (x)"));
}

TEST(EliminateNoopMovement, AReshapeToTheSameNumbersOrNames) {
  ExpectBypassed(Moved("float[2,3]", "m = Reshape(x, same)"));
  ExpectBypassed(Moved("float[2,3]", "m = Reshape(x, rest)"));
  ExpectBypassed(Moved("float[2,M]", "m = Reshape(x, rest)"));
  ExpectBypassed(Moved("float[N,M]", "s = Shape(x) m = Reshape(x, s)"));
  ExpectKept(Moved("float[2,3]", "m = Reshape(x, turned)"));
  ExpectKept(Moved("float[3,N]", "m = Reshape(x, rest)"));
  ExpectKept(Moved("float[1,2,3]", "m = Reshape(x, same)"));
}

TEST(EliminateNoopMovement, AReshapeOfUnknownRankStays) {
  ExpectKept(Moved("float", "m = Reshape(x, same)"));
}

TEST(EliminateNoopMovement, AReshapeOfADimensionWithoutNumberStays) {
  ExpectKept(Moved("float[N,3]", "m = Reshape(x, same)"));
}

TEST(EliminateNoopMovement, AFlattenOfAMatrix) {
  ExpectBypassed(Moved("float[N,3]", "m = Flatten(x)"));
  ExpectKept(Moved("float[N,3]", "m = Flatten <axis = 0> (x)"));
  ExpectKept(Moved("float[N,3,1]", "m = Flatten(x)"));
}

TEST(EliminateNoopMovement, ASqueezeWhereNothingIsOne) {
  ExpectBypassed(Moved("float[2,3]", "m = Squeeze(x)"));
  ExpectKept(Moved("float[1,3]", "m = Squeeze(x)"));
  ExpectKept(Moved("float[N,3]", "m = Squeeze(x)"));
}

TEST(EliminateNoopMovement, ASliceFromTheFirstToTheLast) {
  ExpectBypassed(Moved("float[N,M]", "m = Slice(x, zero, all, one)"));
  ExpectBypassed(Moved("float[2,3]", "m = Slice(x, zero, three, one)"));
  ExpectBypassed(Moved("float[2,3]", "m = Slice(x, zero, two)"));
  ExpectBypassed(Moved("float[N,M]", "s = Shape(x) e = Gather(s, one) m = Slice(x, zero, e, one)"));
  ExpectKept(Moved("float[2,3]", "m = Slice(x, zero, two, one)"));
  ExpectKept(Moved("float[2,3]", "m = Slice(x, one, three, one)"));
  ExpectKept(Moved("float[2,3]", "m = Slice(x, zero, three, one, two)"));
  ExpectKept(Moved("float[N,M]", "s = Shape(x) e = Gather(s, zero) m = Slice(x, zero, e, one)"));
  ExpectKept(Moved("float[N,M]", "m = Slice(x, zero, three, one)"));
}

TEST(EliminateNoopMovement, ASliceByAttributes) {
  const std::string head = R"(<ir_version: 4, opset_import: ["" : 9]> )";
  ExpectBypassed(
      Moved("float[2,3]", "m = Slice <starts = [0], ends = [2147483647], axes = [1]> (x)", head));
  ExpectKept(Moved("float[2,3]", "m = Slice <starts = [0], ends = [-1], axes = [1]> (x)", head));
}

TEST(EliminateNoopMovement, AnExpandToTheSameShape) {
  ExpectBypassed(Moved("float[2,3]", "m = Expand(x, ones)"));
  ExpectBypassed(Moved("float[2,3]", "m = Expand(x, three)"));
  ExpectBypassed(Moved("float[N,M]", "s = Shape(x) m = Expand(x, s)"));
  ExpectKept(Moved("float[2,1]", "m = Expand(x, three)"));
  ExpectKept(Moved("float[2,3]", "m = Expand(x, more)"));
  ExpectKept(Moved("float[N,M]", "m = Expand(x, three)"));
}

TEST(EliminateNoopMovement, ATileOrPadOfNothing) {
  ExpectBypassed(Moved("float[N,M]", "m = Tile(x, ones)"));
  ExpectKept(Moved("float[N,M]", "m = Tile(x, same)"));
  ExpectBypassed(Moved("float[N,M]", "m = Pad(x, nothing)"));
  ExpectKept(Moved("float[N,M]", "m = Pad(x, something)"));
}

TEST(EliminateNoopMovement, AComputedPadStays) {
  ExpectKept(
      PassTest("g (float[N,M] x, int64[4] p) => (float[A,B] y) "
               "{ m = Pad(x, p) y = Relu(m) }"));
}

TEST(EliminateNoopMovement, AConcatOrSplitOfOne) {
  ExpectBypassed(Moved("float[N,M]", "m = Concat <axis = 1> (x)"));
  ExpectBypassed(Moved("float[N,M]", "m = Split <axis = 1> (x)"));
  ExpectKept(Moved("float[N,M]", "m = Concat <axis = 1> (x, x)"));
}

TEST(EliminateNoopMovement, AResizeByOne) {
  ExpectBypassed(Moved("float[N,M]", R"(m = Resize <mode = "linear"> (x, , scales))"));
  ExpectKept(Moved("float[N,M]", R"(m = Resize <mode = "cubic"> (x, , scales))"));
  ExpectKept(Moved("float[N,M]",
                   R"(m = Resize <coordinate_transformation_mode = "align_corners",
                                  mode = "linear"> (x, , scales))"));
}

TEST(EliminateNoopMovement, OneFromAnInputToAnOutputStays) {
  ExpectKept(PassTest("g (float[2,3] x) => (float[2,3] y) { y = Transpose <perm = [0, 1]> (x) }"));
}

TEST(EliminateNoopMovement, AReadInABodyFollows) {
  PassTest test(R"(g (float[2,3] x, bool c) => (float[2,3] y) {
    m = Transpose <perm = [0, 1]> (x)
    y = If (c) <then_branch = t () => (float[2,3] a) { a = Relu(m) },
                else_branch = e () => (float[2,3] b) { b = Neg(m) }> })");
  EXPECT_EQ(EliminateNoopMovement(test.context), 1);
  EXPECT_EQ(test.graph().node(0).attribute(0).g().node(0).input(0), "x");
}

TEST(EliminateNoopMovement, CustomOperatorsSayNothing) {
  ExpectKept(Moved("float[N,M]", "m = acme.Transpose <perm = [0, 1]> (x)"));
}

}  // namespace eliminate_noop_movement_test
}  // namespace ptq
