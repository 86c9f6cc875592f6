#include "model/node_builder.h"

namespace ptq {
namespace {

void Fill(const std::string& op_type, const std::vector<std::string>& inputs,
          const std::vector<std::string>& outputs, onnx::NodeProto* node) {
  node->set_op_type(op_type);
  for (const std::string& input : inputs) node->add_input(input);
  for (const std::string& output : outputs) node->add_output(output);
}

}  // namespace

onnx::NodeProto MakeNode(const std::string& op_type, const std::vector<std::string>& inputs,
                         const std::vector<std::string>& outputs, const std::string& name,
                         const std::string& domain) {
  onnx::NodeProto node;
  Fill(op_type, inputs, outputs, &node);
  node.set_name(name);
  if (!domain.empty()) node.set_domain(domain);
  return node;
}

onnx::NodeProto* AddNode(onnx::GraphProto* graph, const std::string& op_type,
                         const std::vector<std::string>& inputs, const std::string& output) {
  onnx::NodeProto* node = graph->add_node();
  Fill(op_type, inputs, {output}, node);
  return node;
}

}  // namespace ptq
