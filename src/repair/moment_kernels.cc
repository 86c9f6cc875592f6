#include "repair/moment_kernels.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace ptq {
namespace {

constexpr size_t kTile = GramMatrix::kTile;
constexpr size_t kHalf = kTile / 2;  // rows of a tile at a time: what fits into registers

// Adds to `sums`, kHalf * kTile values, the products of columns a and b of all rows.
void AddProducts(const float* a, const float* b, size_t rows, size_t width, float* sums) {
  std::array<float, kHalf * kTile> tile;
  std::copy_n(sums, tile.size(), tile.begin());
  for (size_t r = 0; r < rows; ++r) {
    for (size_t i = 0; i < kHalf; ++i) {
      for (size_t j = 0; j < kTile; ++j) tile[i * kTile + j] += a[i] * b[j];
    }
    a += width;
    b += width;
  }
  std::copy_n(tile.begin(), tile.size(), sums);
}

// The sum of products, in kLanes sums side by side.
float Dot(const float* a, const float* b, size_t count) {
  constexpr size_t kLanes = 8;
  std::array<float, kLanes> sums{};
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  float sum = 0;
  for (const float lane : sums) sum += lane;
  for (; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

size_t GramMatrix::Bytes(size_t columns) {
  const size_t tiles = Padded(columns) / kTile;
  return tiles * (tiles + 1) / 2 * kTile * kTile * sizeof(float);
}

GramMatrix::GramMatrix(size_t columns)
    : columns_(columns), tiles_(Bytes(columns) / sizeof(float)) {}

void GramMatrix::AddRows(std::span<const float> rows) {
  const size_t width = Padded(columns_);
  // So many rows stay in the processor's nearest cache.
  const size_t most = std::max<size_t>(8, 4096 / width);
  for (size_t first = 0; first < rows.size() / width; first += most) {
    const size_t count = std::min(most, rows.size() / width - first);
    const float* const begin = rows.data() + first * width;
    float* tile = tiles_.data();
    for (size_t i = 0; i < width; i += kTile) {
      for (size_t j = 0; j <= i; j += kTile) {
        AddProducts(begin + i, begin + j, count, width, tile);
        AddProducts(begin + i + kHalf, begin + j, count, width, tile + kHalf * kTile);
        tile += kTile * kTile;
      }
    }
  }
}

float GramMatrix::At(size_t i, size_t j) const {
  if (i < j) std::swap(i, j);
  const size_t row = i / kTile;
  const size_t tile = row * (row + 1) / 2 + j / kTile;
  return tiles_[(tile * kTile + i % kTile) * kTile + j % kTile];
}

// Cholesky's decomposition, row by row.
ErrorPropagation::ErrorPropagation(std::vector<float> matrix, size_t size)
    : size_(size), values_(std::move(matrix)) {
  constexpr float kLeast = 1e-6f;  // of a diagonal element: below it rounding has eaten the rest
  std::vector<float> inverse(size);
  for (size_t i = 0; i < size; ++i) {
    float* const row = values_.data() + i * size;
    for (size_t j = 0; j < i; ++j) {
      row[j] = (row[j] - Dot(row, values_.data() + j * size, j)) * inverse[j];
    }
    const float pivot = std::max(row[i] - Dot(row, row, i), row[i] * kLeast);
    inverse[i] = 1 / std::sqrt(pivot);
  }
  for (size_t j = 0; j < size; ++j) {
    for (size_t i = j + 1; i < size; ++i) {
      values_[j * size + i] = values_[i * size + j] * inverse[j];
    }
  }
}

}  // namespace ptq
