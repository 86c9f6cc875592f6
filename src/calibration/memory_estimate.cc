#include "calibration/memory_estimate.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "model/element_type.h"
#include "model/graph_view.h"
#include "passes/infer_shapes.h"

namespace ptq {
namespace {

// Types of no known size count as float32. onnxruntime's CPU computes float16 in float32, beside
// which it has the tensor itself.
uint64_t ByteSize(int32_t type, uint64_t elements) {
  const uint64_t bytes = PackedBytes(elements, FindElementBits(type).value_or(32));
  return type == onnx::TensorProto::FLOAT16 ? bytes + elements * sizeof(float) : bytes;
}

// Number of elements; nullopt where a dimension is unknown.
std::optional<uint64_t> Elements(const onnx::ValueInfoProto* value) {
  if (value == nullptr || !value->type().tensor_type().has_shape()) return std::nullopt;
  uint64_t elements = 1;
  for (const auto& dim : value->type().tensor_type().shape().dim()) {
    if (!dim.has_dim_value() || dim.dim_value() < 0) return std::nullopt;
    elements *= static_cast<uint64_t>(dim.dim_value());
  }
  return elements;
}

// What a ConvTranspose takes while it runs: onnxruntime multiplies all of the input by the weight,
// [channels out / group, kernel] beside each position, and then adds up what overlaps.
uint64_t Workspace(const onnx::NodeProto& node, const GraphView& view) {
  if (node.op_type() != "ConvTranspose" || node.input_size() < 2) return 0;
  const onnx::TensorProto* weight = view.Initializer(node.input(1));
  const std::optional<uint64_t> input = Elements(view.ValueInfo(node.input(0)));
  if (weight == nullptr || !input || weight->dims_size() < 2 || weight->dims(0) < 1) return 0;
  // One sample and group at a time; a batch of one is what is common.
  const auto channels = static_cast<uint64_t>(weight->dims(0));
  return *input / channels * (ElementCount(*weight) / channels) * sizeof(float);
}

void SetShapes(const std::map<std::string, std::vector<int64_t>>& shapes, onnx::GraphProto* graph) {
  for (onnx::ValueInfoProto& input : *graph->mutable_input()) {
    const auto given = shapes.find(input.name());
    if (given == shapes.end()) continue;
    auto* shape = input.mutable_type()->mutable_tensor_type()->mutable_shape();
    shape->clear_dim();
    for (const int64_t dim : given->second) shape->add_dim()->set_dim_value(dim);
  }
}

}  // namespace

MemoryEstimate EstimateMemory(const Model& model, const std::vector<std::string>& tensors,
                              const std::map<std::string, std::vector<int64_t>>& input_shapes) {
  MemoryEstimate estimate;
  Model shaped = model;
  SetShapes(input_shapes, &shaped.graph());
  const onnx::GraphProto graph = InferredShapes(shaped, KnownShapes::kInputsOnly, nullptr);
  const GraphView view(graph);
  for (const onnx::TensorProto& initializer : graph.initializer()) {
    estimate.weights += ByteSize(initializer.data_type(), ElementCount(initializer));
  }
  const auto bytes_of = [&](const std::string& tensor) -> uint64_t {
    const std::optional<uint64_t> elements = Elements(view.ValueInfo(tensor));
    if (!elements) estimate.all_known = false;
    return ByteSize(view.ElementType(tensor), elements.value_or(0));
  };
  // A tensor takes memory from the node that makes it until its last reader has run; graph outputs
  // stay.
  std::vector<uint64_t> freed(static_cast<size_t>(view.node_count()) + 1);
  uint64_t alive = 0;
  for (const onnx::ValueInfoProto& input : graph.input()) {
    if (view.Initializer(input.name()) == nullptr) alive += bytes_of(input.name());
  }
  for (int i = 0; i < view.node_count(); ++i) {
    for (const std::string& output : view.node(i).output()) {
      if (output.empty()) continue;
      const uint64_t bytes = bytes_of(output);
      alive += bytes;
      int last = i;
      for (const Use& use : view.Uses(output)) last = std::max(last, use.node);
      if (!view.IsGraphOutput(output)) freed[static_cast<size_t>(last)] += bytes;
    }
    estimate.activations = std::max(estimate.activations, alive + Workspace(view.node(i), view));
    alive -= freed[static_cast<size_t>(i)];
  }
  for (const std::string& tensor : tensors) {
    const std::optional<uint64_t> elements = Elements(view.ValueInfo(tensor));
    estimate.tensors.push_back(elements.value_or(0) * sizeof(float));
  }
  return estimate;
}

}  // namespace ptq
