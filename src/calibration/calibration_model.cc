#include "calibration/calibration_model.h"

#include <algorithm>
#include <unordered_set>

#include "model/attributes.h"
#include "model/graph_view.h"
#include "model/tensor_builder.h"
#include "ops/op_registry.h"

namespace ptq {
namespace {

// The newest IR version that onnxruntime-web 1.30 loads; the copy that is run may have a lower one
// than the model.
constexpr int64_t kRuntimeIrVersion = 13;

onnx::NodeProto* AddNode(onnx::GraphProto* graph, const std::string& op_type,
                         const std::vector<std::string>& inputs, const std::string& output) {
  onnx::NodeProto* node = graph->add_node();
  node->set_op_type(op_type);
  for (const std::string& input : inputs) node->add_input(input);
  node->add_output(output);
  return node;
}

}  // namespace

std::vector<std::string> TensorsToCalibrate(const Model& model, const StaticQuantConfig& config) {
  const GraphView view(model.graph());
  std::unordered_set<std::string> seen;
  std::vector<std::string> tensors;
  const auto consider = [&](const std::string& tensor) {
    if (tensor.empty() || view.Initializer(tensor) != nullptr) return;
    const int32_t type = view.ElementType(tensor);
    if (type != onnx::TensorProto::FLOAT && type != onnx::TensorProto::FLOAT16) return;
    if (seen.insert(tensor).second) tensors.push_back(tensor);
  };
  for (const onnx::NodeProto& node : model.graph().node()) {
    const bool wanted = config.op_types_to_quantize.empty()
                            ? FindOp(node.op_type()) != nullptr
                            : config.op_types_to_quantize.contains(node.op_type());
    if (!wanted || node.op_type() == "QuantizeLinear" || node.op_type() == "DequantizeLinear") {
      continue;
    }
    for (const std::string& input : node.input()) consider(input);
    for (const std::string& output : node.output()) consider(output);
  }
  return tensors;
}

CalibrationModel BuildCalibrationModel(const Model& model, const StaticQuantConfig& config) {
  CalibrationModel result{TensorsToCalibrate(model, config), "", model.proto()};
  result.proto.set_ir_version(std::min(result.proto.ir_version(), kRuntimeIrVersion));
  if (result.tensors.empty()) return result;

  onnx::GraphProto* graph = result.proto.mutable_graph();
  const GraphView view(model.graph());
  UniqueNames names(model.graph());
  const std::string one = names.Make("ptq_shape_1");
  const std::vector<int64_t> dims = {1};
  *graph->add_initializer() = IntTensor(one, onnx::TensorProto::INT64, dims, dims);
  std::vector<std::string> parts;
  for (const std::string& tensor : result.tensors) {
    std::string source = tensor;
    if (view.ElementType(tensor) == onnx::TensorProto::FLOAT16) {  // no float16 ReduceMin on CPUs
      source = names.Make("ptq_float_" + tensor);
      SetAttribute(AddNode(graph, "Cast", {tensor}, source), "to",
                   static_cast<int64_t>(onnx::TensorProto::FLOAT));
    }
    for (const char* op_type : {"ReduceMin", "ReduceMax"}) {
      const std::string reduced = names.Make(std::string("ptq_") + op_type + "_" + tensor);
      SetAttribute(AddNode(graph, op_type, {source}, reduced), "keepdims", int64_t{0});
      parts.push_back(names.Make(reduced + "_1d"));
      AddNode(graph, "Reshape", {reduced, one}, parts.back());
    }
  }
  result.output = names.Make("ptq_ranges");
  SetAttribute(AddNode(graph, "Concat", parts, result.output), "axis", int64_t{0});
  onnx::ValueInfoProto* output = graph->add_output();
  output->set_name(result.output);
  auto* type = output->mutable_type()->mutable_tensor_type();
  type->set_elem_type(onnx::TensorProto::FLOAT);
  type->mutable_shape()->add_dim()->set_dim_value(static_cast<int64_t>(parts.size()));
  return result;
}

}  // namespace ptq
