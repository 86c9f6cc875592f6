#include "model/find_constant.h"

#include "model/attributes.h"
#include "model/node_queries.h"

namespace ptq {

const onnx::TensorProto* ValueOfConstant(const onnx::NodeProto& node) {
  if (!IsOp(node, "Constant")) return nullptr;
  const onnx::AttributeProto* value = FindAttribute(node, "value");
  return value != nullptr && value->has_t() ? &value->t() : nullptr;
}

const onnx::TensorProto* FindConstant(const GraphView& view, const std::string& tensor) {
  const int producer = view.Producer(tensor);
  return producer < 0 ? view.Initializer(tensor) : ValueOfConstant(view.node(producer));
}

}  // namespace ptq
