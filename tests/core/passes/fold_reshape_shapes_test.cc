#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace fold_reshape_shapes_test {

// y = Reshape(x, t), with `shape` computing t.
PassTest Reshaped(const std::string& input, const std::string& shape) {
  return PassTest("g (" + input + R"( x) => (float[A,B] y)
    <int64 zero = {0}, int64 one = {1}, int64[1] first = {0}, int64[1] rest = {-1}, int64[1] eight = {8}> { )" +
                  shape + " y = Reshape(x, t) }");
}

std::vector<int64_t> ShapeOfReshape(const PassTest& test) {
  const onnx::GraphProto& graph = test.text.model.graph();
  const std::string& shape = graph.node(graph.node_size() - 1).input(1);
  return test.text.model.tensors().ReadInts(InitializerOf(graph, shape));
}

constexpr char kFlatten[] =
    "s = Shape(x) n = Gather(s, zero) u = Unsqueeze(n, first) t = Concat <axis = 0> (u, rest)";

TEST(FoldReshapeShapes, ACopiedDimensionOfUnknownLengthBecomesZero) {
  PassTest test = Reshaped("float[N,3,8]", kFlatten);
  EXPECT_EQ(FoldReshapeShapes(test.context), 1);
  EXPECT_EQ(ShapeOfReshape(test), (std::vector<int64_t>{0, -1}));
}

TEST(FoldReshapeShapes, ADimensionOfAnotherPlaceStaysComputed) {
  PassTest test = Reshaped("float[M,N,8]",
                           "s = Shape(x) n = Gather(s, one) u = Unsqueeze(n, first) "
                           "t = Concat <axis = 0> (u, rest)");
  EXPECT_EQ(FoldReshapeShapes(test.context), 0);
  EXPECT_EQ(Wiring(test.graph()).substr(0, 5), "Shape");
}

TEST(FoldReshapeShapes, CustomOperatorsSayNothing) {
  PassTest test = Reshaped("float[N,3,8]", "t = acme.Shape(x)");
  EXPECT_EQ(FoldReshapeShapes(test.context), 0);
}

TEST(FoldReshapeShapes, OneElementMayBeWhatIsLeft) {
  PassTest test = Reshaped("float[M,N,8]",
                           "s = Shape(x) n = Gather(s, one) u = Unsqueeze(n, first) "
                           "t = Concat <axis = 0> (u, eight)");
  EXPECT_EQ(FoldReshapeShapes(test.context), 1);
  EXPECT_EQ(ShapeOfReshape(test), (std::vector<int64_t>{-1, 8}));
}

TEST(FoldReshapeShapes, AnExpandLeavesADimensionOfTheDataAlone) {
  PassTest test(R"(g (float[N,1] x) => (float[A,B] y) <int64[1] five = {5}, int64 zero = {0},
                   int64[1] first = {0}> { s = Shape(x) n = Gather(s, zero) u = Unsqueeze(n, first)
                   t = Concat <axis = 0> (u, five) y = Expand(x, t) })");
  EXPECT_EQ(FoldReshapeShapes(test.context), 1);
  EXPECT_EQ(ShapeOfReshape(test), (std::vector<int64_t>{1, 5}));
}

TEST(FoldReshapeShapes, AnExpandToAnotherDimensionStays) {
  PassTest test(
      "g (float[1,N] x) => (float[A,B] y) <int64[1] five = {5}, int64[1] one = {1}> "
      "{ s = Shape(x) n = Gather(s, one) t = Concat <axis = 0> (n, five) "
      "y = Expand(x, t) }");
  EXPECT_EQ(FoldReshapeShapes(test.context), 0);
}

TEST(FoldReshapeShapes, ASliceThatEndsWithTheDataEndsWhereverThatIs) {
  PassTest test(
      "g (float[M,N] x) => (float[A,B] y) <int64[1] one = {1}> "
      "{ s = Shape(x) n = Gather(s, one) y = Slice(x, one, n, one) }");
  EXPECT_EQ(FoldReshapeShapes(test.context), 1);
  EXPECT_EQ(test.text.model.tensors().ReadInts(InitializerOf(test.graph(), "y_ends")),
            (std::vector<int64_t>{9223372036854775807}));
}

TEST(FoldReshapeShapes, ASliceThatEndsWithAnotherDimensionStays) {
  PassTest test(
      "g (float[M,N] x) => (float[A,B] y) <int64[1] one = {1}, int64[1] zero = {0}> "
      "{ s = Shape(x) n = Gather(s, zero) y = Slice(x, one, n, one) }");
  EXPECT_EQ(FoldReshapeShapes(test.context), 0);
}

}  // namespace fold_reshape_shapes_test
}  // namespace ptq
