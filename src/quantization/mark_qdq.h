// What each operator asks to have quantized in the QDQ format: the first half of planning, before
// any parameter is known. The rules are named in src/ops/op_registry.h; order, sharing and removal
// follow onnxruntime.quantization's QDQQuantizer, so that names and node order come out the same.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "quantization/plan_context.h"

namespace ptq {

// One tensor that a node asked to have quantized.
struct QdqMark {
  std::string tensor;
  bool weight = false;          // an initializer in the role of a weight: of the weight type
  std::optional<int64_t> axis;  // per channel
  std::string shares_with;      // the tensor whose parameters it takes; empty: its own
  int sharing_node = -1;        // through which node it shares
  int node = -1;                // who asked first, for messages
};

struct QdqMarks {
  std::vector<QdqMark> marks;  // in the order in which they are quantized
  std::unordered_map<std::string, size_t> index;
};

// Marks the tensors of all selected nodes. Fills plan->nodes (selection, removals, reasons),
// biases, renamed outputs and diagnostics.
QdqMarks MarkQdq(const PlanContext& context, QuantPlan* plan);

}  // namespace ptq
