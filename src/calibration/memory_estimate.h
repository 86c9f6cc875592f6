// Estimates the memory that a run of the float model takes before it is run. Shape inference with
// the shapes of the first sample gives the shapes of all tensors.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/model.h"

namespace ptq {

struct MemoryEstimate {
  uint64_t weights = 0;           // bytes of all initializers
  uint64_t activations = 0;       // of the tensors that are alive at the same time, at most
  std::vector<uint64_t> tensors;  // of those asked for, as float32; 0 where the shape is unknown
  bool all_known = true;          // whether every shape was
};

// `input_shapes`: dims by graph input. Linear in nodes.
MemoryEstimate EstimateMemory(const Model& model, const std::vector<std::string>& tensors,
                              const std::map<std::string, std::vector<int64_t>>& input_shapes);

}  // namespace ptq
