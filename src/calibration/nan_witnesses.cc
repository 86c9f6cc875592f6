#include "calibration/nan_witnesses.h"

#include <algorithm>
#include <ranges>

#include "model/attributes.h"
#include "model/node_queries.h"

namespace ptq {
namespace {

// `values`, or ones where the attribute is left out.
int64_t At(const std::vector<int64_t>& values, size_t axis) {
  return axis < values.size() ? values[axis] : 1;
}

// Whether windows leave out no value of a Conv's input, whatever its size (ONNX operators, Conv):
// they overlap or touch, and as many values of padding follow the last as a window may fall short.
bool ReadsEveryValue(const onnx::NodeProto& conv) {
  const std::vector<int64_t> kernel = IntsAttribute(conv, "kernel_shape");
  const std::vector<int64_t> strides = IntsAttribute(conv, "strides");
  const std::vector<int64_t> dilations = IntsAttribute(conv, "dilations");
  const std::vector<int64_t> pads = IntsAttribute(conv, "pads");
  const std::string auto_pad = StringAttribute(conv, "auto_pad", "NOTSET");
  const bool is_same = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER";
  for (size_t axis = 0; axis < std::max(strides.size(), dilations.size()); ++axis) {
    if (At(dilations, axis) != 1) return false;
    const int64_t stride = At(strides, axis);
    if (stride == 1) continue;
    if (axis >= kernel.size() || kernel[axis] < stride) return false;
    const size_t end = kernel.size() + axis;
    const int64_t padding = auto_pad == "NOTSET" && end < pads.size() ? pads[end] : 0;
    if (!is_same && padding < stride - 1) return false;
  }
  return true;
}

// Whether output 0 holds NaN wherever the input does. Not so: what compares (Relu, Clip, MaxPool),
// and what clamps before it looks a value up (Sigmoid, Softmax).
bool CarriesNan(const onnx::NodeProto& node, int input) {
  for (const char* op_type : {"Add", "Sub", "Mul", "Div", "Concat", "MatMul"}) {
    if (IsOp(node, op_type)) return true;
  }
  if (input != 0) return false;
  if (IsOp(node, "Gemm")) return FloatAttribute(node, "alpha", 1) != 0;
  return IsOp(node, "Conv") && ReadsEveryValue(node);
}

}  // namespace

std::unordered_set<std::string> FindWitnessed(const GraphView& view,
                                              const std::vector<std::string>& tensors) {
  const std::unordered_set<std::string> observed(tensors.begin(), tensors.end());
  std::unordered_set<std::string> witnessed;
  for (const std::string& tensor : std::ranges::reverse_view(tensors)) {
    const std::vector<Use>& uses = view.Uses(tensor);
    const bool has_witness = std::any_of(uses.begin(), uses.end(), [&](const Use& use) {
      const onnx::NodeProto& node = view.node(use.node);
      if (use.input < 0 || node.output_size() == 0) return false;
      const std::string& output = node.output(0);
      if (use.input == 0 && MovesValues(node)) return witnessed.contains(output);
      return observed.contains(output) && CarriesNan(node, use.input);
    });
    if (has_witness) witnessed.insert(tensor);
  }
  return witnessed;
}

}  // namespace ptq
