// Cast to the type that a tensor has already is bypassed.
//
//   before: a = Cast<to = FLOAT>(x)   y = Relu(a)   (x is float)     after: y = Relu(x)
//
// Mixed precision exports leave them where the precision was float anyway. Types are inferred anew:
// a file's own value_info may be wrong.
#include "model/attributes.h"
#include "model/node_queries.h"
#include "passes/bypass_nodes.h"
#include "passes/pass_registry.h"

namespace ptq {

int EliminateNoopCast(PassContext& context) {
  return BypassNodes(&context.model.graph(), [&](const onnx::NodeProto& node, const GraphView&) {
    if (!IsOp(node, "Cast")) return false;
    const int64_t type = context.types.Of(context.model).ElementType(node.input(0));
    return type != 0 && type == IntAttribute(node, "to", 0);
  });
}

}  // namespace ptq
