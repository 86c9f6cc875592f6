// The rows that a linear layer multiplies with its weights, taken out of the tensor that it reads:
// for a Conv what lies under its kernel at some of its places (im2col), else what a matrix product
// reads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/graph_view.h"
#include "repair/linear_layers.h"

namespace ptq {

class LayerRows {
 public:
  // Values in a row of one group.
  static size_t Columns(const LinearLayer& layer) {
    return static_cast<size_t>(layer.inputs / layer.groups) * static_cast<size_t>(layer.kernel);
  }

  // Of at most `most` places of a tensor of these dims, spread evenly. None where the dims do not
  // fit the layer.
  LayerRows(const onnx::NodeProto& node, const LinearLayer& layer, std::span<const int64_t> dims,
            size_t most);

  size_t count() const { return offsets_.size() / kernel_; }
  // The rows of one group, minus `means` by input channel (none: nothing is taken off); padding is
  // 0 before that, and so is what is not finite. `width`: columns and zeros behind them.
  void Read(std::span<const float> values, size_t group, std::span<const double> means,
            size_t width, std::vector<float>* rows) const;

 private:
  void FindPlaces(const onnx::NodeProto& node, const LinearLayer& layer,
                  std::span<const int64_t> dims, size_t most);

  size_t kernel_ = 1;
  size_t channels_ = 0;        // of a group
  size_t channel_stride_ = 1;  // from one channel to the next
  // By row and place in the kernel: where channel 0 is; kPadding.
  std::vector<int64_t> offsets_;
};

}  // namespace ptq
