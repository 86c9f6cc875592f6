// Operators that a model spells out in several nodes: LayerNormalization, RMSNormalization, Gelu,
// Swish, HardSwish, LpNormalization. The pass fuse_patterns makes one node of a pattern where the
// model's opset has the operator; where it does not, the planners leave the nodes of a
// normalization or a Gelu float, because its inner tensors (a square, a variance, an error
// function) do not survive 8 bits.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "model/graph_view.h"
#include "model/model.h"

namespace ptq {

struct Pattern {
  std::string_view op_type;  // of ai.onnx
  int min_opset = 0;         // the first one that has the operator
  std::vector<int> nodes;    // of the view, in its order; the last makes what the pattern gives
  // The one node that says the same; nothing where the operator has no such form (another axis, no
  // scale), or where it cannot be proved for want of a shape.
  std::optional<onnx::NodeProto> node;
};

// All of them, by their last nodes, none with a node of another. What is inside a pattern is read
// by nobody else. Constants are initializers that no caller may replace. `types` has the types and
// shapes of the tensors; it may be `view` itself.
std::vector<Pattern> FindPatterns(const Model& model, const GraphView& view,
                                  const GraphView& types);

}  // namespace ptq
