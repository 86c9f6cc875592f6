#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace merge_reshapes_test {

// y = Relu(r), with `reshapes` computing r from x.
PassTest Reshaped(const std::string& input, const std::string& reshapes) {
  return PassTest("g (" + input + R"( x) => (float[A,B] y)
    <int64[1] one = {1}, int64[1] two = {2}, int64[1] last = {-1}, int64[3] cube = {-1, 8, 8},
     int64[2] flat = {0, -1}, int64[2] matrix = {3, 8}> { )" +
                  reshapes + " y = Relu(r) }");
}

std::string After(const std::string& input, const std::string& reshapes) {
  PassTest test = Reshaped(input, reshapes);
  MergeReshapes(test.context);
  EliminateUnused(test.context);
  EXPECT_EQ(MergeReshapes(test.context), 0);
  return Wiring(test.graph());
}

std::vector<int64_t> ShapeAfter(const std::string& input, const std::string& reshapes) {
  PassTest test = Reshaped(input, reshapes);
  EXPECT_EQ(MergeReshapes(test.context), 1);
  EliminateUnused(test.context);
  EXPECT_EQ(Wiring(test.graph()), "Reshape(x,r_shape)->r; Relu(r)->y");
  return test.text.model.tensors().ReadInts(InitializerOf(test.graph(), "r_shape"));
}

TEST(MergeReshapes, UnsqueezeAndSqueezeOfTheSameAxesCancel) {
  EXPECT_EQ(After("float[N,M]", "a = Unsqueeze(x, one) r = Squeeze(a, one)"), "Relu(x)->y");
  EXPECT_EQ(After("float", "a = Unsqueeze(x, last) r = Squeeze(a, last)"), "Relu(x)->y");
  EXPECT_EQ(After("float", "a = Squeeze(x, one) r = Unsqueeze(a, one)"), "Relu(x)->y");
}

TEST(MergeReshapes, OfOtherAxesTheyDoNot) {
  EXPECT_EQ(After("float", "a = Unsqueeze(x, one) r = Squeeze(a, two)"),
            "Unsqueeze(x,one)->a; Squeeze(a,two)->r; Relu(r)->y");
}

TEST(MergeReshapes, WhatGivesTheFirstShapeBackIsNothing) {
  EXPECT_EQ(After("float[3,8]", "a = Unsqueeze(x, one) r = Reshape(a, matrix)"), "Relu(x)->y");
  EXPECT_EQ(After("float[N,8]", "a = Unsqueeze(x, one) r = Reshape(a, flat)"), "Relu(x)->y");
}

TEST(MergeReshapes, TheLastShapeCounts) {
  EXPECT_EQ(ShapeAfter("float[N,M,4]", "a = Flatten(x) r = Reshape(a, cube)"),
            (std::vector<int64_t>{-1, 8, 8}));
  EXPECT_EQ(ShapeAfter("float[N,3,8]", "a = Unsqueeze(x, one) r = Unsqueeze(a, one)"),
            (std::vector<int64_t>{0, 1, 1, 3, 8}));
}

TEST(MergeReshapes, AnyNumberInARow) {
  EXPECT_EQ(After("float[N,8]", "a = Unsqueeze(x, one) b = Unsqueeze(a, one) r = Reshape(b, flat)"),
            "Relu(x)->y");
}

TEST(MergeReshapes, UnknownDimensionsStay) {
  EXPECT_EQ(After("float[N,M,K]", "a = Unsqueeze(x, one) r = Unsqueeze(a, one)"),
            "Unsqueeze(x,one)->a; Unsqueeze(a,one)->r; Relu(r)->y");
  EXPECT_EQ(After("float", "a = Unsqueeze(x, one) r = Flatten(a)"),
            "Unsqueeze(x,one)->a; Flatten(a)->r; Relu(r)->y");
}

TEST(MergeReshapes, WhatOthersReadStaysForThem) {
  const std::string head =
      "g (float[3,8] x) => (float[A,B] y, float[C,D,E] z) <int64[1] one = {1}, "
      "int64[2] matrix = {3, 8}> { a = Unsqueeze(x, one) z = Neg(a) ";
  PassTest back(head + "r = Reshape(a, matrix) y = Relu(r) }");
  EXPECT_EQ(MergeReshapes(back.context), 1);
  EXPECT_EQ(Wiring(back.graph()), "Unsqueeze(x,one)->a; Neg(a)->z; Relu(x)->y");
  PassTest on(head + "r = Unsqueeze(a, one) y = Relu(r) }");
  EXPECT_EQ(MergeReshapes(on.context), 0);
}

TEST(MergeReshapes, ComputedShapesStay) {
  PassTest test(
      "g (float[3,8] x, int64[2] t) => (float[A,B] y) <int64[1] one = {1}> "
      "{ a = Unsqueeze(x, one) y = Reshape(a, t) }");
  EXPECT_EQ(MergeReshapes(test.context), 0);
}

TEST(MergeReshapes, FromAnInputToAnOutputTheyStay) {
  PassTest test(
      "g (float[3,8] x) => (float[3,8] y) <int64[1] one = {1}> "
      "{ a = Unsqueeze(x, one) y = Squeeze(a, one) }");
  EXPECT_EQ(MergeReshapes(test.context), 0);
}

}  // namespace merge_reshapes_test
}  // namespace ptq
