#include "quantization/weight_form.h"

#include <algorithm>

#include "model/domains.h"
#include "model/subgraphs.h"
#include "quantization/plan_context.h"

namespace ptq {

std::string_view WeightFormName(WeightForm form) {
  switch (form) {
    case WeightForm::kNone:
      return "";
    case WeightForm::kQuantized:
      return "quantized";
    case WeightForm::kFloat:
      return "float";
    case WeightForm::kComputed:
      return "computed";
  }
  return "";
}

WeightForms::WeightForms(const GraphView& view, const QuantPlan& plan) : view_(view), plan_(plan) {
  for (int i = 0; i < view.node_count(); ++i) {
    const onnx::NodeProto& node = view.node(i);
    // What has no inputs and is no Constant draws random numbers.
    const bool constant =
        !HoldsBodies(node) && (node.input_size() > 0 || node.op_type() == "Constant") &&
        std::all_of(node.input().begin(), node.input().end(), [this](const std::string& input) {
          return input.empty() || IsConstant(input);
        });
    if (constant) computed_.insert(node.output().begin(), node.output().end());
  }
}

WeightForm WeightForms::Of(const onnx::NodeProto& node) const {
  if (!IsOnnxDomain(node.domain())) return WeightForm::kNone;
  const std::string& type = node.op_type();
  const bool multiplies = type == "Gemm" || type == "MatMul";
  const bool convolves = type == "Conv" || type == "ConvTranspose";
  if (!multiplies && !convolves && type != "Gather") return WeightForm::kNone;
  WeightForm worst = WeightForm::kNone;
  const int first = convolves ? 1 : 0;
  const int last = type == "Gather" ? 0 : 1;
  for (int i = first; i <= last && i < node.input_size(); ++i) {
    if (IsConstant(node.input(i))) worst = std::max(worst, FormOf(node.input(i)));
  }
  return worst;
}

WeightForm WeightForms::FormOf(const std::string& tensor) const {
  if (IsDequantizedConstant(view_, tensor)) return WeightForm::kQuantized;
  if (view_.Initializer(tensor) == nullptr) return WeightForm::kComputed;
  const TensorPlan* planned = plan_.Find(tensor);
  return planned != nullptr && planned->role == TensorRole::kInitializer ? WeightForm::kQuantized
                                                                         : WeightForm::kFloat;
}

bool WeightForms::IsConstant(const std::string& tensor) const {
  return view_.Initializer(tensor) != nullptr || computed_.contains(tensor);
}

}  // namespace ptq
