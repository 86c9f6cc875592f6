// The weight and bias of a node as one matrix row an output channel, and new ones made from them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/graph_view.h"
#include "model/model.h"

namespace ptq {

// Conv, ConvTranspose and Gemm: y[channel] = sum(weight[channel] * x) + bias[channel].
struct ChannelWeights {
  const onnx::TensorProto* weight;  // FLOAT or FLOAT16
  const onnx::TensorProto* bias;    // [channels]; null where the node has none
  int64_t channels;
  // Element i of the weight belongs to channel (i / inner % period) + i / group_size * period.
  uint64_t inner;
  uint64_t period;      // channels of one group
  uint64_t group_size;  // elements of one group
};

// Nothing where weight or bias are no constants, or in a form that has no such rows (Gemm with beta
// != 1 or a bias of another shape).
std::optional<ChannelWeights> FindChannelWeights(const GraphView& view,
                                                 const onnx::NodeProto& node);

// A new tensor: the weight times `scale` (a factor a channel, rounded to the weight's type). Read
// and written in windows.
onnx::TensorProto ScaledWeight(Model& model, const ChannelWeights& weights,
                               std::span<const float> scale, const std::string& name);

// A new bias of the weight's type.
onnx::TensorProto NewBias(Model& model, const ChannelWeights& weights,
                          std::span<const float> values, const std::string& name);

// The only node that reads `tensor`, through exactly one input and not from a subgraph; -1 if there
// is none or the tensor is a graph output.
int OnlyReader(const GraphView& view, std::string_view tensor);

}  // namespace ptq
