// Tensor ranges over all samples, from what each sample's run reduced them to. Memory does not
// depend on the number of samples.
//
//   MinMax        lowest and highest value; with CalibMovingAverage the mean of the samples' lowest
//                 and of their highest values, over CalibStridedMinMax samples at a time, the
//                 strides merged by an exponential moving average
//   Distribution  [-m, m] with m the largest magnitude; mean and standard deviation of all values
//                 (the reference has them from a histogram of 2048 bins, to within one bin's width)
#pragma once

#include <span>
#include <string>
#include <vector>

#include "quantization/config.h"
#include "quantization/quant_plan.h"

namespace ptq {

// How many numbers a sample gives for each tensor: min, max; and for Distribution the number of
// values, their mean and the mean of their squares.
constexpr int64_t NumbersPerTensor(CalibrationMethod method) {
  return method == CalibrationMethod::kDistribution ? 5 : 2;
}

class RangeCollector {
 public:
  RangeCollector(std::vector<std::string> tensors, const StaticQuantConfig& config);

  // One sample's results in the order of the tensors. NaN (a tensor that held nothing else) is
  // passed over. Throws kInvalidData for a wrong count.
  void Observe(std::span<const float> values);

  size_t samples() const { return samples_; }
  bool empty() const { return tensors_.empty(); }

  // Ranges of all tensors, empty ones (TensorRange::is_empty) where no sample had a value; mirrored
  // around 0 with CalibTensorRangeSymmetric. Throws kNothingToQuantize where nothing was observed.
  TensorRanges Ranges() const;

 private:
  // The samples of the stride that is being read.
  struct Stride {
    float lowest_sum = 0;
    float highest_sum = 0;
    float samples = 0;  // that had a value
  };
  struct Moments {
    double count = 0;
    double sum = 0;
    double squares = 0;
  };

  void ObserveMinMax(size_t tensor, float lowest, float highest);
  // The range with the stride's mean merged into it.
  TensorRange Merged(TensorRange range, const Stride& stride) const;
  TensorRange Mirrored(TensorRange range) const;

  std::vector<std::string> tensors_;
  CalibrationMethod method_;
  bool symmetric_;
  bool moving_average_;
  float averaging_constant_;
  size_t samples_per_stride_;  // 0: one stride
  std::vector<TensorRange> ranges_;
  std::vector<Stride> strides_;   // moving average
  std::vector<Moments> moments_;  // Distribution
  size_t samples_ = 0;
};

}  // namespace ptq
