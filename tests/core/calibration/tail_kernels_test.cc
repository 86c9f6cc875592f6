#include "calibration/tail_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "calibration/clip_kernels.h"

namespace ptq {
namespace tail_kernels_test {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> Normal(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.3f, 2);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

std::vector<float> LargestOf(std::vector<float> values) {
  std::sort(values.begin(), values.end(), std::greater<>());
  values.resize(std::min(values.size(), Largest::kKept));
  return values;
}

std::vector<float> Negated(std::vector<float> values) {
  for (float& value : values) value = -value;
  return values;
}

std::vector<float> ToVector(std::span<const float> values) {
  return {values.begin(), values.end()};
}

void ExpectTailsOf(const std::vector<float>& values, const Tails& tails) {
  const Tails::Saved saved = tails.Save();
  EXPECT_EQ(tails.count(), values.size());
  EXPECT_EQ(ToVector(saved.above.values()), LargestOf(values));
  EXPECT_EQ(ToVector(saved.below.values()), LargestOf(Negated(values)));
  const Extremes signed_values = FindExtremes(values, Values::kSigned);
  EXPECT_EQ(tails.values().lowest, signed_values.lowest);
  EXPECT_EQ(tails.values().highest, signed_values.highest);
  const Extremes magnitudes = FindExtremes(values, Values::kAbsolute);
  EXPECT_EQ(tails.magnitudes().lowest, magnitudes.lowest);
  EXPECT_EQ(tails.magnitudes().highest, magnitudes.highest);
}

void ExpectOutermostOf(std::vector<float> values, float more, const Tails& tails) {
  values.push_back(more);
  ExpectTailsOf(values, tails);
}

TEST(TailKernelsTest, TheOutermostOfAllValuesAreKeptAndFewAreAllKept) {
  for (const size_t count : {1, 15, 512, 2048, 4095, 4096, 100'000}) {
    const std::vector<float> values = Normal(count, static_cast<uint32_t>(count));
    Tails tails;
    tails.Collect(values, Values::kAbsolute);
    ExpectTailsOf(values, tails);
  }
}

TEST(TailKernelsTest, WithoutMagnitudesTheSameIsKept) {
  const std::vector<float> values = Normal(100'001, 5);
  Tails with;
  with.Collect(values, Values::kAbsolute);
  Tails without;
  for (const float value : values) without.Collect({&value, 1}, Values::kSigned);
  EXPECT_EQ(without.count(), with.count());
  EXPECT_EQ(ToVector(without.Save().above.values()), ToVector(with.Save().above.values()));
  EXPECT_EQ(ToVector(without.Save().below.values()), ToVector(with.Save().below.values()));
}

TEST(TailKernelsTest, WhatIsAboveTheEndOfWhatIsKeptIsKept) {
  const std::vector<float> values = Normal(100'000, 1);
  Tails tails;
  tails.Collect(values, Values::kAbsolute);
  const float end = tails.above().all_above();
  const auto is_above = [&](float value) { return value > end; };
  EXPECT_EQ(std::count_if(values.begin(), values.end(), is_above),
            std::count_if(tails.above().values().begin(), tails.above().values().end(), is_above));
}

TEST(TailKernelsTest, HowValuesAreSharedOutMakesNoDifference) {
  std::vector<float> values = Normal(50'000, 2);
  std::fill_n(values.begin(), 5000, 3.0f);  // ties
  Tails parts;
  const std::span<const float> all = values;
  for (size_t first = 0; first < values.size(); first += 12'500) {
    Tails part;
    part.Collect(all.subspan(first, 7777), Values::kAbsolute);
    part.Collect(all.subspan(first + 7777, 12'500 - 7777), Values::kAbsolute);
    parts.Add(part);
  }
  ExpectTailsOf(values, parts);
}

TEST(TailKernelsTest, WhatIsClippedFollowsFromWhatIsKept) {
  const std::vector<float> values = Normal(60'000, 3);
  Tails tails;
  tails.Collect(values, Values::kAbsolute);
  const ClipBounds bounds[] = {{0, kInfinity}, {0, 6}, {-1, 1}, {1, 5}, {-5, -2}, {3, 2}};
  for (const ClipBounds& clip : bounds) {
    std::vector<float> clipped(values.size());
    ClipValues(values, clip, clipped);
    ExpectTailsOf(clipped, tails.Clipped(clip));
  }
}

TEST(TailKernelsTest, FewValuesOfASmallTensorAreAllKept) {
  const std::vector<float> values = Normal(Tails::kFew, 6);
  const std::span<const float> all = values;
  Tails tails;
  Tails other;
  for (size_t first = 0; first < values.size(); first += 1024) {
    (first % 3072 == 0 ? other : tails).Collect(all.subspan(first, 1024), Values::kAbsolute);
  }
  tails.Add(other);
  std::vector<float> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(tails.Save().all, sorted);
  ASSERT_NE(tails.all(), nullptr);
  EXPECT_EQ(tails.Clipped({0, 1}).all()->size(), values.size());
  tails.Collect(all.first(1), Values::kAbsolute);
  EXPECT_EQ(tails.all(), nullptr);
  ExpectOutermostOf(values, values[0], tails);
}

TEST(TailKernelsTest, OfALargeTensorTheyAreNot) {
  const std::vector<float> values = Normal(Tails::kFewAtOnce + 1, 7);
  Tails large;
  large.Collect(values, Values::kSigned);
  EXPECT_EQ(large.all(), nullptr);
  Tails small;
  small.Collect(std::span(values).first(10), Values::kSigned);
  small.Add(large);
  EXPECT_EQ(small.all(), nullptr);
}

TEST(TailKernelsTest, NanIsCountedAndNoValue) {
  std::vector<float> values = Normal(1000, 4);
  values[3] = kNan;
  values[999] = kNan;
  Tails tails;
  tails.Collect(values, Values::kAbsolute);
  EXPECT_EQ(tails.count(), 998u);
  EXPECT_EQ(tails.values().nans, 2u);
  EXPECT_EQ(tails.magnitudes().nans, 2u);
  EXPECT_EQ(tails.above().values().size(), 998u);
}

}  // namespace tail_kernels_test
}  // namespace ptq
