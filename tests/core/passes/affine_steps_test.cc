#include "passes/affine_steps.h"

#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace affine_steps_test {

constexpr ChannelAxis kImage = {2, 2, 4};   // [N, 2, H, W]
constexpr ChannelAxis kMatrix = {2, 0, 2};  // [M, 2]
constexpr ChannelAxis kRows = {2, 0, kUnknownRank};

std::optional<AffineStep> Step(const std::string& constant, const std::string& node,
                               const ChannelAxis& axis) {
  PassTest test("g (float[1,2,3,4] x) => (float[1,2,3,4] y) <" + constant + "> { y = " + node +
                " }");
  const GraphView view(test.graph());
  return ReadAffineStep(test.text.model, view, test.graph().node(0), "x", axis);
}

TEST(AffineSteps, EachOperatorInItsParts) {
  const std::string c = "float[2,1,1] c = {2.0, 4.0}";
  const auto add = Step(c, "Add(c, x)", kImage);
  ASSERT_TRUE(add.has_value());
  EXPECT_EQ(add->add, (std::vector<float>{2, 4}));
  EXPECT_TRUE(add->multiply.empty() && add->subtract.empty());
  EXPECT_EQ(Step(c, "Sum(x, c)", kImage)->add, (std::vector<float>{2, 4}));
  EXPECT_EQ(Step(c, "Mul(x, c)", kImage)->multiply, (std::vector<float>{2, 4}));
  EXPECT_EQ(Step(c, "Div(x, c)", kImage)->multiply, (std::vector<float>{0.5f, 0.25f}));
  EXPECT_EQ(Step(c, "Sub(x, c)", kImage)->subtract, (std::vector<float>{2, 4}));
  const auto from = Step(c, "Sub(c, x)", kImage);
  EXPECT_EQ(from->multiply, (std::vector<float>{-1, -1}));
  EXPECT_EQ(from->add, (std::vector<float>{2, 4}));
  EXPECT_EQ(Step("float c = {3.0}", "Mul(x, c)", kImage)->multiply, (std::vector<float>{3, 3}));
  EXPECT_EQ(Step(c, "Div(c, x)", kImage), std::nullopt);
  EXPECT_EQ(Step(c, "Pow(x, c)", kImage), std::nullopt);
  EXPECT_EQ(Step(c, "Sum(x, c, c)", kImage), std::nullopt);
  EXPECT_EQ(Step(c, "Add(x, x)", kImage), std::nullopt);
}

TEST(AffineSteps, OnlyAlongTheChannelsAndWithoutAnotherShape) {
  EXPECT_EQ(Step("float[2] c = {1.0, 2.0}", "Add(x, c)", kImage), std::nullopt);
  EXPECT_EQ(Step("float[1,1,1,2] c = {1.0, 2.0}", "Add(x, c)", kImage), std::nullopt);
  EXPECT_EQ(Step("float[1,1,1,1,1] c = {1.0}", "Add(x, c)", kImage), std::nullopt);
  EXPECT_EQ(Step("float[3,1,1] c = {1.0, 2.0, 3.0}", "Add(x, c)", kImage), std::nullopt);
  EXPECT_TRUE(Step("float[1,2] c = {1.0, 2.0}", "Add(x, c)", kMatrix).has_value());
  EXPECT_EQ(Step("float[1,1,2] c = {1.0, 2.0}", "Add(x, c)", kMatrix), std::nullopt);
  EXPECT_TRUE(Step("float[2] c = {1.0, 2.0}", "Add(x, c)", kRows).has_value());
  EXPECT_EQ(Step("float[1,2] c = {1.0, 2.0}", "Add(x, c)", kRows), std::nullopt);
  EXPECT_EQ(Step("double[2] c = {1.0, 2.0}", "Add(x, c)", kMatrix), std::nullopt);
}

TEST(AffineSteps, BatchNormalizationHasItsChannelsOnAxis1) {
  const std::string norm =
      R"(float[2] g = {2.0, 3.0}, float[2] b = {0.5, 0.25}, float[2] m = {1.0, 4.0},
      float[2] v = {1.0, 4.0})";
  const auto step = Step(norm, "BatchNormalization<epsilon = 0.0>(x, g, b, m, v)", kImage);
  ASSERT_TRUE(step.has_value());
  EXPECT_EQ(step->subtract, (std::vector<float>{1, 4}));
  EXPECT_EQ(step->multiply, (std::vector<float>{2, 1.5f}));
  EXPECT_EQ(step->add, (std::vector<float>{0.5f, 0.25f}));
  EXPECT_TRUE(Step(norm, "BatchNormalization(x, g, b, m, v)", kMatrix).has_value());
  EXPECT_EQ(Step(norm, "BatchNormalization(x, g, b, m, v)", {2, 0, 4}), std::nullopt);
  EXPECT_EQ(Step(norm, "BatchNormalization(x, g, b, m, v)", kRows), std::nullopt);
  EXPECT_EQ(Step(norm, "BatchNormalization<training_mode = 1>(x, g, b, m, v)", kImage),
            std::nullopt);
}

std::string Moved(const std::string& node, const ChannelAxis& axis,
                  const std::string& shape = "1,6,4") {
  PassTest test("g (float[" + shape +
                "] x) => (float y) <int64[3] s = {4, 2, 3}, int64[2] rows = {-1, 4},"
                " int64[4] ones = {1, -1, 4, 1}, int64[1] one = {1}> { y = " +
                node + " }");
  StaticShapes shapes(test.context);
  const auto moved = MovedAxis(test.graph().node(0), axis, &shapes);
  return moved ? std::to_string(moved->behind) + " of " + std::to_string(moved->rank) : "";
}

TEST(AffineSteps, ChannelsAreFollowedThroughMovement) {
  const ChannelAxis last = {4, 0, 3};
  const ChannelAxis middle = {6, 1, 3};
  EXPECT_EQ(Moved("Transpose<perm = [2, 0, 1]>(x)", last), "2 of 3");
  EXPECT_EQ(Moved("Transpose(x)", {1, 2, 3}), "0 of 3");
  EXPECT_EQ(Moved("Transpose<perm = [0, 2, 1]>(x)", {4, 0, kUnknownRank}), "1 of 3");
  EXPECT_EQ(Moved("Reshape(x, rows)", last), "0 of 2");
  EXPECT_EQ(Moved("Reshape(x, rows)", {4, 0, 3}, "N,6,4"), "0 of 2");
  EXPECT_EQ(Moved("Reshape(x, rows)", middle), "1 of 2");
  EXPECT_EQ(Moved("Reshape(x, rows)", middle, "N,6,4"), "");
  EXPECT_EQ(Moved("Reshape(x, ones)", last), "1 of 4");
  EXPECT_EQ(Moved("Reshape(x, s)", middle), "");
  EXPECT_EQ(Moved("Unsqueeze(x, one)", middle), "1 of 4");
  EXPECT_EQ(Moved("Flatten(x)", middle), "");
  EXPECT_EQ(Moved("Identity(x)", middle), "1 of 3");
}

}  // namespace affine_steps_test
}  // namespace ptq
