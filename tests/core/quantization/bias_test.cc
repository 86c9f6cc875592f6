#include "quantization/bias.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "quantization/fixture_lines.h"

namespace ptq {
namespace {

constexpr Raise kAll = Raise::kBelowSmallestValid;
constexpr int32_t kMax = std::numeric_limits<int32_t>::max();
constexpr int32_t kMin = std::numeric_limits<int32_t>::min();

TEST(RaiseWeightScalesTest, EqualsTheReferenceBitForBit) {
  const std::vector<Words> lines = FixtureLines("raise_weight_scales.txt");
  int raised = 0;
  for (const Words& words : lines) {
    const bool per_channel = words[1] == "1";
    const size_t biases = std::stoul(words[3]);
    const size_t scales = per_channel ? biases : 1;
    QuantParams weight{QuantType::kInt8, FloatTypeNamed(words[0]), {}, {}, {}};
    if (per_channel) weight.axis = 0;
    size_t at = 4;
    for (size_t i = 0; i < scales; ++i) weight.scales.push_back(FloatOf(words[at++]));
    weight.zero_points.assign(scales, 0);
    std::vector<float> bias;
    for (size_t i = 0; i < biases; ++i) bias.push_back(FloatOf(words[at++]));
    const std::vector<float> before = weight.scales;
    const bool changed =
        RaiseWeightScales(bias, weight.scale_type, FloatOf(words[2]), kAll, &weight);
    EXPECT_EQ(changed, weight.scales != before);
    raised += changed;
    for (size_t i = 0; i < scales; ++i) {
      EXPECT_EQ(weight.scales[i], FloatOf(words[at++])) << testing::PrintToString(words);
    }
  }
  EXPECT_GT(raised, 20);
  EXPECT_LT(raised, static_cast<int>(lines.size()) - 20);
}

TEST(RaiseWeightScalesTest, MakesEveryBiasFit) {
  const std::vector<float> bias = {4.0f, -25.0f, 0.0f};
  QuantParams weight{QuantType::kInt8,         FloatType::kFloat, 0, 0, {},
                     {1e-12f, 1e-12f, 1e-12f}, {0, 0, 0}};
  EXPECT_TRUE(QuantizeBias(bias, FloatType::kFloat, 0.01f, weight.scales, {}).clipped);
  EXPECT_TRUE(RaiseWeightScales(bias, FloatType::kFloat, 0.01f, kAll, &weight));
  EXPECT_FALSE(QuantizeBias(bias, FloatType::kFloat, 0.01f, weight.scales, {}).clipped);
  EXPECT_EQ(weight.scales[2], 1e-12f);  // its bias fits as it is
}

TEST(RaiseWeightScalesTest, LooksAtEveryRepetitionOfAGroupedWeightsChannels) {
  const std::vector<float> bias = {0.0f, 0.0f, 0.0f, 30.0f};  // channels 0 1 0 1
  QuantParams weight{QuantType::kInt8, FloatType::kFloat, 1, 0, {}, {1e-12f, 1e-12f}, {0, 0}};
  EXPECT_TRUE(RaiseWeightScales(bias, FloatType::kFloat, 0.01f, kAll, &weight));
  EXPECT_EQ(weight.scales[0], 1e-12f);
  EXPECT_GT(weight.scales[1], 1e-12f);
}

TEST(RaiseWeightScalesTest, StaysFiniteWhereTwiceAHalfBiasIsNone) {
  QuantParams weight{QuantType::kInt8, FloatType::kFloat16, 0, 0, {}, {0x1p-20f}, {0}};
  EXPECT_TRUE(RaiseWeightScales(std::vector<float>{60000.0f}, FloatType::kFloat16, 0x1p-10f, kAll,
                                &weight));
  EXPECT_GE(weight.scales[0] * 0x1p-10 * kMax, 60000.0);
  EXPECT_LT(weight.scales[0], 0.1f);
}

TEST(RaiseWeightScalesTest, LeavesWhatIsNotClippedAloneWhereOnlyThatCounts) {
  // The reference's margin of 1.0001 lies between the two.
  const std::vector<float> bias = {2147483000.0f / 1024, 2200000000.0f / 1024};
  QuantParams weight{QuantType::kUInt8, FloatType::kFloat, 0, 0, {}, {0x1p-10f, 0x1p-10f}, {7, 9}};
  EXPECT_TRUE(RaiseWeightScales(bias, FloatType::kFloat, 1.0f, Raise::kWhereClipped, &weight));
  EXPECT_EQ(weight.scales[0], 0x1p-10f);
  EXPECT_GT(weight.scales[1], 0x1p-10f);
  EXPECT_EQ(weight.zero_points, (std::vector<int32_t>{7, 9}));
  EXPECT_TRUE(FitsInt32(bias, FloatType::kFloat, 1.0f, weight.scales, {}));
}

TEST(RaiseWeightScalesTest, NoScaleFitsAnInfiniteBias) {
  const float infinity = std::numeric_limits<float>::infinity();
  QuantParams weight{QuantType::kInt8, FloatType::kFloat, {}, 0, {}, {1e-12f}, {0}};
  EXPECT_FALSE(
      RaiseWeightScales(std::vector<float>{infinity}, FloatType::kFloat, 1, kAll, &weight));
  EXPECT_EQ(weight.scales[0], 1e-12f);
  EXPECT_FALSE(FitsInt32(std::vector<float>{infinity}, FloatType::kFloat, 1, weight.scales, {}));
  EXPECT_FALSE(
      FitsInt32(std::vector<float>{std::nanf("")}, FloatType::kFloat, 1, weight.scales, {}));
  EXPECT_TRUE(FitsInt32(std::vector<float>{0, 1e-4f}, FloatType::kFloat, 1, weight.scales, {}));
}

TEST(QuantizeBiasTest, RoundsHalfToEvenInDouble) {
  const std::vector<float> scales = {1.0f};
  const QuantizedBias bias =
      QuantizeBias(std::vector<float>{0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 16777215.0f},
                   FloatType::kFloat, 1.0f, scales, {});
  EXPECT_EQ(bias.values, (std::vector<int32_t>{0, 2, 2, 0, -2, 16777215}));
  EXPECT_FALSE(bias.clipped);
}

TEST(QuantizeBiasTest, TakesTheFloatProductOfTheScales) {
  const float input = 0.1f;
  const std::vector<float> weights = {0.3f, 0.7f};
  const QuantizedBias bias =
      QuantizeBias(std::vector<float>{1, 1}, FloatType::kFloat, input, weights, {});
  EXPECT_EQ(bias.scales, (std::vector<float>{input * weights[0], input * weights[1]}));
  EXPECT_EQ(bias.values[0], 33);
  EXPECT_EQ(bias.values[1], 14);
}

TEST(QuantizeBiasTest, ClipsToInt32AndSaysSo) {
  const std::vector<float> scales = {1e-12f};
  const QuantizedBias bias =
      QuantizeBias(std::vector<float>{1, -1, 0}, FloatType::kFloat, 1.0f, scales, {});
  EXPECT_TRUE(bias.clipped);
  EXPECT_EQ(bias.values, (std::vector<int32_t>{kMax, kMin, 0}));
}

TEST(QuantizeBiasTest, FoldsAlphaAndBetaIntoWhatTheAccumulatorHolds) {
  // alpha * (A * B) + beta * C = alpha * s * (acc + C'), so C' = beta * C / (alpha * s).
  const std::vector<float> scales = {0.5f};
  const QuantizedBias bias =
      QuantizeBias(std::vector<float>{3}, FloatType::kFloat, 0.25f, scales, {0.5f, 2.0f});
  EXPECT_EQ(bias.scales[0], 0.0625f);
  EXPECT_EQ(bias.values[0], 96);
}

TEST(QuantizeBiasTest, BetaZeroGivesZeros) {
  const std::vector<float> scales = {0.5f};
  const QuantizedBias bias =
      QuantizeBias(std::vector<float>{3, -4}, FloatType::kFloat, 1.0f, scales, {1.0f, 0.0f});
  EXPECT_EQ(bias.values, (std::vector<int32_t>{0, 0}));
}

TEST(QuantizeBiasTest, HalfKeepsItsOwnScaleWhereThatServes) {
  const std::vector<float> scales = {0.5f};
  const QuantizedBias bias =
      QuantizeBias(std::vector<float>{1.5f}, FloatType::kFloat16, 0.25f, scales, {});
  EXPECT_EQ(bias.scale_type, FloatType::kFloat16);
  EXPECT_EQ(bias.scales[0], 0.125f);
  EXPECT_EQ(bias.values[0], 12);
}

TEST(QuantizeBiasTest, HalfGoesToFloatWhereTheProductIsNoHalf) {
  const std::vector<float> scales = {0x1p-14f};
  const std::vector<float> values = {0.001f, 0.0f};
  const QuantizedBias bias = QuantizeBias(values, FloatType::kFloat16, 0x1p-14f, scales, {});
  EXPECT_EQ(bias.scale_type, FloatType::kFloat);
  EXPECT_EQ(bias.scales[0], 0x1p-28f);
  EXPECT_NEAR(bias.values[0] * static_cast<double>(bias.scales[0]), 0.001, 1e-8);
  EXPECT_EQ(bias.values[1], 0);
  EXPECT_FALSE(bias.clipped);
}

TEST(QuantizeBiasTest, ManyChannelsRepeatOverTheLastAxis) {
  const std::vector<float> scales = {1.0f, 2.0f};
  const QuantizedBias bias =
      QuantizeBias(std::vector<float>{4, 4, 8, 8}, FloatType::kFloat, 1.0f, scales, {});
  EXPECT_EQ(bias.values, (std::vector<int32_t>{4, 2, 8, 4}));
}

}  // namespace
}  // namespace ptq
