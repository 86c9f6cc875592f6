// What calibration tells about the channels of what a linear layer reads.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

namespace ptq {

struct ChannelStatistics {
  std::vector<float> lowest;
  std::vector<float> highest;
  std::vector<double> mean;  // of the means of all samples
};

using TensorStatistics = std::unordered_map<std::string, ChannelStatistics>;

}  // namespace ptq
