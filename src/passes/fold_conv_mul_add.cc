// Conv (or ConvTranspose) followed by Mul and Add of constants that are one number a channel
// becomes one node.
//
//   before: c = Conv(x, W, B)   m = Mul(c, s)   y = Add(m, t)       after: y = Conv(x, W', B')
//
//   W'[channel] = W[channel] * s[channel]     B' = B * s + t
//   where s and t are [1, channels, 1, …] or one number
//
// Any number of Mul and Add in a row, as long as nothing else reads what is between them. What
// remains of a BatchNormalization in many exports; onnxruntime's ConvMulFusion and ConvAddFusion do
// the same.
#include "model/node_queries.h"
#include "passes/channel_weights.h"
#include "passes/graph_queries.h"
#include "passes/ir_version.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

struct Chain {
  std::vector<float> scale;  // a factor a channel
  std::vector<float> shift;  // added after it
  std::vector<int> nodes;    // that go
  std::string output;        // of the last of them
  bool scales = false;
};

// `dims` against an output of `rank` dimensions: is it one number, or one number a channel (axis
// 1)?
bool IsPerChannel(const onnx::TensorProto& tensor, int64_t channels, int rank) {
  const int shift = rank - tensor.dims_size();
  if (shift < 0) return false;
  for (int i = 0; i < tensor.dims_size(); ++i) {
    const bool fits = tensor.dims(i) == 1 || (i + shift == 1 && tensor.dims(i) == channels);
    if (!fits) return false;
  }
  return true;
}

// The constant operand as one number a channel; empty where it is none.
std::vector<float> ReadOperand(const Model& model, const GraphView& view,
                               const onnx::NodeProto& node, const std::string& data,
                               const ChannelWeights& weights) {
  if (node.input_size() != 2 || node.output_size() != 1) return {};
  const std::string& operand = node.input(node.input(0) == data ? 1 : 0);
  const onnx::TensorProto* tensor = ConstantOf(view, operand);
  if (tensor == nullptr || tensor->data_type() != weights.weight->data_type() ||
      !IsPerChannel(*tensor, weights.channels, weights.weight->dims_size())) {
    return {};
  }
  std::vector<float> values = model.tensors().ReadFloats(*tensor);
  // Not values.assign(n, values[0]): libc++ frees the elements before it reads its argument.
  if (values.size() != 1) return values;
  return std::vector<float>(static_cast<size_t>(weights.channels), values[0]);
}

Chain Follow(const Model& model, const GraphView& view, const onnx::NodeProto& conv,
             const ChannelWeights& weights) {
  const auto channels = static_cast<size_t>(weights.channels);
  Chain chain{
      std::vector<float>(channels, 1.0f), std::vector<float>(channels, 0.0f), {}, conv.output(0)};
  for (;;) {
    const int reader = OnlyReader(view, chain.output);
    if (reader < 0) return chain;
    const onnx::NodeProto& node = view.graph().node(reader);
    const bool scales = IsOp(node, "Mul");
    if (!scales && !IsOp(node, "Add")) return chain;
    const std::vector<float> operand = ReadOperand(model, view, node, chain.output, weights);
    if (operand.empty()) return chain;
    for (size_t c = 0; c < channels; ++c) {
      if (scales) {
        chain.scale[c] *= operand[c];
        chain.shift[c] *= operand[c];
      } else {
        chain.shift[c] += operand[c];
      }
    }
    chain.scales |= scales;
    chain.nodes.push_back(reader);
    chain.output = node.output(0);
  }
}

}  // namespace

int FoldConvMulAdd(PassContext& context) {
  Model& model = context.model;
  onnx::GraphProto& graph = model.graph();
  const GraphView view(graph);
  UniqueNames names(graph);
  WeightScaler scaler(model, view, &names);
  struct Edit {
    int node;
    ChannelWeights weights;
    Chain chain;
    std::vector<float> bias;
  };
  std::vector<Edit> edits;
  for (int i = 0; i < graph.node_size(); ++i) {
    const onnx::NodeProto& node = graph.node(i);
    if (IsOp(node, "Gemm") || node.output_size() != 1) continue;
    const std::optional<ChannelWeights> weights = FindChannelWeights(view, node);
    if (!weights) continue;
    Chain chain = Follow(model, view, node, *weights);
    if (chain.nodes.empty()) continue;
    std::vector<float> bias = chain.shift;
    if (weights->bias != nullptr) {
      bias = model.tensors().ReadFloats(*weights->bias);
      for (size_t c = 0; c < bias.size(); ++c) bias[c] = bias[c] * chain.scale[c] + chain.shift[c];
    }
    if (!StaysFinite(model, *weights, chain.scale, bias)) continue;
    if (chain.scales) scaler.Want(*weights, chain.scale);
    edits.push_back({i, *weights, std::move(chain), std::move(bias)});
  }
  std::erase_if(
      edits, [&](const Edit& edit) { return edit.chain.scales && !scaler.MayScale(edit.weights); });

  std::vector<bool> remove(static_cast<size_t>(graph.node_size()), false);
  std::vector<onnx::TensorProto> made;
  std::vector<std::pair<std::string, std::string>> operands;  // weight, bias
  for (const Edit& edit : edits) {
    const onnx::NodeProto& node = graph.node(edit.node);
    std::string weight = node.input(1);
    if (edit.chain.scales) {
      weight = scaler.Scale(edit.weights, edit.chain.scale, node.input(1) + "_folded", &made);
    }
    const std::string bias = names.Make(
        edit.weights.bias == nullptr ? node.input(1) + "_folded_bias" : node.input(2) + "_folded");
    made.push_back(NewBias(model, edit.weights, edit.bias, bias));
    operands.emplace_back(weight, bias);
  }
  int folded = 0;
  for (size_t i = 0; i < edits.size(); ++i) {
    onnx::NodeProto* node = graph.mutable_node(edits[i].node);
    while (node->input_size() < 3) node->add_input();
    node->set_input(1, operands[i].first);
    node->set_input(2, operands[i].second);
    node->set_output(0, edits[i].chain.output);
    for (const int gone : edits[i].chain.nodes) remove[static_cast<size_t>(gone)] = true;
    folded += static_cast<int>(edits[i].chain.nodes.size());
  }
  for (onnx::TensorProto& tensor : made) graph.add_initializer()->Swap(&tensor);
  RemoveNodes(&graph, remove);
  if (folded > 0) RaiseIrVersion(model, 4);
  return folded;
}

}  // namespace ptq
