// Identity is bypassed.
//
//   before: y = Identity(x)   z = Relu(y)           after: z = Relu(x)
//   before: t = Relu(x)       out = Identity(t)     after: out = Relu(x)
//
// An Identity from a graph input or initializer to a graph output stays: both names are needed.
#include "model/node_queries.h"
#include "passes/bypass_nodes.h"
#include "passes/pass_registry.h"

namespace ptq {

int EliminateIdentity(PassContext& context) {
  return BypassNodes(&context.model.graph(), [](const onnx::NodeProto& node, const GraphView&) {
    return IsOp(node, "Identity");
  });
}

}  // namespace ptq
