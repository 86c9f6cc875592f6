// What a BatchNormalization promises of its output, and when it promises nothing.
#include "calibration/expected_magnitude.h"

#include <gtest/gtest.h>

#include <string>

#include "testing/model_text.h"

namespace ptq {
namespace {

// Two channels with the given variances in front of a BatchNormalization.
std::optional<ExpectedMagnitude> WithVariances(const std::string& variances,
                                               const std::string& attributes = "") {
  const TextModel text(R"(<ir_version: 8, opset_import: ["" : 15]>
    agraph (float[1, 2, 4] x) => (float[1, 2, 4] y)
    <float[2] gamma = {1, 2}, float[2] beta = {0.5, -1}, float[2] mean = {0, 0},
     float[2] variance = {)" +
                       variances + "}> { y = BatchNormalization " + attributes +
                       "(x, gamma, beta, mean, variance) }");
  return FindExpectedMagnitude(text.model);
}

TEST(ExpectedMagnitudeTest, IsThatOfTheLargestChannel) {
  const auto expected = WithVariances("1, 0.01");
  ASSERT_TRUE(expected);
  EXPECT_EQ(expected->tensor, "y");
  EXPECT_FLOAT_EQ(expected->largest, 13);  // |-1| + 6 * |2|
}

TEST(ExpectedMagnitudeTest, ADeadChannelPromisesNothing) {
  EXPECT_FALSE(WithVariances("1, 0"));
  EXPECT_FALSE(WithVariances("0.000000001, 1"));
  EXPECT_FALSE(WithVariances("1, 0.01", "<epsilon = 0.02>"));
  EXPECT_TRUE(WithVariances("1, 0.01", "<epsilon = 0.001>"));
}

TEST(ExpectedMagnitudeTest, ParametersThatAreComputedPromiseNothing) {
  const TextModel text(R"(<ir_version: 8, opset_import: ["" : 15]>
    agraph (float[1, 2, 4] x, float[2] gamma) => (float[1, 2, 4] y)
    <float[2] beta = {0.5, -1}, float[2] mean = {0, 0}, float[2] variance = {1, 1}>
    { y = BatchNormalization (x, gamma, beta, mean, variance) })");
  EXPECT_FALSE(FindExpectedMagnitude(text.model));
}

}  // namespace
}  // namespace ptq
