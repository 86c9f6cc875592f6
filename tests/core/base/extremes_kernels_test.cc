#include "base/extremes_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace ptq {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(FindExtremesTest, FindsTheEndsAtEveryPositionAndPassesOverNan) {
  for (size_t length = 1; length <= 40; ++length) {
    for (size_t at = 0; at < length; ++at) {
      std::vector<float> values(length, 1.0f);
      values[(at + 1) % length] = kNan;
      values[at] = -3.0f;
      const Extremes extremes = FindExtremes(values, Values::kSigned);
      EXPECT_EQ(extremes.lowest, -3.0f);
      EXPECT_EQ(extremes.highest, length > 2 ? 1.0f : -3.0f);
    }
  }
}

TEST(FindExtremesTest, PassesOverNanAndCountsIt) {
  for (const size_t length : {size_t{0}, size_t{1}, size_t{15}, size_t{16}, size_t{100}}) {
    std::mt19937 generator(3);
    std::normal_distribution<float> normal;
    std::vector<float> values(length);
    Extremes expected;
    for (float& value : values) {
      value = normal(generator);
      expected.lowest = std::min(expected.lowest, value);
      expected.highest = std::max(expected.highest, value);
    }
    values.insert(values.begin() + static_cast<std::ptrdiff_t>(length / 2), kNan);
    const Extremes extremes = FindExtremes(values, Values::kSigned);
    EXPECT_EQ(extremes.lowest, expected.lowest);
    EXPECT_EQ(extremes.highest, expected.highest);
    EXPECT_EQ(extremes.nans, 1u);
  }
}

TEST(FindExtremesTest, MagnitudesHaveNoSign) {
  for (const size_t length : {size_t{3}, size_t{35}}) {
    std::vector<float> values(length, -2.0f);
    values[length / 2] = 0.5f;
    const Extremes extremes = FindExtremes(values, Values::kAbsolute);
    EXPECT_EQ(extremes.lowest, 0.5f);
    EXPECT_EQ(extremes.highest, 2.0f);
  }
}

TEST(FindExtremesTest, NoValuesAreEmpty) {
  EXPECT_TRUE(FindExtremes({}, Values::kSigned).is_empty());
  EXPECT_TRUE(FindExtremes(std::vector<float>{kNan}, Values::kSigned).is_empty());
}

TEST(ExtremesTest, WidenKeepsARangeThatIsWiderAlready) {
  Extremes range{-5, 5};
  range.Widen(FindExtremes(std::vector<float>{1, 2, kNan}, Values::kSigned));
  EXPECT_EQ(range.lowest, -5);
  EXPECT_EQ(range.highest, 5);
  range.Widen(kInfinity);
  EXPECT_EQ(range.highest, kInfinity);
}

}  // namespace
}  // namespace ptq
