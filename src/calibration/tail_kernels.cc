#include "calibration/tail_kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <iterator>
#include <utility>

#include "calibration/clip_kernels.h"

namespace ptq {
namespace {

constexpr float kNoMagnitude = std::numeric_limits<float>::infinity();  // of no value
constexpr size_t kGroup = 32;

// Between which values nothing that is kept changes. Comparisons that a NaN never wins.
struct Settled {
  float lowest;
  float highest;
  float negative;  // not between these, but where least magnitudes are not asked for
  float positive;

  // A bit for each value of a group that is not: few are, at no regular places.
  uint32_t Others(const float* group) const {
    uint32_t others = 0;
    for (size_t i = 0; i < kGroup; ++i) {
      const float value = group[i];
      const bool is_inner = (value >= lowest) & (value <= highest);
      const bool settled = is_inner & ((value <= negative) | (value >= positive));
      others |= settled ? 0u : 1u << i;
    }
    return others;
  }
};

}  // namespace

Largest::Largest(std::vector<float> values, float all_above)
    : values_(std::move(values)), all_above_(all_above) {}

// The exact limit costs twenty times as much as one that a sample tells, which leaves some more.
void Largest::Thin() {
  constexpr size_t kSample = 128;
  constexpr size_t kPlace = kSample * 6 / 10;  // of twice kKept: hardly ever too few are above it
  float sample[kSample];
  const size_t step = values_.size() / kSample;
  for (size_t i = 0; i < kSample; ++i) sample[i] = values_[i * step];
  std::nth_element(sample, sample + kPlace, sample + kSample, std::greater<>());
  const float limit = sample[kPlace];
  const auto above =
      std::count_if(values_.begin(), values_.end(), [&](float value) { return value > limit; });
  const auto kept = static_cast<size_t>(above);
  if (kept < kKept || kept > kKept * 3 / 2) return Trim();
  all_above_ = std::max(all_above_, limit);
  size_t end = 0;
  for (const float value : values_) {
    values_[end] = value;
    end += value > limit ? 1 : 0;
  }
  values_.resize(end);
}

void Largest::Trim() {
  if (values_.size() <= kKept) return;
  float* const last = values_.data() + kKept - 1;
  std::nth_element(values_.data(), last, values_.data() + values_.size(), std::greater<>());
  all_above_ = std::max(all_above_, *last);
  values_.resize(kKept);
}

void Largest::Add(const Largest& other) {
  all_above_ = std::max(all_above_, other.all_above_);
  values_.insert(values_.end(), other.values_.begin(), other.values_.end());
  Trim();
}

void Largest::Sort() {
  Trim();
  std::sort(values_.begin(), values_.end(), std::greater<>());
}

Tails::Tails(Saved saved)
    : count_(saved.count),
      values_(saved.values),
      least_positive_(saved.least_positive),
      least_negative_(saved.least_negative),
      above_(std::move(saved.above)),
      below_(std::move(saved.below)),
      has_all_(saved.has_all),
      all_(std::move(saved.all)) {}

Tails::Saved Tails::Save() const {
  Saved saved{count_, values_, least_positive_, least_negative_, above_, below_, has_all_, all_};
  saved.above.Sort();
  saved.below.Sort();
  std::sort(saved.all.begin(), saved.all.end());
  return saved;
}

void Tails::KeepAll(std::span<const float> values) {
  has_all_ = has_all_ && all_.size() + values.size() <= kFew;
  if (!has_all_) {
    all_ = {};
    return;
  }
  const auto is_value = [](float value) { return value == value; };
  std::copy_if(values.begin(), values.end(), std::back_inserter(all_), is_value);
}

void Tails::Collect(std::span<const float> values, Values kind) {
  has_all_ = has_all_ && values.size() <= kFewAtOnce;
  KeepAll(values);
  const uint64_t nans = values_.nans;
  const size_t size = values.size();
  const bool least = kind == Values::kAbsolute;
  for (; values.size() >= kGroup; values = values.subspan(kGroup)) {
    const Settled settled{-below_.all_above(), above_.all_above(),
                          least ? -least_negative_ : kNoMagnitude, least_positive_};
    uint32_t others = settled.Others(values.data());
    for (; others != 0; others &= others - 1) Take(values[std::countr_zero(others)], least);
  }
  for (const float value : values) Take(value, least);
  count_ += size - (values_.nans - nans);
}

// The lowest and the highest value are among the outermost.
void Tails::Take(float value, bool least) {
  values_.Widen(value);
  above_.Push(value);
  below_.Push(-value);
  if (!least) return;
  if (value >= 0) least_positive_ = std::min(least_positive_, value);
  if (value < 0) least_negative_ = std::min(least_negative_, -value);
}

void Tails::Add(const Tails& other) {
  count_ += other.count_;
  values_.Widen(other.values_);
  least_positive_ = std::min(least_positive_, other.least_positive_);
  least_negative_ = std::min(least_negative_, other.least_negative_);
  above_.Add(other.above_);
  below_.Add(other.below_);
  has_all_ = has_all_ && other.has_all_;
  KeepAll(other.all_);
}

// Clip keeps the order of values, so that the largest stay the largest.
Tails Tails::Clipped(const ClipBounds& bounds) const {
  Saved saved;
  saved.count = count_;
  saved.values = values_;
  saved.least_positive = kNoMagnitude;
  saved.least_negative = kNoMagnitude;
  saved.has_all = has_all_;
  if (values_.is_empty()) return Tails(std::move(saved));
  const auto clip = [&](float value) { return Clip(value, bounds); };
  saved.values.lowest = clip(values_.lowest);
  saved.values.highest = clip(values_.highest);
  // What comes nearest to 0 comes from the nearest to either side or, where all are clipped to one
  // side of it, from an end.
  for (const float value : {least_positive_, -least_negative_, values_.lowest, values_.highest}) {
    if (std::isinf(value)) continue;
    const float clipped = clip(value);
    float& least = clipped < 0 ? saved.least_negative : saved.least_positive;
    least = std::min(least, std::fabs(clipped));
  }
  saved.above = above_.Mapped(clip);
  saved.below = below_.Mapped([&](float value) { return -clip(-value); });
  for (const float value : all_) saved.all.push_back(clip(value));
  return Tails(std::move(saved));
}

Extremes Tails::magnitudes() const {
  if (values_.is_empty()) return values_;
  return {std::min(least_positive_, least_negative_),
          std::max(std::fabs(values_.lowest), std::fabs(values_.highest)), values_.nans};
}

}  // namespace ptq
