// In which form the file holds the weight of a quantized node: a node may be quantized and still
// carry float weights, which are then quantized at every inference and make the file no smaller.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

#include "model/graph_view.h"
#include "quantization/quant_plan.h"

namespace ptq {

enum class WeightForm {
  kNone,       // it has no weight: its inputs depend on the data
  kQuantized,  // integers in the file
  kFloat,      // a float constant, read as it is
  kComputed,   // made of constants at run time, by nodes that could not be evaluated before
};

std::string_view WeightFormName(WeightForm form);  // "quantized" and so on; "" for kNone

// Answers for one view, whose nodes are in topological order, and one plan.
class WeightForms {
 public:
  WeightForms(const GraphView& view, const QuantPlan& plan);

  // Of Conv, ConvTranspose, Gemm and MatMul (the operands that depend on no graph input) and the
  // tables of Gather; of several weights the one that is worst off.
  WeightForm Of(const onnx::NodeProto& node) const;
  // An initializer, or made from constants alone.
  bool IsConstant(const std::string& tensor) const;

 private:
  WeightForm FormOf(const std::string& tensor) const;

  const GraphView& view_;
  const QuantPlan& plan_;
  std::unordered_set<std::string> computed_;  // from constants alone
};

}  // namespace ptq
