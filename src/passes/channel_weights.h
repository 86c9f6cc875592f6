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

// The channel that each element of a weight belongs to.
struct ChannelLayout {
  int64_t channels;
  uint64_t inner;       // consecutive elements of one channel
  uint64_t period;      // channels of one group
  uint64_t group_size;  // elements of one group

  uint64_t ChannelOf(uint64_t element) const {
    return element / inner % period + element / group_size * period;
  }
  friend bool operator==(const ChannelLayout&, const ChannelLayout&) = default;
};

// Conv, ConvTranspose, Gemm and MatMul with a matrix on the right:
// y[output] = sum(weight[output][input] * x[input]) + bias[output], the sum times alpha in a Gemm.
struct ChannelWeights {
  const onnx::TensorProto* weight;  // FLOAT or FLOAT16
  const onnx::TensorProto* bias;    // null where the node has none; see ReadBias
  ChannelLayout outputs;
  ChannelLayout inputs;
  int adder = -1;  // of a MatMul with a bias: the Add behind it that has the bias
};

// Nothing where weight or bias are no constants, or in a form that has no such rows (Gemm with beta
// != 1 or a bias of another shape).
std::optional<ChannelWeights> FindChannelWeights(const GraphView& view,
                                                 const onnx::NodeProto& node);

// A value a channel, of a bias of one value, too. There must be one.
std::vector<float> ReadBias(const Model& model, const ChannelWeights& weights);

// Makes the weights of several nodes anew: times `scale`, a factor a channel of `layout`, rounded
// to the weight's type. Want is called for every node first.
class WeightScaler {
 public:
  // All are kept, not owned.
  WeightScaler(Model& model, const GraphView& view, UniqueNames* names)
      : model_(model), view_(view), names_(*names) {}

  void Want(const onnx::TensorProto& weight, const ChannelLayout& layout,
            std::span<const float> scale);

  // Whether the constants stay as many: nothing else reads the weight, all of its readers want the
  // same of it, or it is small.
  bool MayScale(const onnx::TensorProto& weight) const;

  // The name of the new weight, `wanted` or one like it, which is added to `made`; one that several
  // nodes share is made once. Read and written in windows.
  std::string Scale(const onnx::TensorProto& weight, const ChannelLayout& layout,
                    std::span<const float> scale, const std::string& wanted,
                    std::vector<onnx::TensorProto>* made);

  // Whether the weight may be made anew whatever else is: nothing else reads it, or it is small.
  bool IsFree(const onnx::TensorProto& weight) const;

 private:
  struct Wish {
    size_t count = 0;
    ChannelLayout layout = {};
    std::vector<float> scale;
    bool same = true;
    std::string made;
  };

  onnx::TensorProto Scaled(const onnx::TensorProto& weight, const ChannelLayout& layout,
                           std::span<const float> scale, const std::string& name);

  Model& model_;
  const GraphView& view_;
  UniqueNames& names_;
  std::unordered_map<std::string, Wish> wishes_;  // by weight
};

// Whether bias and weight times `scale` are finite in the weight's type, as far as they were, and
// in half precision no channel becomes so small that it loses digits.
bool StaysInRange(const Model& model, const onnx::TensorProto& weight, const ChannelLayout& layout,
                  std::span<const float> scale, std::span<const float> bias);

// A new bias of the weight's type.
onnx::TensorProto NewBias(Model& model, const ChannelWeights& weights,
                          std::span<const float> values, const std::string& name);

// The only node that reads `tensor`, through exactly one input and not from a subgraph; -1 if there
// is none or the tensor is a graph output.
int OnlyReader(const GraphView& view, std::string_view tensor);

}  // namespace ptq
