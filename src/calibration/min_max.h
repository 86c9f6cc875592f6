// MinMax calibration: the lowest and highest value of each tensor over all samples. Memory does not
// depend on the number of samples.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "quantization/quant_plan.h"

namespace ptq {

class MinMaxCollector {
 public:
  explicit MinMaxCollector(std::vector<std::string> tensors);

  // One sample's results: min, max, min, max, … in the order of the tensors. NaN (a tensor that
  // held nothing else) is passed over. Throws kInvalidData for a wrong count.
  void Observe(std::span<const float> values);

  size_t samples() const { return samples_; }
  bool empty() const { return tensors_.empty(); }

  // Ranges of all tensors, empty ones (TensorRange::is_empty) where no sample had a value; mirrored
  // around 0 where `symmetric` (extra option CalibTensorRangeSymmetric). Throws kNothingToQuantize
  // where nothing was observed.
  TensorRanges Ranges(bool symmetric) const;

 private:
  std::vector<std::string> tensors_;
  std::vector<TensorRange> ranges_;
  size_t samples_ = 0;
};

}  // namespace ptq
