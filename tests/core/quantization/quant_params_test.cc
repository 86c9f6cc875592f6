#include "quantization/quant_params.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "quantization/fixture_lines.h"

namespace ptq {
namespace {

TEST(FitScaleZeroPointTest, EqualsTheReferenceBitForBit) {
  const std::vector<Words> lines = FixtureLines("fit_scale_zero_point.txt");
  ASSERT_GT(lines.size(), 1000u);
  for (const Words& words : lines) {
    const QuantType type = *QuantTypeFromName(words[1]);
    FitOptions options{words[3] == "1", words[4] == "1", {}};
    const double min_real_range = std::strtod(words[5].c_str(), nullptr);
    if (min_real_range > 0) options.min_real_range = min_real_range;
    const TensorRange range{FloatOf(words[6]), FloatOf(words[7])};
    const ScaleZeroPoint fit =
        words[0] == "restricted"
            ? FitRestrictedAsymmetric(range, options)
            : FitScaleZeroPoint(range, type, FloatTypeNamed(words[2]), options);
    const std::string line = testing::PrintToString(words);
    EXPECT_EQ(fit.scale, FloatOf(words[8])) << line;
    EXPECT_EQ(fit.zero_point, std::stoi(words[9])) << line;
  }
}

TEST(FitScaleZeroPointTest, TakesTheSpotValuesOfTheReference) {
  const TensorRange range{-1, 2};
  const auto fit = [&](QuantType type, bool symmetric, bool reduce_range) {
    return FitScaleZeroPoint(range, type, FloatType::kFloat, {symmetric, reduce_range, {}});
  };
  EXPECT_EQ(fit(QuantType::kInt8, false, false).zero_point, -43);
  EXPECT_EQ(fit(QuantType::kInt8, false, false).scale, 0.0117647061f);
  EXPECT_EQ(fit(QuantType::kInt8, true, false).scale, 0.0157480314f);
  EXPECT_EQ(fit(QuantType::kInt8, true, true).scale, 0.03125f);
  EXPECT_EQ(fit(QuantType::kUInt8, false, false).zero_point, 85);
  EXPECT_EQ(fit(QuantType::kUInt8, true, false).zero_point, 128);
  EXPECT_EQ(fit(QuantType::kUInt8, true, true).zero_point, 64);
}

TEST(FitScaleZeroPointTest, RefusesEndsThatAreNotFinite) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const TensorRange range : {TensorRange{kNan, 1}, TensorRange{0, kNan},
                                  TensorRange{-kInfinity, 1}, TensorRange{0, kInfinity}}) {
    for (const bool restricted : {false, true}) {
      try {
        if (restricted) {
          FitRestrictedAsymmetric(range, {});
        } else {
          FitScaleZeroPoint(range, QuantType::kUInt8, FloatType::kFloat, {});
        }
        ADD_FAILURE() << range.lowest << " " << range.highest;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kInvalidRange);
      }
    }
  }
}

TEST(FittedRangeTest, ReducedWinsOverSymmetric) {
  const auto expect = [](QuantType type, bool reduce_range, bool symmetric, int min, int max) {
    const IntegerRange range = FittedRange(type, reduce_range, symmetric);
    EXPECT_EQ(range.min, min);
    EXPECT_EQ(range.max, max);
  };
  expect(QuantType::kInt8, false, false, -128, 127);
  expect(QuantType::kInt8, false, true, -127, 127);
  expect(QuantType::kInt8, true, false, -64, 64);
  expect(QuantType::kInt8, true, true, -64, 64);
  expect(QuantType::kUInt8, false, false, 0, 255);
  expect(QuantType::kUInt8, false, true, 0, 255);
  expect(QuantType::kUInt8, true, false, 0, 127);
  expect(QuantType::kUInt8, true, true, 0, 127);
}

TEST(QuantTypeTest, NamesGoBothWays) {
  for (const QuantType type : {QuantType::kInt8, QuantType::kUInt8}) {
    EXPECT_EQ(QuantTypeFromName(QuantTypeName(type)), type);
  }
  EXPECT_FALSE(QuantTypeFromName("QInt9").has_value());
}

}  // namespace
}  // namespace ptq
