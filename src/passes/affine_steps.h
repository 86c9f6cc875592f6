// Nodes that do the same to every value of a channel, with constants: Add, Sub, Mul, Div, a Sum of
// two, BatchNormalization in inference form.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/graph_view.h"
#include "model/model.h"
#include "passes/static_shapes.h"

namespace ptq {

// y = (x - subtract) * multiply + add, each with one value a channel, or empty where it is absent.
// In single precision and this order, as onnxruntime's ConvBNFusion, so that what a
// BatchNormalization becomes agrees with it bit by bit.
struct AffineStep {
  std::vector<float> subtract, multiply, add;
};

// Where a tensor has its channels. Counted from the end, as broadcasting does.
struct ChannelAxis {
  int64_t channels;
  int behind;  // axes behind that of the channels
  int rank;    // kUnknownRank: at least behind + 1

  friend bool operator==(const ChannelAxis&, const ChannelAxis&) = default;
};
inline constexpr int kUnknownRank = -1;

// What `node` does to its input `data`, whose channels lie along `axis`. Nothing where it is
// something else, or where the constant would give the result another shape.
std::optional<AffineStep> ReadAffineStep(const Model& model, const GraphView& view,
                                         const onnx::NodeProto& node, const std::string& data,
                                         const ChannelAxis& axis);

// Where the output of a node that moves values (MovesValues) has the channels of its input 0;
// nothing where they are not one axis any more, or shapes are not known well enough.
std::optional<ChannelAxis> MovedAxis(const onnx::NodeProto& node, const ChannelAxis& axis,
                                     StaticShapes* shapes);

}  // namespace ptq
