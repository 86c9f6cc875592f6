#include "calibration/histogram_kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace ptq {
namespace {

constexpr size_t kBlock = 512;  // bin numbers made at a time
constexpr size_t kTables = 4;   // counted into in turn
// Counts of one bin must not be a multiple of 4096 bytes apart: processors take a load for that of
// what was stored just before where the lowest 12 bits are the same.
constexpr size_t kApart = 80;
constexpr size_t kMostFastBins = 65536;

constexpr int32_t kUnsure = -1;  // in place of a bin's number

// Adds one to the count of each bin number in `bins`, and calls `look` with the place of each
// kUnsure. That none is there shows in the counts before the first bins, where they are counted:
// checking the numbers would take half as long as counting them.
template <typename Look>
void CountBlock(const int32_t* bins, size_t size, uint32_t* tables, size_t stride,
                const Look& look) {
  constexpr size_t kAtOnce = 32;
  const auto count_unsure = [&] {
    uint32_t count = 0;
    for (size_t table = 0; table < kTables; ++table) count += (tables + table * stride)[kUnsure];
    return count;
  };
  uint32_t unsure = count_unsure();
  for (size_t first = 0; first < size; first += kAtOnce) {
    const size_t end = std::min(first + kAtOnce, size);
    size_t i = first;
    for (; i + 2 * kTables <= end; i += 2 * kTables) {
      for (size_t k = 0; k < 2 * kTables; ++k) ++(tables + k % kTables * stride)[bins[i + k]];
    }
    for (; i < end; ++i) ++tables[bins[i]];
    const uint32_t before = std::exchange(unsure, count_unsure());
    for (i = unsure == before ? end : first; i < end; ++i) {
      if (bins[i] == kUnsure) look(i);
    }
  }
}

// Calls `count(first, size, tables)` for blocks of the values and adds the tables up in `counts`.
// Chunks are small enough for 32-bit counts.
template <typename CountOne>
void InTables(size_t size, std::span<uint64_t> counts, const CountOne& count) {
  constexpr size_t kChunk = size_t{1} << 30;
  const size_t stride = counts.size() + kApart;
  std::vector<uint32_t> memory(kTables * stride);
  uint32_t* tables = memory.data() + kApart;
  for (size_t chunk = 0; chunk < size; chunk += kChunk) {
    const size_t end = std::min(size, chunk + kChunk);
    for (size_t first = chunk; first < end; first += kBlock) {
      count(first, std::min(kBlock, end - first), tables);
    }
    for (size_t table = 0; table < kTables; ++table) {
      const uint32_t* from = tables + table * stride;
      for (size_t i = 0; i < counts.size(); ++i) counts[i] += from[i];
    }
    if (end < size) std::fill(memory.begin(), memory.end(), 0);
  }
}

// How UniformBins finds the place of a value, in bins from the middle of the first one.
struct UniformPlaces {
  float scale;
  float offset;
  float zero_shift;  // from the place of 0 to the middle of its bin
  float last;        // of the bins
  float near_edge;   // from a middle on
};

constexpr float kTwoTo23 = 8388608;

// Writes the bin of each value; kUnsure where the exact edges decide, because the value is close to
// one, and for NaN. Selects instead of branches: half of all activations are 0, and a mispredicted
// branch on them costs ten times as much.
template <bool kAbsolute>
void MakeUniform(const float* __restrict values, size_t size, UniformPlaces places,
                 int32_t* __restrict bins) {
#if defined(__clang__)
#pragma clang loop vectorize(enable)  // its cost model overrates the selects
#endif
  for (size_t i = 0; i < size; ++i) {
    const float value = kAbsolute ? std::fabs(values[i]) : values[i];
    float place = value * places.scale + places.offset;
    // The lowest and highest values and 0 often lie exactly on an edge. They are put into the
    // middle of their bin, so that they need no lookup. NaN stays.
    place += value == 0 ? places.zero_shift : 0.0f;
    place = place < 0 ? 0 : place;
    place = places.last < place ? places.last : place;
    // With 2^23 added the nearest bin is in the lowest bits: in WebAssembly a conversion takes as
    // long as all the rest.
    const float shifted = place + kTwoTo23;
    const float off = std::fabs(place - (shifted - kTwoTo23));
    const int32_t bin = std::bit_cast<int32_t>(shifted) & 0x7fffff;
    bins[i] = off <= places.near_edge ? bin : kUnsure;
  }
}

}  // namespace

UniformBins::UniformBins(float first, float last, size_t count) : edges_(count + 1) {
  if (first == last) {
    first -= 0.5f;
    last += 0.5f;
  }
  // numpy.linspace, all in float32: i * step + first, the last edge set; with a step of 0 (ends
  // that are denormal) i / count * width.
  const float width = last - first;
  const auto bins = static_cast<float>(count);
  const float step = width / bins;
  for (size_t i = 0; i <= count; ++i) {
    const auto place = static_cast<float>(i);
    edges_[i] = (step == 0 ? place / bins * width : place * step) + first;
  }
  edges_[count] = last;
  if (!std::isfinite(width)) {  // ends near ±3.4e38: numpy fails there
    for (size_t i = 0; i < count; ++i) {
      const double place = static_cast<double>(i) / static_cast<double>(count);
      edges_[i] = static_cast<float>(first + place * (static_cast<double>(last) - first));
    }
    return;
  }
  // Values nearer than this to an edge are looked up. The place of a value is wrong by a rounding
  // of the width, the scale, the products with it, and their sum, and the edge by three more: by
  // (5 + 4 away) * bins / 2^24 bins at most, where `away` is large if the bins are far from 0.
  const float away = std::max(std::fabs(first), std::fabs(last)) / width;
  near_edge_ = bins / 16777216 * (6 + 5 * away);
  const float scale = bins / width;
  const bool sure = count <= kMostFastBins && near_edge_ < 0.25f;
  if (!sure || !std::isfinite(scale) || width < 1e-30f) return;
  scale_ = scale;
  zero_bin_ = static_cast<float>(Find(0));
}

size_t UniformBins::Find(float value) const {
  const auto after = std::upper_bound(edges_.begin(), edges_.end(), value);
  const auto index = after - edges_.begin() - 1;
  return static_cast<size_t>(
      std::clamp<std::ptrdiff_t>(index, 0, static_cast<std::ptrdiff_t>(count()) - 1));
}

// From where scale_ puts it, which is one bin off at most.
size_t UniformBins::FindNear(float value) const {
  const float place = (value - edges_.front()) * scale_;
  auto bin = static_cast<size_t>(std::clamp(place, 0.0f, static_cast<float>(count() - 1)));
  while (bin > 0 && value < edges_[bin]) --bin;
  while (bin + 1 < count() && value >= edges_[bin + 1]) ++bin;
  return bin;
}

void UniformBins::Count(std::span<const float> values, Values kind,
                        std::span<uint64_t> counts) const {
  if (scale_ != 0) {
    return kind == Values::kAbsolute ? CountFast<true>(values, counts)
                                     : CountFast<false>(values, counts);
  }
  for (const float given : values) {
    const float value = kind == Values::kAbsolute ? std::fabs(given) : given;
    if (value == value) ++counts[Find(value)];
  }
}

template <bool kAbsolute>
void UniformBins::CountFast(std::span<const float> values, std::span<uint64_t> counts) const {
  const float offset = -edges_.front() * scale_ - 0.5f;
  const UniformPlaces places{scale_, offset, zero_bin_ - offset, static_cast<float>(count() - 1),
                             0.5f - near_edge_};
  InTables(values.size(), counts, [&](size_t begin, size_t size, uint32_t* tables) {
    int32_t bins[kBlock];
    const float* block = values.data() + begin;
    MakeUniform<kAbsolute>(block, size, places, bins);
    CountBlock(bins, size, tables, counts.size() + kApart, [&](size_t i) {
      const float value = kAbsolute ? std::fabs(block[i]) : block[i];
      if (value == value) ++tables[FindNear(value)];
    });
  });
}

NestedBins::NestedBins(Saved saved)
    : extremes_(saved.extremes),
      zeros_(saved.zeros),
      at_lowest_(saved.at_lowest),
      at_highest_(saved.at_highest),
      infinite_(saved.infinite),
      exponent_(saved.exponent),
      counts_(std::move(saved.counts)) {}

size_t NestedBins::Find(float value) const {
  float place = value * std::ldexp(static_cast<float>(kMiddle), -exponent_);
  if (place == 0) place = value;
  return static_cast<size_t>(static_cast<int64_t>(std::floor(place)) + kMiddle);
}

// at_lowest_ and at_highest_ count the values equal to the ends: when an end moves, its count
// starts again from 0.
void NestedBins::Widen(const Extremes& extremes) {
  if (extremes.lowest < extremes_.lowest) at_lowest_ = 0;
  if (extremes.highest > extremes_.highest) at_highest_ = 0;
  extremes_.Widen(extremes);
}

void NestedBins::Count(std::span<const float> values) {
  const Extremes extremes = FindExtremes(values, Values::kSigned);
  Widen(extremes);
  if (extremes.is_empty()) return;
  const float largest = std::max(std::fabs(extremes.lowest), std::fabs(extremes.highest));
  const bool all_finite = std::isfinite(largest);
  float largest_finite = largest;
  if (!all_finite) {
    largest_finite = 0;
    for (const float value : values) {
      if (std::isfinite(value)) largest_finite = std::max(largest_finite, std::fabs(value));
    }
  }
  if (counts_.empty()) counts_.resize(kBins);
  if (largest_finite > 0) {
    int exponent = 0;
    std::frexp(largest_finite, &exponent);  // largest_finite < 2^exponent
    GrowTo(exponent);
  }
  constexpr auto kHalf = static_cast<float>(kMiddle);
  const float scale = std::ldexp(kHalf, -exponent_);
  const bool no_nans = extremes.nans == 0;
  const float lowest = extremes_.lowest;
  const float highest = extremes_.highest;
  InTables(values.size(), counts_, [&](size_t begin, size_t size, uint32_t* tables) {
    int32_t bins[kBlock];
    const float* block = values.data() + begin;
    uint32_t zeros = 0;
    uint32_t at_lowest = 0;
    uint32_t at_highest = 0;
    if (all_finite && no_nans) {
      for (size_t i = 0; i < size; ++i) {
        float place = block[i] * scale;
        place = place == 0 ? block[i] : place;  // what underflows keeps its sign
        // As in MakeUniform, of the bin from the first one.
        const float bin = std::floor(place) + (kHalf + kTwoTo23);
        bins[i] = std::bit_cast<int32_t>(bin) & 0x7fffff;
        zeros += block[i] == 0 ? 1u : 0u;
        at_lowest += block[i] == lowest ? 1u : 0u;
        at_highest += block[i] == highest ? 1u : 0u;
      }
    } else {
      for (size_t i = 0; i < size; ++i) {
        const bool finite = std::isfinite(block[i]);
        float place = finite ? block[i] * scale : 0;
        place = place == 0 && finite ? block[i] : place;
        const auto bin = static_cast<int32_t>(std::floor(place) + kHalf);
        bins[i] = finite ? bin : kUnsure;
        zeros += block[i] == 0 ? 1u : 0u;
        at_lowest += block[i] == lowest ? 1u : 0u;
        at_highest += block[i] == highest ? 1u : 0u;
      }
    }
    zeros_ += zeros;
    at_lowest_ += at_lowest;
    at_highest_ += at_highest;
    CountBlock(bins, size, tables, counts_.size() + kApart, [&](size_t i) {
      if (std::isinf(block[i])) ++infinite_;
    });
  });
}

void NestedBins::GrowTo(int exponent) {
  while (exponent_ < exponent) {
    // Bin i merges into bin i / 2 counted from the middle, where 0 is an edge; rounds away from it.
    std::vector<uint64_t> merged(kBins);
    bool any = false;
    for (int64_t i = 0; i < kBins; ++i) {
      const uint64_t count = counts_[static_cast<size_t>(i)];
      if (count == 0) continue;
      any = true;
      const int64_t place = i - kMiddle;
      const int64_t halved = place >= 0 ? place / 2 : -((-place + 1) / 2);
      merged[static_cast<size_t>(halved + kMiddle)] += count;
    }
    if (!any) {
      exponent_ = exponent;
      return;
    }
    counts_ = std::move(merged);
    ++exponent_;
  }
}

void NestedBins::Add(const NestedBins& other) {
  Widen(other.extremes_);
  if (other.extremes_.lowest == extremes_.lowest) at_lowest_ += other.at_lowest_;
  if (other.extremes_.highest == extremes_.highest) at_highest_ += other.at_highest_;
  zeros_ += other.zeros_;
  infinite_ += other.infinite_;
  if (other.counts_.empty()) return;
  if (counts_.empty()) {
    counts_ = other.counts_;
    exponent_ = other.exponent_;
    return;
  }
  NestedBins added = other;
  added.GrowTo(exponent_);
  GrowTo(added.exponent_);
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += added.counts_[i];
}

std::vector<float> NestedBins::Edges() const {
  std::vector<float> edges(kBins + 1);
  for (int64_t i = 0; i <= kBins; ++i) {
    edges[static_cast<size_t>(i)] =
        std::ldexp(static_cast<float>(i - kMiddle), exponent_ + 1) / static_cast<float>(kBins);
  }
  return edges;
}

}  // namespace ptq
