// onnx::shape_inference in its lenient mode: an error in one node leaves that node's outputs
// unknown and goes on. Data propagation is on, so that Shape -> Gather -> Concat -> Reshape chains
// are followed, within bounds (bounded_schemas.h). It runs on a copy of the graph, which has no
// weights to copy (TensorStore), because it writes into subgraph bodies too.
#include "passes/infer_shapes.h"

#include <exception>
#include <new>
#include <string>
#include <unordered_map>

#include "onnx/shape_inference/implementation.h"
#include "passes/bounded_schemas.h"

namespace ptq {
namespace {

// Element types stay: only Shape and Reshape results are what a stale value_info gets wrong.
void ForgetShapes(onnx::GraphProto* graph) {
  graph->clear_value_info();
  for (onnx::ValueInfoProto& output : *graph->mutable_output()) {
    if (output.type().has_tensor_type())
      output.mutable_type()->mutable_tensor_type()->clear_shape();
  }
}

}  // namespace

onnx::GraphProto InferredShapes(const Model& model, KnownShapes known, std::string* failure) {
  onnx::ModelProto copy = model.proto();
  if (known == KnownShapes::kInputsOnly) ForgetShapes(copy.mutable_graph());
  // IR 3 has every initializer among the inputs, and inference looks for their shapes only there.
  if (copy.ir_version() < 4) copy.set_ir_version(4);
  const onnx::ShapeInferenceOptions lenient(/*check_type=*/false, /*strict_mode=*/0,
                                            /*data_prop=*/true);
  std::unordered_map<std::string, onnx::TensorShapeProto> values;
  try {
    const BoundedSchemas schemas;
    onnx::shape_inference::InferShapes(copy, &schemas, lenient, &values);
  } catch (const std::bad_alloc&) {
    throw;  // not a failure of inference
  } catch (const std::exception& error) {
    if (failure != nullptr) *failure = error.what();
  }
  return std::move(*copy.mutable_graph());
}

const GraphView& InferredTypes::Of(const Model& model) {
  if (!view_) {
    graph_ = InferredShapes(model, KnownShapes::kInputsOnly, /*failure=*/nullptr);
    view_.emplace(*graph_);
  }
  return *view_;
}

void InferredTypes::Forget() {
  view_.reset();
  graph_.reset();
}

void InferShapes(Model& model, Diagnostics* diagnostics, Bodies bodies) {
  std::string failure;
  onnx::GraphProto inferred = InferredShapes(model, KnownShapes::kAll, &failure);
  const std::vector<onnx::GraphProto*> from = GraphsOf(&inferred, bodies);
  const std::vector<onnx::GraphProto*> to = GraphsOf(&model.graph(), bodies);
  for (size_t i = 0; i < to.size(); ++i) {
    to[i]->mutable_value_info()->Swap(from[i]->mutable_value_info());
    to[i]->mutable_output()->Swap(from[i]->mutable_output());
    // What a body is given is typed by where it comes from, often nowhere in the file.
    if (i > 0) to[i]->mutable_input()->Swap(from[i]->mutable_input());
  }
  if (failure.empty() || diagnostics == nullptr) return;
  diagnostics->push_back(
      {Severity::kInfo, "SHAPE_INFERENCE_INCOMPLETE",
       Text("Shape inference stopped early: ") + failure, "", "",
       "Shapes and types of later tensors come from running the model instead."});
}

}  // namespace ptq
