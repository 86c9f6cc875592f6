#include "calibration/clip_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace ptq {
namespace {

TEST(ClipKernelsTest, ClipsAsOnnxruntimeDoes) {
  const ClipBounds bounds{-0.0f, 6};
  EXPECT_EQ(Clip(7, bounds), 6);
  EXPECT_TRUE(std::signbit(Clip(-1, bounds)));
  EXPECT_FALSE(std::signbit(Clip(0, bounds)));
  EXPECT_TRUE(std::isnan(Clip(std::nanf(""), bounds)));
  EXPECT_EQ(Clip(0, {5, 1}), 1);  // no range at all
}

TEST(ClipKernelsTest, ManyValuesAreClippedAsOne) {
  const ClipBounds bounds{-2, 3};
  std::vector<float> values;
  for (int i = 0; i < 1001; ++i) values.push_back(static_cast<float>(std::sin(i) * 5));
  values.push_back(std::nanf(""));
  std::vector<float> clipped(values.size());
  ClipValues(values, bounds, clipped);
  for (size_t i = 0; i + 1 < values.size(); ++i) EXPECT_EQ(clipped[i], Clip(values[i], bounds));
  EXPECT_TRUE(std::isnan(clipped.back()));
}

}  // namespace
}  // namespace ptq
