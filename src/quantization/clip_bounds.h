// What Relu and Clip clip to.
#pragma once

#include <limits>
#include <optional>

#include "model/graph_view.h"
#include "model/model.h"

namespace ptq {

// Infinite where a Clip has no end. A lower end above the upper one makes all values the upper one.
struct ClipBounds {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

// Of a Relu or Clip; nullopt for other nodes, and where an end is computed.
std::optional<ClipBounds> FindClipBounds(const onnx::NodeProto& node, const Model& model,
                                         const GraphView& view);

}  // namespace ptq
