#include "calibration/histogram_kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

namespace ptq {
namespace {

constexpr size_t kBlock = 512;  // slots made at a time
constexpr size_t kTables = 4;   // counted into in turn
// Counts of one bin must not be a multiple of 4096 bytes apart: processors take a load for that of
// what was stored just before where the lowest 12 bits are the same. The first count beyond the
// bins is of the values whose bin is unsure.
constexpr size_t kApart = 80;
constexpr size_t kMostFastBins = 65536;
constexpr size_t kFewBins = 2048;
// Of values that are looked up in a block: more are no chance but lie on an edge, as zeros do.
constexpr uint32_t kManyUnsure = kBlock / 32;

// Where the count of a bin is in its table, in bytes: in vectors that costs less than one by one.
constexpr uint32_t Slot(size_t bin) { return static_cast<uint32_t>(bin * sizeof(uint32_t)); }

uint32_t* CountAt(uint32_t* table, uint32_t slot) {
  return reinterpret_cast<uint32_t*>(reinterpret_cast<char*>(table) + slot);
}

// Adds one to the count at each of `slots`, and calls `look` with the place of each that is
// `unsure`; returns how many are. That one is there shows in the counts of that slot: checking the
// slots would take half as long as counting them.
template <typename Look>
uint32_t CountBlock(const uint32_t* slots, size_t size, uint32_t* tables, size_t stride,
                    uint32_t unsure, const Look& look) {
  constexpr size_t kAtOnce = 32;
  const auto count_unsure = [&] {
    uint32_t count = 0;
    for (size_t table = 0; table < kTables; ++table) {
      count += *CountAt(tables + table * stride, unsure);
    }
    return count;
  };
  const uint32_t at_first = count_unsure();
  uint32_t seen = at_first;
  for (size_t first = 0; first < size; first += kAtOnce) {
    const size_t end = std::min(first + kAtOnce, size);
    size_t i = first;
    for (; i + 2 * kTables <= end; i += 2 * kTables) {
      for (size_t k = 0; k < 2 * kTables; k += 2) {
        uint64_t two = 0;  // slots, read at once
        std::memcpy(&two, slots + i + k, sizeof(two));
        uint32_t* table = tables + k % kTables * stride;
        ++*CountAt(table, static_cast<uint32_t>(two));
        ++*CountAt(table + stride, static_cast<uint32_t>(two >> 32));
      }
    }
    for (; i < end; ++i) ++*CountAt(tables, slots[i]);
    const uint32_t before = std::exchange(seen, count_unsure());
    for (i = seen == before ? end : first; i < end; ++i) {
      if (slots[i] == unsure) look(i);
    }
  }
  return seen - at_first;
}

// Calls `count(first, size, tables)` for blocks of the values and adds the tables up in `counts`.
// Chunks are small enough for 32-bit counts.
template <typename CountOne>
void InTables(size_t size, std::span<uint64_t> counts, const CountOne& count) {
  constexpr size_t kChunk = size_t{1} << 30;
  const size_t stride = counts.size() + kApart;
  std::vector<uint32_t> tables(kTables * stride);
  for (size_t chunk = 0; chunk < size; chunk += kChunk) {
    const size_t end = std::min(size, chunk + kChunk);
    for (size_t first = chunk; first < end; first += kBlock) {
      count(first, std::min(kBlock, end - first), tables.data());
    }
    for (size_t table = 0; table < kTables; ++table) {
      const uint32_t* from = tables.data() + table * stride;
      for (size_t i = 0; i < counts.size(); ++i) counts[i] += from[i];
    }
    if (end < size) std::fill(tables.begin(), tables.end(), 0);
  }
}

// Added to a place in bins, it leaves 2^-fraction_bits of a bin as the lowest bit: float32 has 23
// after the first one. In WebAssembly a conversion to an integer takes as long as all the rest.
constexpr float Shift(int fraction_bits) { return static_cast<float>(1 << (23 - fraction_bits)); }

// As many as leave room for the bins, whose number is at most 2^(23 - kFractionBits).
constexpr int kForFew = 12;
constexpr int kForMany = 7;
static_assert(kFewBins == 1 << (23 - kForFew) && kMostFastBins == 1 << (23 - kForMany));

// How UniformBins finds the place of a value: in bins from the first edge, plus Shift().
struct UniformPlaces {
  float scale;
  float offset;
  float zero_shift;  // from the place of 0 to the middle of its bin
  float bins;
  uint32_t near_edge;  // in the lowest bit: so close to an edge the bin is unsure
};

// Writes the slot of each value's bin; that behind the bins where the exact edges decide, because
// the value is close to one or outside, and for NaN. `kCentered`: 0 and what lies outside or at the
// ends are put into the middle of their bins, so that they need no lookup. Selects instead of
// branches: a mispredicted branch costs ten times as much as a value.
template <bool kAbsolute, bool kCentered, int kFractionBits>
void MakeUniform(const float* __restrict values, size_t size, UniformPlaces places,
                 uint32_t* __restrict slots) {
  constexpr float shift = Shift(kFractionBits);
  constexpr uint32_t kFraction = (1u << kFractionBits) - 1;
  const float first = shift + 0.5f;
  const float last = shift + places.bins - 0.5f;
  const uint32_t begin = std::bit_cast<uint32_t>(shift) - places.near_edge;
  const uint32_t end = static_cast<uint32_t>(places.bins) << kFractionBits;
  const auto near_edges = static_cast<int32_t>(2 * places.near_edge);
#if defined(__clang__)
#pragma clang loop vectorize(enable)  // its cost model overrates the selects
#endif
  for (size_t i = 0; i < size; ++i) {
    const float value = kAbsolute ? std::fabs(values[i]) : values[i];
    float place = value * places.scale + places.offset;
    if constexpr (kCentered) {
      place += value == 0 ? places.zero_shift : 0.0f;
      place = place < first ? first : place;  // NaN stays
      place = last < place ? last : place;
    }
    // What lies before the first bin, and NaN, become large numbers.
    uint32_t bits = std::bit_cast<uint32_t>(place) - begin;
    bits = static_cast<int32_t>(bits & kFraction) < near_edges ? ~0u : bits;
    slots[i] = Slot(std::min(bits, end) >> kFractionBits);
  }
}

using MakeSlots = void (*)(const float*, size_t, UniformPlaces, uint32_t*);

MakeSlots UniformFor(bool absolute, bool few, bool centered) {
  // Many bins are rarely asked for.
  if (!few)
    return absolute ? MakeUniform<true, true, kForMany> : MakeUniform<false, true, kForMany>;
  if (centered)
    return absolute ? MakeUniform<true, true, kForFew> : MakeUniform<false, true, kForFew>;
  return absolute ? MakeUniform<true, false, kForFew> : MakeUniform<false, false, kForFew>;
}

// How NestedBins finds the place of a value, and what it counts beside the bins.
struct NestedPlaces {
  float scale;
  float lowest;
  float highest;
};
struct BesideBins {
  uint32_t zeros = 0;
  uint32_t at_lowest = 0;
  uint32_t at_highest = 0;
};

constexpr auto kNestedHalf = static_cast<float>(NestedBins::kMiddle);
// Up to this exponent the scale makes no value smaller, so that none becomes 0.
constexpr int kNoUnderflow = std::bit_width(static_cast<uint32_t>(NestedBins::kMiddle)) - 1;

// Of finite values that stay what they are. `kEnds`: whether one may be the lowest or the highest.
template <bool kEnds>
BesideBins MakeNested(const float* __restrict values, size_t size, NestedPlaces places,
                      uint32_t* __restrict slots) {
  BesideBins beside;
  for (size_t i = 0; i < size; ++i) {
    const float bin = std::floor(values[i] * places.scale) + (kNestedHalf + Shift(0));
    slots[i] = Slot(std::bit_cast<uint32_t>(bin) & 0x7fffff);
    beside.zeros += values[i] == 0 ? 1u : 0u;
    if constexpr (kEnds) {
      beside.at_lowest += values[i] == places.lowest ? 1u : 0u;
      beside.at_highest += values[i] == places.highest ? 1u : 0u;
    }
  }
  return beside;
}

// Of any; what is infinite or NaN gets the slot behind the bins.
BesideBins MakeAnyNested(const float* __restrict values, size_t size, NestedPlaces places,
                         uint32_t* __restrict slots) {
  BesideBins beside;
  for (size_t i = 0; i < size; ++i) {
    const bool finite = std::isfinite(values[i]);
    float place = finite ? values[i] * places.scale : 0;
    place = place == 0 && finite ? values[i] : place;  // what underflows keeps its sign
    const auto bin = static_cast<uint32_t>(std::floor(place) + kNestedHalf);
    slots[i] = Slot(finite ? bin : NestedBins::kBins);
    beside.zeros += values[i] == 0 ? 1u : 0u;
    beside.at_lowest += values[i] == places.lowest ? 1u : 0u;
    beside.at_highest += values[i] == places.highest ? 1u : 0u;
  }
  return beside;
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
  const float scale = bins / width;
  if (count > kMostFastBins || !std::isfinite(scale) || width < 1e-30f) return;
  zero_bin_ = static_cast<float>(Find(0));
  near_edge_ = NearEdge(scale);
  if (near_edge_ != 0) scale_ = scale;
}

// A product and a sum that are rounded never fall while the value grows. So the places of values
// from an edge on are not below the place of the edge, those of the others not above it, and what
// is farther from a whole number than any edge's place is in the bin that its place tells.
uint32_t UniformBins::NearEdge(float scale) const {
  const int fraction_bits = count() <= kFewBins ? kForFew : kForMany;
  const float shift = Shift(fraction_bits);
  const float offset = shift - edges_.front() * scale;
  uint32_t farthest = 0;
  for (size_t i = 0; i < edges_.size(); ++i) {
    const float place = edges_[i] * scale + offset;
    const uint32_t is = std::bit_cast<uint32_t>(place) - std::bit_cast<uint32_t>(shift);
    const auto exact = static_cast<int32_t>(i << fraction_bits);
    farthest =
        std::max(farthest, static_cast<uint32_t>(std::abs(static_cast<int32_t>(is) - exact)));
  }
  const uint32_t near_edge = farthest + 1;
  return near_edge < 1u << (fraction_bits - 2) ? near_edge : 0;
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
  if (scale_ != 0) return CountFast(values, kind, counts);
  for (const float given : values) {
    const float value = kind == Values::kAbsolute ? std::fabs(given) : given;
    if (value == value) ++counts[Find(value)];
  }
}

void UniformBins::CountFast(std::span<const float> values, Values kind,
                            std::span<uint64_t> counts) const {
  const bool few = count() <= kFewBins;
  const bool absolute = kind == Values::kAbsolute;
  const float shift = Shift(few ? kForFew : kForMany);
  const float offset = shift - edges_.front() * scale_;
  const UniformPlaces places{scale_, offset, shift + zero_bin_ + 0.5f - offset,
                             static_cast<float>(count()), near_edge_};
  const uint32_t unsure = Slot(count());
  MakeSlots make = UniformFor(absolute, few, false);
  InTables(values.size(), counts, [&](size_t begin, size_t size, uint32_t* tables) {
    alignas(16) uint32_t slots[kBlock];
    const float* block = values.data() + begin;
    make(block, size, places, slots);
    const size_t stride = counts.size() + kApart;
    const uint32_t looked_up = CountBlock(slots, size, tables, stride, unsure, [&](size_t i) {
      const float value = absolute ? std::fabs(block[i]) : block[i];
      if (value == value) ++tables[FindNear(value)];
    });
    if (looked_up > kManyUnsure) make = UniformFor(absolute, few, true);
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
  const NestedPlaces places{std::ldexp(kNestedHalf, -exponent_), extremes_.lowest,
                            extremes_.highest};
  const bool plain = all_finite && extremes.nans == 0 && exponent_ <= kNoUnderflow;
  const bool ends = extremes.lowest == places.lowest || extremes.highest == places.highest;
  const auto make = !plain ? MakeAnyNested : ends ? MakeNested<true> : MakeNested<false>;
  InTables(values.size(), counts_, [&](size_t begin, size_t size, uint32_t* tables) {
    alignas(16) uint32_t slots[kBlock];
    const float* block = values.data() + begin;
    const BesideBins beside = make(block, size, places, slots);
    zeros_ += beside.zeros;
    at_lowest_ += beside.at_lowest;
    at_highest_ += beside.at_highest;
    CountBlock(slots, size, tables, counts_.size() + kApart, Slot(kBins), [&](size_t i) {
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
