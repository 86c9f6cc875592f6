// What a graph tells about its pictures: nodes that normalize them, and statistics of training.
#include "calibration/input_facts.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "testing/model_text.h"

namespace ptq {
namespace {

InputFacts Facts(const std::string& constants, const std::string& nodes) {
  const TextModel text(R"(<ir_version: 8, opset_import: ["" : 15]>
    agraph (float[1, 4, 4, 3] x) => (float y) <float[2] two = {4, 5}, float[2] more = {1, 9},)" +
                       constants + "> { " + nodes + " }");
  return FindInputFacts(text.model, "x");
}

using Floats = std::vector<float>;

TEST(InputFactsTest, NodesThatNormalizeAreOneScaleAndOffset) {
  const InputFacts facts =
      Facts("float all = {255}, float[1, 3, 1, 1] mean = {0.5, 0.25, 0}, float half = {0.5}",
            "a = Div(x, all) b = Transpose<perm = [0, 3, 1, 2]>(a) c = Sub(b, mean) "
            "d = Mul(half, c) y = Relu(d)");
  ASSERT_TRUE(facts.normalization);
  EXPECT_EQ(facts.normalization->op_types, (std::vector<std::string>{"Div", "Sub", "Mul"}));
  ASSERT_EQ(facts.normalization->scale.size(), 3U);
  for (const float scale : facts.normalization->scale) EXPECT_FLOAT_EQ(scale, 0.5F / 255);
  EXPECT_EQ(facts.normalization->offset, (Floats{-0.25, -0.125, 0}));
}

TEST(InputFactsTest, ConstantsOfConstantNodesCount) {
  const InputFacts facts =
      Facts("float one = {1}", "k = Constant<value = float {2}>() a = Mul(x, k) y = Sub(a, one)");
  ASSERT_TRUE(facts.normalization);
  EXPECT_EQ(facts.normalization->scale, Floats{2});
  EXPECT_EQ(facts.normalization->offset, Floats{-1});
}

TEST(InputFactsTest, WhatIsNoNormalizationTellsNothing) {
  // Learned: a value for each pixel; a reciprocal; a second reader; nothing constant.
  EXPECT_FALSE(Facts("float[1, 4, 4, 1] map = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}",
                     "y = Mul(x, map)")
                   .normalization);
  EXPECT_FALSE(Facts("float one = {1}", "y = Div(one, x)").normalization);
  EXPECT_FALSE(Facts("float half = {0.5}", "h = Mul(x, half) y = Sub(x, h)").normalization);
  EXPECT_FALSE(Facts("float zero = {0}", "h = Sigmoid(x) y = Div(h, zero)").normalization);
  EXPECT_FALSE(Facts("float zero = {0}", "y = Div(x, zero)").normalization);
}

TEST(InputFactsTest, TheFirstBatchNormalizationTellsItsStatistics) {
  const InputFacts facts =
      Facts("float[2] mean = {1, 2}, float[2] variance = {3, 4}",
            "a = Sigmoid(x) b = BatchNormalization(a, two, two, mean, variance) "
            "y = BatchNormalization(b, two, two, more, more)");
  ASSERT_TRUE(facts.statistics);
  EXPECT_EQ(facts.statistics->tensor, "a");
  EXPECT_EQ(facts.statistics->mean, (Floats{1, 2}));
  EXPECT_EQ(facts.statistics->variance, (Floats{3, 4}));
  EXPECT_FALSE(facts.normalization);
}

TEST(InputFactsTest, TheFirstConvTellsItsBiases) {
  const std::string weight = "float[2, 4, 1, 1] w = {1, 2, 3, 4, 5, 6, 7, 8}, ";
  const InputFacts own = Facts(weight + "float[2] b = {7, -7}", "a = Conv(x, w, b) y = Relu(a)");
  ASSERT_TRUE(own.sums);
  EXPECT_EQ(own.sums->tensor, "a");
  EXPECT_EQ(own.sums->bias, (Floats{7, -7}));
  const InputFacts added =
      Facts(weight + "float[1, 2, 1, 1] b = {3, 4}", "a = Conv(x, w) s = Add(b, a) y = Relu(s)");
  ASSERT_TRUE(added.sums);
  EXPECT_EQ(added.sums->tensor, "s");
  EXPECT_EQ(added.sums->bias, (Floats{3, 4}));
}

TEST(InputFactsTest, AConvWithoutConstantBiasesTellsNothing) {
  const std::string weight = "float[2, 4, 1, 1] w = {1, 2, 3, 4, 5, 6, 7, 8}, ";
  EXPECT_FALSE(Facts(weight + "float one = {1}", "a = Conv(x, w) y = Add(a, one)").sums);
  EXPECT_FALSE(Facts(weight + "float one = {1}", "a = Conv(x, w) y = Mul(a, one)").sums);
  EXPECT_FALSE(Facts(weight + "float one = {1}", "a = Conv(x, w) y = Add(a, a)").sums);
  EXPECT_FALSE(Facts(weight + "float one = {1}", "b = Abs(two) y = Conv(x, w, b)").sums);
  // A bias whose effect is taken away again was never learned.
  EXPECT_FALSE(Facts(weight + "float one = {1}",
                     "a = Conv(x, w, two) y = InstanceNormalization(a, two, two)")
                   .sums);
}

TEST(InputFactsTest, ABatchNormalizationInTrainingModeTellsNothing) {
  const InputFacts facts =
      Facts("float[2] mean = {1, 2}, float[2] variance = {3, 4}",
            "y, m, v = BatchNormalization<training_mode = 1>(x, two, two, mean, variance)");
  EXPECT_FALSE(facts.statistics);
}

}  // namespace
}  // namespace ptq
