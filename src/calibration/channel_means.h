// The mean of each channel of what linear layers read, over all samples: what the error of a
// rounded weight is multiplied with to know by how much it shifts the output (repair/). Sums are
// exact, so that parts merge to the same bits in any order.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "base/exact_sum.h"

namespace ptq {

class ChannelMeans {
 public:
  explicit ChannelMeans(size_t channels) : channels_(channels) {}

  // The mean that one sample has there; one that is not finite is passed over.
  void Observe(size_t channel, float mean);
  void Add(const ChannelMeans& other);

  double Mean(size_t channel) const;  // 0 where no sample had one

  nlohmann::json Save(size_t channel) const;
  // Throws nlohmann::json::exception for what Save() did not write.
  void Restore(size_t channel, const nlohmann::json& state);

 private:
  struct Channel {
    uint64_t samples = 0;
    ExactSum sum;
  };

  std::vector<Channel> channels_;
};

}  // namespace ptq
