// Conv (or ConvTranspose, Gemm) + BatchNormalization in inference form become one node.
//
//   before: c = Conv(x, W, B)   y = BatchNormalization(c, gamma, beta, mean, var)
//   after:  y = Conv(x, W', B')
//
//   s = gamma / sqrt(var + epsilon)     W'[channel] = W[channel] * s     B' = (B - mean) * s + beta
//   without a bias: B' = beta - mean * s
//
// Single precision and this order, as onnxruntime's ConvBNFusion, so that the results agree with it
// bit by bit. Only where nothing else reads c, and where no weight becomes two: one that several
// nodes share is scaled once, if for all of them alike.
#include <cmath>

#include "model/attributes.h"
#include "model/node_queries.h"
#include "passes/channel_weights.h"
#include "passes/graph_queries.h"
#include "passes/ir_version.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

struct BatchNorm {
  std::vector<float> scale;  // gamma / sqrt(var + epsilon)
  std::vector<float> beta;
  std::vector<float> mean;
};

// Rounding a DOUBLE to single precision would be more than a reordering.
bool IsSingleOrLess(int32_t type) {
  return type == onnx::TensorProto::FLOAT || type == onnx::TensorProto::FLOAT16 ||
         type == onnx::TensorProto::BFLOAT16;
}

// Nothing where parameters are no constants of `channels` elements, or the node is no inference
// form.
std::optional<BatchNorm> ReadBatchNorm(const Model& model, const GraphView& view,
                                       const onnx::NodeProto& node, int64_t channels) {
  const bool inference = IntAttribute(node, "training_mode", 0) == 0 &&
                         IntAttribute(node, "spatial", 1) == 1 && OutputsUnused(view, node, 1);
  if (!inference || node.input_size() != 5) return std::nullopt;
  std::vector<float> parameters[4];  // gamma, beta, mean, var
  for (int i = 0; i < 4; ++i) {
    const onnx::TensorProto* tensor = ConstantOf(view, node.input(i + 1));
    if (tensor == nullptr || !IsSingleOrLess(tensor->data_type()) || tensor->dims_size() != 1 ||
        tensor->dims(0) != channels) {
      return std::nullopt;
    }
    parameters[i] = model.tensors().ReadFloats(*tensor);
  }
  const float epsilon = FloatAttribute(node, "epsilon", 1e-5f);
  for (size_t c = 0; c < parameters[0].size(); ++c) {
    parameters[0][c] /= std::sqrt(parameters[3][c] + epsilon);
    if (!std::isfinite(parameters[0][c])) return std::nullopt;
  }
  return BatchNorm{std::move(parameters[0]), std::move(parameters[1]), std::move(parameters[2])};
}

std::vector<float> FoldedBias(const Model& model, const BatchNorm& norm,
                              const onnx::TensorProto* bias) {
  std::vector<float> folded(norm.scale.size());
  if (bias == nullptr) {
    for (size_t c = 0; c < folded.size(); ++c)
      folded[c] = norm.beta[c] - norm.mean[c] * norm.scale[c];
    return folded;
  }
  const std::vector<float> given = model.tensors().ReadFloats(*bias);
  for (size_t c = 0; c < folded.size(); ++c) {
    folded[c] = (given[c] - norm.mean[c]) * norm.scale[c] + norm.beta[c];
  }
  return folded;
}

}  // namespace

int FoldBatchNorm(PassContext& context) {
  Model& model = context.model;
  onnx::GraphProto& graph = model.graph();
  const GraphView view(graph);
  UniqueNames names(graph);
  WeightScaler scaler(model, view, &names);
  struct Edit {
    int node, norm;
    ChannelWeights weights;
    std::vector<float> scale, bias;
  };
  std::vector<Edit> edits;
  for (int i = 0; i < graph.node_size(); ++i) {
    const onnx::NodeProto& node = graph.node(i);
    const std::optional<ChannelWeights> weights = FindChannelWeights(view, node);
    if (!weights || node.output_size() != 1) continue;
    const int reader = OnlyReader(view, node.output(0));
    if (reader < 0 || !IsOp(graph.node(reader), "BatchNormalization") ||
        graph.node(reader).input(0) != node.output(0)) {
      continue;
    }
    const auto norm = ReadBatchNorm(model, view, graph.node(reader), weights->channels);
    if (!norm) continue;
    std::vector<float> bias = FoldedBias(model, *norm, weights->bias);
    if (!StaysFinite(model, *weights, norm->scale, bias)) continue;
    scaler.Want(*weights, norm->scale);
    edits.push_back({i, reader, *weights, norm->scale, std::move(bias)});
  }
  std::erase_if(edits, [&](const Edit& edit) { return !scaler.MayScale(edit.weights); });

  std::vector<bool> remove(static_cast<size_t>(graph.node_size()), false);
  std::vector<onnx::TensorProto> made;
  std::vector<std::pair<std::string, std::string>> operands;  // weight, bias
  for (const Edit& edit : edits) {
    const std::string weight =
        scaler.Scale(edit.weights, edit.scale, edit.weights.weight->name() + "_bn_folded", &made);
    const std::string bias = names.Make(
        edit.weights.bias == nullptr ? weight + "_bias" : edit.weights.bias->name() + "_bn_folded");
    made.push_back(NewBias(model, edit.weights, edit.bias, bias));
    operands.emplace_back(weight, bias);
  }
  for (size_t i = 0; i < edits.size(); ++i) {
    onnx::NodeProto* node = graph.mutable_node(edits[i].node);
    while (node->input_size() < 3) node->add_input();
    node->set_input(1, operands[i].first);
    node->set_input(2, operands[i].second);
    node->set_output(0, graph.node(edits[i].norm).output(0));
    remove[static_cast<size_t>(edits[i].norm)] = true;
  }
  for (onnx::TensorProto& tensor : made) graph.add_initializer()->Swap(&tensor);
  RemoveNodes(&graph, remove);
  if (!edits.empty()) RaiseIrVersion(model, 4);
  return static_cast<int>(edits.size());
}

}  // namespace ptq
