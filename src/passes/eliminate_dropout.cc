// Dropout in inference form is bypassed: y = x.
//
//   before: y, mask = Dropout(x, ratio, training_mode)   z = Gemm(y, w)     after: z = Gemm(x, w)
//
// Opset 7 to 11 know inference only. From 12 on the third input says whether it trains: absent and
// false mean no. Stays where the mask is used.
#include "model/node_queries.h"
#include "model/tensor_store.h"
#include "passes/bypass_nodes.h"
#include "passes/graph_queries.h"
#include "passes/pass_registry.h"

namespace ptq {

int EliminateDropout(PassContext& context) {
  const Model& model = context.model;
  const bool may_train = model.Opset() >= 12;
  return BypassNodes(&context.model.graph(),
                     [&](const onnx::NodeProto& node, const GraphView& view) {
                       if (!IsOp(node, "Dropout") || !OutputsUnused(view, node, 1)) return false;
                       if (!may_train || !HasInput(node, 2)) return true;
                       const onnx::TensorProto* training = ConstantOf(view, node.input(2));
                       if (training == nullptr || training->data_type() != onnx::TensorProto::BOOL)
                         return false;
                       const std::vector<int64_t> value = model.tensors().ReadInts(*training);
                       return value.size() == 1 && value[0] == 0;
                     });
}

}  // namespace ptq
