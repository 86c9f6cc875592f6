// Tensor ranges from the minima and maxima that each sample's run gives: the whole of MinMax, and
// the first pass of methods whose histograms need ends. Memory does not grow with the number of
// samples.
//
//   plain            lowest and highest value
//   moving average   the mean of the samples' lowest and of their highest values, over
//                    CalibStridedMinMax samples at a time, the strides merged by an exponential
//                    moving average
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <vector>

#include "quantization/config.h"
#include "quantization/quant_params.h"

namespace ptq {

// How many numbers a sample gives for each tensor: min, max and sum. The sum tells whether any
// value is NaN, because onnxruntime's min and max skip most NaN. In bodies there is no sum.
constexpr size_t NumbersPerTensor(Bodies bodies) { return bodies == Bodies::kInside ? 2 : 3; }

class RangeCollector {
 public:
  RangeCollector(size_t tensors, const StaticQuantConfig& config);

  // One sample's results in the order of the tensors. A NaN end (onnxruntime gives it where the
  // first value is NaN) is passed over. Throws kInvalidData for a wrong count.
  void Observe(std::span<const float> values);

  size_t size() const { return ranges_.size(); }
  size_t samples() const { return samples_; }
  // In how many samples the tensor held NaN.
  uint64_t nan_samples(size_t tensor) const { return nan_samples_[tensor]; }

  // Empty (TensorRange::is_empty) where no sample had a value.
  TensorRange Range(size_t tensor) const;

  // Adds what another collector saw, in any order. Throws kUnsupportedOption for a moving average,
  // whose bits depend on the order.
  void Add(const RangeCollector& other);

  nlohmann::json Save() const;
  // Throws nlohmann::json::exception for what Save() did not write.
  void Restore(const nlohmann::json& state);

 private:
  // The samples of the stride that is being read.
  struct Stride {
    float lowest_sum = 0;
    float highest_sum = 0;
    float samples = 0;  // that had a value
  };

  void ObserveMinMax(size_t tensor, float lowest, float highest);
  // The range with the stride's mean merged into it.
  TensorRange Merged(TensorRange range, const Stride& stride) const;
  TensorRange Mirrored(TensorRange range) const;

  size_t numbers_;
  bool symmetric_;
  bool moving_average_;
  float averaging_constant_;
  size_t samples_per_stride_;  // 0: one stride
  std::vector<TensorRange> ranges_;
  std::vector<Stride> strides_;  // moving average
  std::vector<uint64_t> nan_samples_;
  size_t samples_ = 0;
};

}  // namespace ptq
