// The outermost values of a tensor, to either side: all that a percentile near 100 depends on, so
// that one pass does in place of two. Finding those few among all takes a fraction of the time of
// counting all of them in bins. Of a small tensor all values are kept, as long as they are few:
// with 100 samples of 1,000 classes a share of 0.001 % ends on a value, and all counts decide on
// which side of it. What is kept depends neither on the order of values nor on how they were shared
// out among calls for samples.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/extremes_kernels.h"
#include "quantization/clip_bounds.h"

namespace ptq {

// The largest of many values, at least kKept of them; of fewer all.
class Largest {
 public:
  static constexpr size_t kKept = 2048;

  Largest() = default;
  // For what was saved: `all_above` is that of the values.
  Largest(std::vector<float> values, float all_above);

  // All values above it are among values(); some others are, too.
  float all_above() const { return all_above_; }
  std::span<const float> values() const { return values_; }

  void Push(float value) {
    if (!(value > all_above_)) return;
    if (values_.size() == 2 * kKept) Thin();
    values_.push_back(value);
  }
  void Add(const Largest& other);
  // Of the same values after `map`, which keeps their order.
  template <typename Map>
  Largest Mapped(const Map& map) const {
    Largest mapped = *this;
    for (float& value : mapped.values_) value = map(value);
    if (mapped.all_above_ > -std::numeric_limits<float>::infinity()) {
      mapped.all_above_ = map(all_above_);
    }
    return mapped;
  }
  // Leaves kKept values, the largest first.
  void Sort();

 private:
  void Thin();  // leaves kKept and up to half as many more
  void Trim();  // leaves kKept

  std::vector<float> values_;
  float all_above_ = -std::numeric_limits<float>::infinity();
};

class Tails {
 public:
  // Values that are all kept: so many, of a tensor with so many in a call.
  static constexpr size_t kFew = size_t{1} << 17;
  static constexpr size_t kFewAtOnce = 2048;

  // `kind`: whether magnitudes() will be asked for.
  void Collect(std::span<const float> values, Values kind);
  void Add(const Tails& other);
  // Of the same values after a Clip.
  Tails Clipped(const ClipBounds& bounds) const;

  // How many values, NaN apart.
  uint64_t count() const { return count_; }
  Extremes values() const { return values_; }
  Extremes magnitudes() const;  // of values that were collected as Values::kAbsolute
  const Largest& above() const { return above_; }
  const Largest& below() const { return below_; }  // of -x
  // All values, NaN apart, in any order; null where there were too many.
  const std::vector<float>* all() const { return has_all_ ? &all_ : nullptr; }

  // For what was saved.
  struct Saved {
    uint64_t count = 0;
    Extremes values;
    float least_positive = 0;
    float least_negative = 0;
    Largest above;
    Largest below;
    bool has_all = true;
    std::vector<float> all;
  };
  Tails() = default;
  explicit Tails(Saved saved);
  Saved Save() const;

 private:
  void KeepAll(std::span<const float> values);
  // `least`: least magnitudes, too.
  void Take(float value, bool least);

  uint64_t count_ = 0;
  Extremes values_;
  // Least magnitudes of those that are not negative, and of those that are.
  float least_positive_ = std::numeric_limits<float>::infinity();
  float least_negative_ = std::numeric_limits<float>::infinity();
  Largest above_;
  Largest below_;
  bool has_all_ = true;
  std::vector<float> all_;
};

}  // namespace ptq
