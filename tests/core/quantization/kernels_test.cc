#include "quantization/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "quantization/fixture_lines.h"

namespace ptq {
namespace kernels_test {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<int> Quantize(const std::vector<float>& values, float scale, int32_t zero_point,
                          QuantType type) {
  std::vector<uint8_t> bytes(values.size());
  QuantizeValues(values, scale, zero_point, FullRange(type), std::span<uint8_t>(bytes));
  std::vector<int> quantized;
  for (const uint8_t byte : bytes) {
    quantized.push_back(IsSigned(type) ? static_cast<int8_t>(byte) : byte);
  }
  return quantized;
}

TEST(QuantizeValuesTest, EqualsTheReferenceForTiesInfinitiesAndTinyScales) {
  const std::vector<Words> lines = FixtureLines("quantize_values.txt");
  ASSERT_GT(lines.size(), 500u);
  for (const Words& words : lines) {
    const QuantType type = *QuantTypeFromName(words[0]);
    const std::vector<int> quantized =
        Quantize({FloatOf(words[3])}, FloatOf(words[1]), std::stoi(words[2]), type);
    EXPECT_EQ(quantized[0], std::stoi(words[4])) << testing::PrintToString(words);
  }
}

TEST(QuantizeValuesTest, GivesTheSameInAnyPositionOfALongRow) {
  // Vectorized loops have a remainder: the same values at every offset and length.
  const std::vector<float> pattern = {0.5f, 1.5f, -2.5f, kNan, kInfinity, -kInfinity, 7.25f};
  const std::vector<int> expected = {0, 2, -2, 0, 127, -128, 7};
  for (size_t length = 1; length <= 70; ++length) {
    std::vector<float> values;
    for (size_t i = 0; i < length; ++i) values.push_back(pattern[i % pattern.size()]);
    const std::vector<int> quantized = Quantize(values, 1.0f, 0, QuantType::kInt8);
    for (size_t i = 0; i < length; ++i) EXPECT_EQ(quantized[i], expected[i % pattern.size()]) << i;
  }
}

TEST(QuantizeValuesTest, NanBecomesZeroWhateverTheZeroPoint) {
  EXPECT_EQ(Quantize({kNan}, 0.5f, 128, QuantType::kUInt8)[0], 0);
  EXPECT_EQ(Quantize({kNan}, 0.5f, -40, QuantType::kInt8)[0], 0);
}

TEST(QuantizeValuesTest, ClipsToTheRangeGiven) {
  std::vector<uint8_t> bytes(2);
  QuantizeValues(std::vector<float>{-100, 100}, 1.0f, 0, {-64, 64}, std::span<uint8_t>(bytes));
  EXPECT_EQ(static_cast<int8_t>(bytes[0]), -64);
  EXPECT_EQ(static_cast<int8_t>(bytes[1]), 64);
}

}  // namespace kernels_test
}  // namespace ptq
