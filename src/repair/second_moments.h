// What adaptive rounding knows of the inputs of linear layers: the Gram matrix of each one's rows,
// which says how errors of its weights make up for one another. Rows are of a few samples, minus
// the mean of each channel where the layer has a bias, because bias correction takes what the mean
// does. A few thousand rows of a layer are looked at, never all, and all matrices together stay
// within a budget.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "quantization/plan_context.h"
#include "repair/channel_statistics.h"
#include "repair/linear_layers.h"
#include "repair/moment_kernels.h"

namespace ptq {

// Larger layers are rounded to nearest: their cost grows with the square of a row's length.
inline constexpr size_t kMostColumns = 1304;
inline constexpr uint64_t kMostWeights = 4 << 20;
inline constexpr uint64_t kMomentBudget = 256 << 20;  // bytes

class SecondMoments {
 public:
  // Of the layers of the context's model that may be rounded adaptively: their weights are read by
  // them alone, and have no override. `samples`: how many will be observed. The model stays as it
  // is as long as this is used.
  SecondMoments(const PlanContext& context, const TensorStatistics& statistics, size_t samples);

  // Multiplications that the matrices and the rounding will take, about: a host may find it too
  // many.
  double Products() const;
  // The tensors to observe, in the order of the nodes.
  std::vector<std::string> Inputs() const;
  // One of them in one sample. Dims that do not fit are passed over.
  void Observe(const std::string& tensor, std::span<const int64_t> dims,
               std::span<const float> values);

  struct OfLayer {
    LinearLayer layer;
    const onnx::NodeProto* node = nullptr;
    std::vector<GramMatrix> by_group;
    std::vector<double> means;   // that are taken off; empty: none
    ChannelStatistics observed;  // of the input
    uint64_t rows = 0;           // that were added up
  };
  // By the name of the weight; null where nothing was observed.
  const OfLayer* Find(const std::string& weight) const;

 private:
  size_t samples_;
  std::vector<OfLayer> layers_;
  std::unordered_map<std::string, std::vector<size_t>> by_input_;
  std::unordered_map<std::string, size_t> by_weight_;
};

}  // namespace ptq
