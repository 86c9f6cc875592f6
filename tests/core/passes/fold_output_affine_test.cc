#include <gtest/gtest.h>

#include "passes/fold_channels.h"

namespace ptq {
namespace {

TEST(FoldOutputAffine, ARowOfThemIsFoldedAtOnce) {
  Channels test(R"(g (float[1,1,4,4] x) => (float[1,2,4,4] y)
      <float[2,1,1,1] w = {1.0, 2.0}, float[2] k = {3.0, 4.0}, float[1,2,1,1] s = {2.0, 10.0}, float[2,1,1] t = {0.5, 0.25},
       float two = {2.0}> {
    c = Conv(x, w, k) p = Mul(s, c) q = Add(p, t) y = Mul(q, two) })");
  EXPECT_EQ(test.Run(FoldOutputAffine), 3);
  EXPECT_EQ(OpTypes(test.graph()), "Conv");
  EXPECT_EQ(test.graph().node(0).output(0), "y");
  ExpectNear(test.Input(0, 1), {4, 40});
  ExpectNear(test.Input(0, 2), {3 * 2 * 2 + 1, 4 * 10 * 2 + 0.5f});
}

TEST(FoldOutputAffine, AnAddAloneKeepsTheWeight) {
  Channels test(R"(g (float[1,1,4,4] x) => (float[1,2,4,4] y)
      <float[2,1,1,1] w = {1.0, 2.0}, float[1,2,1,1] t = {0.5, 0.25}> { c = Conv(x, w) y = Add(c, t) })");
  EXPECT_EQ(test.Run(FoldOutputAffine), 1);
  EXPECT_EQ(test.graph().node(0).input(1), "w");
  ExpectNear(test.Input(0, 2), {0.5f, 0.25f});
}

TEST(FoldOutputAffine, OtherShapesAndReadersStay) {
  const auto folds = [](const std::string& constant, const std::string& body) {
    Channels test("g (float[1,1,2,2] x) => (float[1,2,2,2] y) <float[2,1,1,1] w = {1.0, 2.0}, " +
                  constant + "> { " + body + " }");
    return test.Run(FoldOutputAffine);
  };
  // [2] and [1,1,1,2] run along the width.
  EXPECT_EQ(folds("float[2] t = {1.0, 2.0}", "c = Conv(x, w) y = Add(c, t)"), 0);
  EXPECT_EQ(folds("float[1,1,1,2] t = {1.0, 2.0}", "c = Conv(x, w) y = Add(c, t)"), 0);
  EXPECT_EQ(folds("float[2,1,1,1] t = {1.0, 2.0}", "c = Conv(x, w) y = Add(c, t)"), 0);
  EXPECT_EQ(folds("float[1,1,1,1,1] t = {1.0}", "c = Conv(x, w) y = Add(c, t)"), 0);
  EXPECT_EQ(folds("float t = {1.0}", "c = Conv(x, w) y = Mul(c, c)"), 0);
  EXPECT_EQ(folds("float t = {1.0}", "c = Conv(x, w) y = Add(c, x)"), 0);
  EXPECT_EQ(folds("float t = {1.0}", "c = Conv(x, w) y = Add(c, t)"), 1);
}

TEST(FoldOutputAffine, AWeightThatSeveralShareStaysOne) {
  const std::string graph = R"(g (float[1,16,4,4] x) => (float[1,16,4,4] z)
      <float s = {2.0}, float t = {3.0}> {
    c = Conv(x, w) y = Mul(c, s)
    d = Conv(y, w) z = Mul(d, )";
  Channels same(graph + "s) }");
  AddFloats(&same.graph(), "w", {16, 16, 1, 1}, SomeFloats(256));
  EXPECT_EQ(same.Run(FoldOutputAffine), 2);
  EXPECT_EQ(same.graph().node(0).input(1), same.graph().node(1).input(1));
  Channels other(graph + "t) }");
  AddFloats(&other.graph(), "w", {16, 16, 1, 1}, SomeFloats(256));
  EXPECT_EQ(other.Run(FoldOutputAffine), 0);
}

TEST(FoldOutputAffine, NoWeightOrBiasBecomesInfinite) {
  const auto folded = [](const std::string& weight, const std::string& factor,
                         const std::string& term) {
    Channels test("g (float[1,1,4,4] x) => (float[1,1,4,4] z) <float[1,1,1,1] w = {" + weight +
                  "}, float s = {" + factor + "}, float t = {" + term +
                  "}> { c = Conv(x, w) y = Mul(c, s) z = Add(y, t) }");
    return test.Run(FoldOutputAffine);
  };
  EXPECT_EQ(folded("1e20", "2.0", "1.0"), 2);
  EXPECT_EQ(folded("1e20", "1e20", "1.0"), 0);
  EXPECT_EQ(folded("0.0", "1e20", "1.0"), 2);
}

}  // namespace
}  // namespace ptq
