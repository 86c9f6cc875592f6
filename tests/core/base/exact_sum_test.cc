#include "base/exact_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace ptq {
namespace {

ExactSum SumOf(const std::vector<float>& values) {
  ExactSum sum;
  for (const float value : values) sum.Add(value);
  return sum;
}

TEST(ExactSumTest, HoldsWhatFloatsAndDoublesRoundAway) {
  EXPECT_EQ(SumOf({1e30f, 1, -1e30f}).Value(), 1);
  EXPECT_EQ(SumOf({0.5f, -0.25f, 3}).Value(), 3.25);
  EXPECT_EQ(SumOf({-2, -3}).Value(), -5);
  const float smallest = std::numeric_limits<float>::denorm_min();
  const float largest = std::numeric_limits<float>::max();
  EXPECT_EQ(SumOf({largest, smallest, -largest}).Value(), smallest);
  EXPECT_EQ(SumOf({largest, largest}).Value(), 2.0 * largest);
}

TEST(ExactSumTest, IsTheSameInAnyOrderAndInParts) {
  std::vector<float> values;
  for (int i = 0; i < 1000; ++i) {
    values.push_back(std::ldexp(static_cast<float>(i % 97) - 48.3f, i % 50 - 25));
  }
  const ExactSum forward = SumOf(values);
  ExactSum parts = SumOf({values.begin() + 300, values.end()});
  parts.Add(SumOf({values.begin(), values.begin() + 300}));
  std::reverse(values.begin(), values.end());
  EXPECT_EQ(forward.digits(), SumOf(values).digits());
  EXPECT_EQ(forward.digits(), parts.digits());
}

}  // namespace
}  // namespace ptq
