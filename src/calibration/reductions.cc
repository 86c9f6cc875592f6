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
    : view_(view), names_(names), main_(main), shape_(names->Make("ptq_shape_1")) {
  const std::vector<int64_t> dims = {1};
  *main->add_initializer() = IntTensor(shape_, onnx::TensorProto::INT64, dims, dims);
}

Reductions::Pair Reductions::Add(const std::string& tensor, onnx::GraphProto* graph) {
  const std::string source = AsFloat(tensor, graph);
  return {Reduce("ReduceMin", tensor, source, graph), Reduce("ReduceMax", tensor, source, graph)};
}

std::vector<std::string> Reductions::AddMoments(const std::string& tensor, bool cube_root,
                                                onnx::GraphProto* graph) {
  const auto add = [&](const char* op_type, const std::vector<std::string>& inputs) {
    std::string output = names_->Make(std::string("ptq_") + op_type + "_" + tensor);
    AddGraphNode(graph, op_type, inputs, output);
    return output;
  };
  std::string values = AsFloat(tensor, graph);
  if (cube_root) {
    if (third_.empty()) {
      third_ = names_->Make("ptq_third");
      *main_->add_initializer() = FloatTensor(third_, {}, std::vector{1.0f / 3.0f});
    }
    values = add("Mul", {add("Sign", {values}), add("Pow", {add("Abs", {values}), third_})});
  }
  const std::string size = add("Size", {values});
  const std::string count = names_->Make("ptq_count_" + tensor);
  SetAttribute(AddGraphNode(graph, "Cast", {size}, count), "to",
               static_cast<int64_t>(onnx::TensorProto::FLOAT));
  const std::string squares = add("Mul", {values, values});
  return {AsVector(count, graph), Reduce("ReduceMean", tensor, values, graph),
          Reduce("ReduceMean", tensor, squares, graph)};
}

std::string Reductions::AsFloat(const std::string& tensor, onnx::GraphProto* graph) {
  if (view_.ElementType(tensor) == onnx::TensorProto::FLOAT) return tensor;
  std::string source = names_->Make("ptq_float_" + tensor);
  SetAttribute(AddGraphNode(graph, "Cast", {tensor}, source), "to",
               static_cast<int64_t>(onnx::TensorProto::FLOAT));
  return source;
}

std::string Reductions::Reduce(const char* op_type, const std::string& tensor,
                               const std::string& source, onnx::GraphProto* graph) {
  const std::string reduced = names_->Make(std::string("ptq_") + op_type + "_" + tensor);
  SetAttribute(AddGraphNode(graph, op_type, {source}, reduced), "keepdims", int64_t{0});
  return AsVector(reduced, graph);
}

std::string Reductions::AsVector(const std::string& scalar, onnx::GraphProto* graph) {
  std::string vector = names_->Make(scalar + "_1d");
  AddGraphNode(graph, "Reshape", {scalar, shape_}, vector);
  return vector;
}

}  // namespace ptq
