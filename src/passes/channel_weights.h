// The weight and bias of a node as one matrix row an output channel, and new ones made from them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/graph_view.h"
#include "model/model.h"

namespace ptq {

// Conv, ConvTranspose and Gemm: y[channel] = sum(weight[channel] * x) + bias[channel].
struct ChannelWeights {
  const onnx::TensorProto* weight;  // FLOAT or FLOAT16
  const onnx::TensorProto* bias;    // [channels]; null where the node has none
  int64_t channels;
  uint64_t inner;
  uint64_t period;      // channels of one group
  uint64_t group_size;  // elements of one group

  // The channel that an element of the weight belongs to.
  uint64_t ChannelOf(uint64_t element) const {
    return element / inner % period + element / group_size * period;
  }
};

// Nothing where weight or bias are no constants, or in a form that has no such rows (Gemm with beta
// != 1 or a bias of another shape).
std::optional<ChannelWeights> FindChannelWeights(const GraphView& view,
                                                 const onnx::NodeProto& node);

// Makes the weights of several nodes anew: times `scale`, a factor a channel, rounded to the
// weight's type. Want is called for every node first.
class WeightScaler {
 public:
  // All are kept, not owned.
  WeightScaler(Model& model, const GraphView& view, UniqueNames* names)
      : model_(model), view_(view), names_(*names) {}

  void Want(const ChannelWeights& weights, std::span<const float> scale);

  // Whether the constants stay as many: nothing else reads the weight, all of its readers want the
  // same of it, or it is small.
  bool MayScale(const ChannelWeights& weights) const;

  // The name of the new weight, `wanted` or one like it, which is added to `made`; one that several
  // nodes share is made once. Read and written in windows.
  std::string Scale(const ChannelWeights& weights, std::span<const float> scale,
                    const std::string& wanted, std::vector<onnx::TensorProto>* made);

 private:
  struct Wish {
    size_t count = 0;
    std::vector<float> scale;
    bool same = true;
    std::string made;
  };

  onnx::TensorProto Scaled(const ChannelWeights& weights, std::span<const float> scale,
                           const std::string& name);

  Model& model_;
  const GraphView& view_;
  UniqueNames& names_;
  std::unordered_map<std::string, Wish> wishes_;  // by weight
};

// Whether bias and weight times `scale` are finite in the weight's type, as far as they were.
bool StaysFinite(const Model& model, const ChannelWeights& weights, std::span<const float> scale,
                 std::span<const float> bias);

// A new bias of the weight's type.
onnx::TensorProto NewBias(Model& model, const ChannelWeights& weights,
                          std::span<const float> values, const std::string& name);

// The only node that reads `tensor`, through exactly one input and not from a subgraph; -1 if there
// is none or the tensor is a graph output.
int OnlyReader(const GraphView& view, std::string_view tensor);

}  // namespace ptq
