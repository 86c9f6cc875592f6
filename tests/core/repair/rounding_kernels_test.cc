// The rounding of a panel, against the same rule in plain double and against rounding to nearest.
#include "repair/rounding_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "testing/model_text.h"

namespace ptq {
namespace {

constexpr IntegerRange kInt8 = {-128, 127};
constexpr IntegerRange kInt4 = {-8, 7};

// A positive definite matrix of inputs that move together.
std::vector<float> Correlated(size_t size, uint32_t seed) {
  constexpr size_t kRows = 200;
  const std::vector<float> noise = SomeFloats(kRows * (size + 1), seed);
  std::vector<float> matrix(size * size);
  for (size_t i = 0; i < size; ++i) {
    for (size_t j = 0; j < size; ++j) {
      double sum = 0;
      for (size_t r = 0; r < kRows; ++r) {
        const float* row = noise.data() + r * (size + 1);
        sum += (row[size] + 0.3 * row[i]) * (row[size] + 0.3 * row[j]);
      }
      matrix[i * size + j] = static_cast<float>(sum / kRows + (i == j ? 1e-3 : 0));
    }
  }
  return matrix;
}

// Of each output of the panel: the quadratic form of the errors.
double Error(const std::vector<float>& h, size_t size, const std::vector<float>& weights,
             const std::vector<float>& rounded) {
  double error = 0;
  for (size_t o = 0; o < kPanel; ++o) {
    for (size_t i = 0; i < size; ++i) {
      for (size_t j = 0; j < size; ++j) {
        const double a = weights[i * kPanel + o] - rounded[i * kPanel + o];
        const double b = weights[j * kPanel + o] - rounded[j * kPanel + o];
        error += a * b * h[i * size + j];
      }
    }
  }
  return error;
}

struct Case {
  explicit Case(size_t size, uint32_t seed, float scale)
      : h(Correlated(size, seed)),
        weights(SomeFloats(size * kPanel, seed + 100)),
        scales(size * kPanel, scale),
        zero_points(size * kPanel, 0) {}

  std::vector<float> Rounded(const std::vector<float>& matrix, IntegerRange range) const {
    const auto size = static_cast<size_t>(std::sqrt(static_cast<double>(matrix.size())));
    std::vector<float> values = weights;
    RoundPanel(ErrorPropagation(matrix, size), scales, zero_points, range, values);
    return values;
  }
  std::vector<float> Nearest(IntegerRange range) const {
    std::vector<float> values = weights;
    for (size_t i = 0; i < values.size(); ++i) {
      const float q = std::nearbyint(values[i] / scales[i]) + zero_points[i];
      values[i] = (std::clamp(q, static_cast<float>(range.min), static_cast<float>(range.max)) -
                   zero_points[i]) *
                  scales[i];
    }
    return values;
  }

  std::vector<float> h;
  std::vector<float> weights;
  std::vector<float> scales;
  std::vector<float> zero_points;
};

// GPTQ as it is published: after each column, the optimal change of all that are left, from the
// inverse of what is left of the matrix.
std::vector<float> Published(const Case& given, size_t size, IntegerRange range) {
  std::vector<double> h(given.h.begin(), given.h.end());
  std::vector<float> result(given.weights.size());
  for (size_t o = 0; o < kPanel; ++o) {
    std::vector<double> left(size);
    for (size_t i = 0; i < size; ++i) left[i] = given.weights[i * kPanel + o];
    for (size_t j = size; j-- > 0;) {
      const double scale = given.scales[j * kPanel + o];
      const double q = std::clamp(std::nearbyint(left[j] / scale), static_cast<double>(range.min),
                                  static_cast<double>(range.max));
      result[j * kPanel + o] = static_cast<float>(q * scale);
      const double error = left[j] - q * scale;
      // The best answer of the columns before: H[<j, <j] * change = H[<j, j] * error.
      std::vector<double> a(j * j);
      std::vector<double> change(j);
      for (size_t r = 0; r < j; ++r) {
        for (size_t c = 0; c < j; ++c) a[r * j + c] = h[r * size + c];
        change[r] = h[r * size + j] * error;
      }
      for (size_t p = 0; p < j; ++p) {
        for (size_t r = p + 1; r < j; ++r) {
          const double factor = a[r * j + p] / a[p * j + p];
          for (size_t c = p; c < j; ++c) a[r * j + c] -= factor * a[p * j + c];
          change[r] -= factor * change[p];
        }
      }
      for (size_t r = j; r-- > 0;) {
        for (size_t c = r + 1; c < j; ++c) change[r] -= a[r * j + c] * change[c];
        change[r] /= a[r * j + r];
      }
      for (size_t r = 0; r < j; ++r) left[r] += change[r];
    }
  }
  return result;
}

TEST(RoundPanelTest, IsTheRuleAsItIsPublished) {
  for (uint32_t seed = 1; seed <= 10; ++seed) {
    const Case given(9, seed, 0.05f);
    const std::vector<float> ours = given.Rounded(given.h, kInt8);
    const std::vector<float> published = Published(given, 9, kInt8);
    for (size_t i = 0; i < ours.size(); ++i) EXPECT_FLOAT_EQ(ours[i], published[i]) << i;
  }
}

TEST(RoundPanelTest, IsFarBetterThanNearestWhereInputsMoveTogether) {
  for (const IntegerRange range : {kInt8, kInt4}) {
    const float scale = 1.0f / static_cast<float>(range.max);
    double adaptive = 0;
    double nearest = 0;
    for (uint32_t seed = 1; seed <= 20; ++seed) {
      const Case given(27, seed, scale);
      adaptive += Error(given.h, 27, given.weights, given.Rounded(given.h, range));
      nearest += Error(given.h, 27, given.weights, given.Nearest(range));
    }
    EXPECT_LT(adaptive, nearest / 4);
  }
}

TEST(RoundPanelTest, RoundsToNearestWhereInputsAreIndependent) {
  const Case given(8, 1, 0.05f);
  std::vector<float> diagonal(64);
  for (size_t i = 0; i < 8; ++i) diagonal[i * 9] = static_cast<float>(i + 1);
  EXPECT_EQ(given.Rounded(diagonal, kInt8), given.Nearest(kInt8));
}

TEST(RoundPanelTest, KeepsToTheRangeWithItsZeroPoint) {
  Case given(9, 2, 0.05f);
  given.zero_points.assign(given.zero_points.size(), 3);
  const IntegerRange range = {0, 15};  // weights from -0.15 to 0.6
  for (const float value : given.Rounded(given.h, range)) {
    const float q = value / 0.05f + 3;
    EXPECT_NEAR(q, std::nearbyint(q), 1e-4);
    EXPECT_GE(q, -1e-4);
    EXPECT_LE(q, 15 + 1e-4);
  }
}

TEST(RoundPanelTest, WhatIsOnTheGridStays) {
  Case given(9, 3, 0.25f);
  for (float& weight : given.weights) weight = std::nearbyint(weight * 8) * 0.25f;
  EXPECT_EQ(given.Rounded(given.h, kInt8), given.weights);
}

}  // namespace
}  // namespace ptq
