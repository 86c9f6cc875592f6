// Constant nodes become initializers under the name of the node's output.
//
//   before: w = Constant <value = …> ()   y = Conv(x, w)     after: <w = …>   y = Conv(x, w)
//
// So that weights are found in one place only. Sparse and string values and constants that are
// graph outputs stay. A tensor by reference stays one: no data is read.
#include <utility>
#include <vector>

#include "model/attributes.h"
#include "model/graph_view.h"
#include "model/node_queries.h"
#include "model/tensor_builder.h"
#include "passes/ir_version.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

// Moves the node's value out. False: a form that stays.
bool TakeValue(onnx::NodeProto* node, onnx::TensorProto* tensor) {
  if (node->attribute_size() != 1) return false;
  onnx::AttributeProto* attribute = node->mutable_attribute(0);
  const std::string& name = node->output(0);
  const std::string& form = attribute->name();
  const std::vector<int64_t> scalar;
  const std::vector<int64_t> vector = {form == "value_ints" ? attribute->ints_size()
                                                            : attribute->floats_size()};
  if (form == "value" && attribute->has_t()) {
    tensor->Swap(attribute->mutable_t());
    tensor->set_name(name);
  } else if (form == "value_int") {
    *tensor = IntTensor(name, onnx::TensorProto::INT64, scalar, std::vector{attribute->i()});
  } else if (form == "value_ints") {
    *tensor = IntTensor(name, onnx::TensorProto::INT64, vector,
                        std::vector<int64_t>(attribute->ints().begin(), attribute->ints().end()));
  } else if (form == "value_float") {
    *tensor = FloatTensor(name, scalar, std::vector{attribute->f()});
  } else if (form == "value_floats") {
    *tensor = FloatTensor(
        name, vector, std::vector<float>(attribute->floats().begin(), attribute->floats().end()));
  } else {
    return false;
  }
  return true;
}

int ExtractFrom(onnx::GraphProto* graph) {
  const GraphView view(*graph);
  std::vector<bool> remove(static_cast<size_t>(graph->node_size()), false);
  int extracted = 0;
  for (int i = 0; i < graph->node_size(); ++i) {
    onnx::NodeProto* node = graph->mutable_node(i);
    if (!IsOp(*node, "Constant") || node->output_size() != 1 ||
        view.IsGraphOutput(node->output(0))) {
      continue;
    }
    onnx::TensorProto tensor;
    if (!TakeValue(node, &tensor)) continue;
    graph->add_initializer()->Swap(&tensor);
    remove[static_cast<size_t>(i)] = true;
    ++extracted;
  }
  RemoveNodes(graph, remove);
  return extracted;
}

}  // namespace

int ExtractConstants(PassContext& context) {
  int extracted = 0;
  // From the inside out: removing nodes moves the bodies of those that stay.
  const std::vector<onnx::GraphProto*> graphs = GraphsOf(&context.model.graph(), context.bodies);
  for (auto graph = graphs.rbegin(); graph != graphs.rend(); ++graph) {
    extracted += ExtractFrom(*graph);
  }
  if (extracted > 0) RaiseIrVersion(context.model, 4);
  return extracted;
}

}  // namespace ptq
