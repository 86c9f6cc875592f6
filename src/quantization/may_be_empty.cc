#include "quantization/may_be_empty.h"

#include <algorithm>

#include "model/node_queries.h"
#include "model/subgraphs.h"

namespace ptq {
namespace {

class EmptyFinder {
 public:
  explicit EmptyFinder(const GraphView& view) : view_(view) {
    for (const onnx::ValueInfoProto& input : view.graph().input()) {
      if (view.Initializer(input.name()) == nullptr) valued_.insert(input.name());
    }
    for (int i = 0; i < view.node_count(); ++i) Visit(view.node(i));
  }

  std::unordered_set<std::string> Take() { return std::move(sized_); }

 private:
  void Visit(const onnx::NodeProto& node) {
    const bool asks_shape = IsOp(node, "Shape") || IsOp(node, "Size");
    const bool sized = AnyInput(node, sized_);
    // How many boxes there are is a value of the samples, too.
    const bool valued =
        asks_shape ? sized : AnyInput(node, valued_) || !CapturedNames(node).empty();
    const bool selects = IsOp(node, "NonZero") || IsOp(node, "Unique") || IsOp(node, "Compress");
    bool makes_sized = IsOp(node, "NonMaxSuppression") || (selects && valued) || sized;
    if (asks_shape) makes_sized = false;
    if (IsOp(node, "ScatterND") || IsOp(node, "ScatterElements")) {
      makes_sized = sized_.contains(node.input(0));
    }
    for (const std::string& output : node.output()) {
      if (output.empty()) continue;
      if (valued) valued_.insert(output);
      if (makes_sized && !HasFixedShape(output)) sized_.insert(output);
    }
  }

  static bool AnyInput(const onnx::NodeProto& node, const std::unordered_set<std::string>& of) {
    return std::any_of(node.input().begin(), node.input().end(),
                       [&](const std::string& input) { return of.contains(input); });
  }

  bool HasFixedShape(const std::string& tensor) const {
    const onnx::ValueInfoProto* value = view_.ValueInfo(tensor);
    if (value == nullptr || !value->type().tensor_type().has_shape()) return false;
    const auto& dims = value->type().tensor_type().shape().dim();
    return std::all_of(dims.begin(), dims.end(),
                       [](const auto& dim) { return dim.has_dim_value() && dim.dim_value() > 0; });
  }

  const GraphView& view_;
  std::unordered_set<std::string> valued_;  // depend on values of the samples
  std::unordered_set<std::string> sized_;   // so does their size
};

}  // namespace

std::unordered_set<std::string> TensorsThatMayBeEmpty(const GraphView& view) {
  return EmptyFinder(view).Take();
}

}  // namespace ptq
