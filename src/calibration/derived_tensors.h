// Tensors whose values follow from those of another calibrated tensor: what Relu and Clip clip, and
// what is moved only. They are counted from its values, and never leave the runtime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quantization/clip_bounds.h"

namespace ptq {

struct Derivation {
  size_t tensor = 0;  // an earlier one, which is derived from none
  ClipBounds clip;

  bool moves_only() const;
};

// By tensor of `tensors`, which are in the order of the nodes.
std::vector<std::optional<Derivation>> FindDerivations(const Model& model, const GraphView& view,
                                                       const std::vector<std::string>& tensors);

// Counts in bins after their values were clipped to ends that lie in the bins `low` and `high`.
std::vector<uint64_t> ClipCounts(std::span<const uint64_t> counts, size_t low, size_t high);

}  // namespace ptq
