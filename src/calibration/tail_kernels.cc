#include "calibration/tail_kernels.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <utility>

#include "calibration/clip_kernels.h"

namespace ptq {
namespace {

constexpr float kNoMagnitude = std::numeric_limits<float>::infinity();  // of no value
constexpr size_t kTailBlock = 2048;  // which is looked at again where it has values to keep
constexpr size_t kTailLanes = 16;    // so that a loop has no chain of dependencies

// Least magnitudes of the values that are not negative, and of those that are. Comparisons that a
// NaN never wins.
struct LeastMagnitudes {
  float positive = kNoMagnitude;
  float negative = kNoMagnitude;

  void Widen(const LeastMagnitudes& other) {
    positive = std::min(positive, other.positive);
    negative = std::min(negative, other.negative);
  }
  void Widen(float value) {
    if (value >= 0) positive = std::min(positive, value);
    if (value < 0) negative = std::min(negative, -value);
  }
};

LeastMagnitudes FindLeast(std::span<const float> values) {
  float positive[kTailLanes];
  float negative[kTailLanes];
  std::fill_n(positive, kTailLanes, kNoMagnitude);
  std::fill_n(negative, kTailLanes, kNoMagnitude);
  const size_t whole = values.size() / kTailLanes * kTailLanes;
  for (size_t begin = 0; begin < whole; begin += kTailLanes) {
    for (size_t lane = 0; lane < kTailLanes; ++lane) {
      const float value = values[begin + lane];
      const float above = value >= 0 ? value : kNoMagnitude;
      const float below = value < 0 ? -value : kNoMagnitude;
      positive[lane] = above < positive[lane] ? above : positive[lane];
      negative[lane] = below < negative[lane] ? below : negative[lane];
    }
  }
  LeastMagnitudes least;
  for (size_t lane = 0; lane < kTailLanes; ++lane) least.Widen({positive[lane], negative[lane]});
  for (const float value : values.subspan(whole)) least.Widen(value);
  return least;
}

// Keeps the values of `block` that are among the largest; with `sign` -1 those of -x.
template <int sign>
void PushLargest(std::span<const float> block, Largest* largest) {
  constexpr size_t kGroup = 2 * kTailLanes;
  size_t begin = 0;
  for (; begin + kGroup <= block.size(); begin += kGroup) {
    const float* const group = block.data() + begin;
    const float limit = largest->all_above();
    uint32_t any = 0;
    for (size_t lane = 0; lane < kGroup; ++lane) any |= sign * group[lane] > limit ? 1u : 0u;
    if (any == 0) continue;
    for (size_t lane = 0; lane < kGroup; ++lane) largest->Push(sign * group[lane]);
  }
  for (const float value : block.subspan(begin)) largest->Push(sign * value);
}

}  // namespace

Largest::Largest(std::vector<float> values, float all_above)
    : values_(std::move(values)), all_above_(all_above) {}

void Largest::Trim() {
  if (values_.size() <= kKept) return;
  const auto last = values_.begin() + kKept - 1;
  std::nth_element(values_.begin(), last, values_.end(), std::greater<>());
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
  while (!values.empty()) {
    const std::span<const float> block = values.first(std::min(values.size(), kTailBlock));
    values = values.subspan(block.size());
    const Extremes extremes = FindExtremes(block, Values::kSigned);
    values_.Widen(extremes);
    if (kind == Values::kAbsolute) {
      const LeastMagnitudes least = FindLeast(block);
      least_positive_ = std::min(least_positive_, least.positive);
      least_negative_ = std::min(least_negative_, least.negative);
    }
    count_ += block.size();
    if (extremes.highest > above_.all_above()) PushLargest<1>(block, &above_);
    if (-extremes.lowest > below_.all_above()) PushLargest<-1>(block, &below_);
  }
  count_ -= values_.nans - nans;
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
