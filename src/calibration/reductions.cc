#include "calibration/reductions.h"

#include "model/attributes.h"
#include "model/tensor_builder.h"

namespace ptq {

onnx::NodeProto* AddGraphNode(onnx::GraphProto* graph, const std::string& op_type,
                              const std::vector<std::string>& inputs, const std::string& output) {
  onnx::NodeProto* node = graph->add_node();
  node->set_op_type(op_type);
  for (const std::string& input : inputs) node->add_input(input);
  node->add_output(output);
  return node;
}

Reductions::Reductions(const GraphView& view, UniqueNames* names, onnx::GraphProto* main)
    : view_(view), names_(names), shape_(names->Make("ptq_shape_1")) {
  const std::vector<int64_t> dims = {1};
  *main->add_initializer() = IntTensor(shape_, onnx::TensorProto::INT64, dims, dims);
}

Reductions::Pair Reductions::Add(const std::string& tensor, onnx::GraphProto* graph) {
  std::string source = tensor;
  if (view_.ElementType(tensor) != onnx::TensorProto::FLOAT) {  // no float16 ReduceMin on CPUs
    source = names_->Make("ptq_float_" + tensor);
    SetAttribute(AddGraphNode(graph, "Cast", {tensor}, source), "to",
                 static_cast<int64_t>(onnx::TensorProto::FLOAT));
  }
  return {Reduce("ReduceMin", tensor, source, graph), Reduce("ReduceMax", tensor, source, graph)};
}

std::string Reductions::Reduce(const char* op_type, const std::string& tensor,
                               const std::string& source, onnx::GraphProto* graph) {
  const std::string reduced = names_->Make(std::string("ptq_") + op_type + "_" + tensor);
  SetAttribute(AddGraphNode(graph, op_type, {source}, reduced), "keepdims", int64_t{0});
  std::string vector = names_->Make(reduced + "_1d");
  AddGraphNode(graph, "Reshape", {reduced, shape_}, vector);
  return vector;
}

}  // namespace ptq
