// MatMul with a constant matrix and the Add of a constant behind it become a Gemm.
//
//   before: m = MatMul(x, W)   y = Add(m, b)        after: y = Gemm(x, W, b)
//   where b has one number a column of W, or one number
//
// A bias of a Gemm is quantized to 32 bits and its sum is not quantized in between. Where x is no
// matrix, Reshapes make it one (gemm_maker.h). onnxruntime's MatMulAddFusion does the same, with
// Reshapes only where all dimensions are known, and not around what it fuses into an Attention
// later, which it cannot do with quantized nodes. The Gemm has the name of the MatMul.
#include <optional>
#include <string>
#include <vector>

#include "model/node_queries.h"
#include "passes/channel_weights.h"
#include "passes/gemm_maker.h"
#include "passes/graph_queries.h"
#include "passes/ir_version.h"
#include "passes/pass_registry.h"
#include "passes/replace_nodes.h"

namespace ptq {
namespace {

// The constant that an Add behind `matmul` has for each column; null where it is none, or gives the
// result more axes than `rank`.
const onnx::TensorProto* BiasOf(const GraphView& view, const onnx::NodeProto& add,
                                const std::string& product, const ChannelWeights& weights,
                                size_t rank) {
  const onnx::TensorProto* bias = ConstantOf(view, add.input(add.input(0) == product ? 1 : 0));
  if (bias == nullptr || bias->data_type() != weights.weight->data_type()) return nullptr;
  const auto axes = static_cast<size_t>(bias->dims_size());
  const uint64_t count = ElementCount(*bias);
  const bool columns = axes > 0 && bias->dims(bias->dims_size() - 1) == weights.outputs.channels &&
                       count == static_cast<uint64_t>(weights.outputs.channels);
  return axes <= rank && (columns || count == 1) ? bias : nullptr;
}

}  // namespace

int FuseMatMulAdd(PassContext& context) {
  Model& model = context.model;
  if (model.Opset() < kOpsetOfGemm) return 0;
  onnx::GraphProto& graph = model.graph();
  const GraphView view(graph);
  StaticShapes shapes(context);
  UniqueNames names(graph);
  GemmMaker maker(view, &shapes, &names);
  NodeEdits edits;
  std::vector<onnx::TensorProto> biases;
  int fused = 0;
  for (int i = 0; i < graph.node_size(); ++i) {
    const onnx::NodeProto& node = graph.node(i);
    if (!IsOp(node, "MatMul")) continue;
    std::optional<ChannelWeights> weights = FindChannelWeights(view, node);
    const int reader = weights ? OnlyReader(view, node.output(0)) : -1;
    if (reader < 0 || !IsOp(graph.node(reader), "Add")) continue;
    const auto dims = shapes.Of(node.input(0));
    if (!dims) continue;
    const onnx::NodeProto& add = graph.node(reader);
    weights->bias = BiasOf(view, add, node.output(0), *weights, dims->size());
    if (weights->bias == nullptr) continue;
    const bool is_row =
        weights->bias->dims_size() == 1 && weights->bias->dims(0) == weights->outputs.channels;
    const std::string bias =
        is_row ? weights->bias->name() : names.Make(weights->bias->name() + "_row");
    auto nodes = maker.Make(node, {node.input(0), node.input(1), bias, add.output(0)});
    if (!nodes) continue;
    if (!is_row) biases.push_back(NewBias(model, *weights, ReadBias(model, *weights), bias));
    edits[i] = *std::move(nodes);
    edits[reader] = {};
    ++fused;
  }
  if (fused == 0) return 0;
  ReplaceNodes(&graph, std::move(edits));
  for (onnx::TensorProto& bias : biases) graph.add_initializer()->Swap(&bias);
  maker.AddConstants(&graph);
  RaiseIrVersion(model, 4);
  return fused;
}

}  // namespace ptq
