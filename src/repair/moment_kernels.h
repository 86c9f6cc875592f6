// Sums of products of all pairs of columns, and the triangular factor of such a matrix: the loops
// of adaptive rounding over what a layer reads. Plain loops in float that compilers vectorize;
// every sum has one order, so that its bits are the same everywhere.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace ptq {

// The sums of x_i * x_j over rows x: a symmetric matrix, of which the lower half is kept, in tiles.
class GramMatrix {
 public:
  static constexpr size_t kTile = 8;
  // Columns of a row that is added: a multiple of kTile, those beyond `columns` hold 0.
  static constexpr size_t Padded(size_t columns) { return (columns + kTile - 1) / kTile * kTile; }
  static size_t Bytes(size_t columns);

  explicit GramMatrix(size_t columns);

  size_t columns() const { return columns_; }
  // Rows of Padded(columns()) values.
  void AddRows(std::span<const float> rows);
  float At(size_t i, size_t j) const;

 private:
  size_t columns_;
  std::vector<float> tiles_;
};

// For a positive definite matrix H = L * transposed L: where the columns before j have taken the
// errors e, the best value of column j is off by the sum of e_i * Row(j)[i], L_ij / L_jj, over i >
// j. One is fixed after the other from the last to the first.
class ErrorPropagation {
 public:
  // `matrix`: size * size values, of which the lower half is read.
  ErrorPropagation(std::vector<float> matrix, size_t size);

  size_t size() const { return size_; }
  std::span<const float> Row(size_t j) const { return {values_.data() + j * size_, size_}; }

 private:
  size_t size_;
  std::vector<float> values_;  // L, and in the half above its diagonal what Row() gives
};

}  // namespace ptq
