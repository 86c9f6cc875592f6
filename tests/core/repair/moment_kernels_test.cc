// Gram matrices and triangular factors, against plain sums in double.
#include "repair/moment_kernels.h"

#include <gtest/gtest.h>

#include <cmath>

#include "testing/model_text.h"

namespace ptq {
namespace {

// `count` rows of `columns` values, with zeros up to the width that is added.
std::vector<float> Rows(size_t count, size_t columns, uint32_t seed) {
  const std::vector<float> values = SomeFloats(count * columns, seed);
  const size_t width = GramMatrix::Padded(columns);
  std::vector<float> rows(count * width);
  for (size_t r = 0; r < count; ++r) {
    for (size_t c = 0; c < columns; ++c) rows[r * width + c] = values[r * columns + c];
  }
  return rows;
}

TEST(GramMatrixTest, HoldsTheSumsOfProductsOfAllPairsOfColumns) {
  for (const size_t columns : {1, 7, 8, 9, 27, 40}) {
    GramMatrix gram(columns);
    const std::vector<float> first = Rows(13, columns, 1);
    const std::vector<float> second = Rows(600, columns, 2);
    gram.AddRows(first);
    gram.AddRows(second);
    const size_t width = GramMatrix::Padded(columns);
    for (size_t i = 0; i < columns; ++i) {
      for (size_t j = 0; j < columns; ++j) {
        double sum = 0;
        for (const std::vector<float>* rows : {&first, &second}) {
          for (size_t r = 0; r < rows->size(); r += width) {
            sum += static_cast<double>((*rows)[r + i]) * (*rows)[r + j];
          }
        }
        EXPECT_NEAR(gram.At(i, j), sum, 1e-3) << columns << " columns, " << i << ", " << j;
      }
    }
  }
}

TEST(GramMatrixTest, TakesHalfOfASquare) {
  EXPECT_EQ(GramMatrix::Bytes(8), 8 * 8 * sizeof(float));
  EXPECT_EQ(GramMatrix::Bytes(9), 3 * 8 * 8 * sizeof(float));
}

TEST(ErrorPropagationTest, GivesTheBestValueOfAColumnForTheErrorsAfterIt) {
  // Of the quadratic form e H e, with the errors after column j given, and those before it free to
  // follow: found by elimination in double.
  constexpr size_t kSize = 6;
  GramMatrix gram(kSize);
  gram.AddRows(Rows(20, kSize, 3));
  std::vector<float> matrix(kSize * kSize);
  std::vector<double> h(kSize * kSize);
  for (size_t i = 0; i < kSize; ++i) {
    for (size_t j = 0; j < kSize; ++j) h[i * kSize + j] = matrix[i * kSize + j] = gram.At(i, j);
  }
  const ErrorPropagation propagation(matrix, kSize);
  // Columns before j are eliminated: what is left of H is its Schur complement.
  for (size_t j = 0; j < kSize; ++j) {
    for (size_t i = j + 1; i < kSize; ++i) {
      EXPECT_NEAR(propagation.Row(j)[i], h[i * kSize + j] / h[j * kSize + j], 1e-4);
    }
    for (size_t a = j + 1; a < kSize; ++a) {
      const double factor = h[a * kSize + j] / h[j * kSize + j];
      for (size_t b = j + 1; b < kSize; ++b) h[a * kSize + b] -= factor * h[j * kSize + b];
    }
  }
}

TEST(ErrorPropagationTest, ADiagonalMatrixPassesNothingOn) {
  const ErrorPropagation propagation({4, 0, 0, 0, 9, 0, 0, 0, 1}, 3);
  EXPECT_EQ(propagation.Row(0)[1], 0);
  EXPECT_EQ(propagation.Row(0)[2], 0);
  EXPECT_EQ(propagation.Row(1)[2], 0);
}

TEST(ErrorPropagationTest, StaysFiniteWhereColumnsAreTheSame) {
  const ErrorPropagation propagation({1, 1, 1, 1}, 2);
  EXPECT_FLOAT_EQ(propagation.Row(0)[1], 1);
}

}  // namespace
}  // namespace ptq
