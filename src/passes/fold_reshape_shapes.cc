// The computed shape of a Reshape or Expand, and the computed ends of a Slice, become constants
// where they copy dimensions of the data.
//
//   before: n = Gather(Shape(x), 0)   t = Concat(Unsqueeze(n), [-1])   y = Reshape(x, t)
//   after:  y = Reshape(x, [0, -1])
//
// 0 in the shape of a Reshape means "as in the data" (allowzero = 0), and one element may be -1,
// what is left, whatever it is; 1 in that of an Expand leaves a dimension alone; a Slice may end
// beyond the last element. That is how exporters write x.view(x.shape[0], -1) for a batch of any
// size; shape inference gives up on the long form and knows the rank with the short one.
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "model/attributes.h"
#include "model/graph_view.h"
#include "model/node_queries.h"
#include "model/tensor_builder.h"
#include "passes/ir_version.h"
#include "passes/known_values.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

using Numbers = std::optional<std::vector<int64_t>>;

// Nothing where two elements are neither numbers nor the data's own dimensions at their places.
Numbers AsReshape(const Elements& shape, const Elements& data) {
  std::vector<int64_t> numbers;
  int rests = 0;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i].IsNumber()) {
      numbers.push_back(shape[i].value);
    } else if (i < data.size() && data[i] == shape[i]) {
      numbers.push_back(0);
    } else {
      numbers.push_back(-1);
    }
    rests += numbers.back() == -1 ? 1 : 0;
  }
  return rests <= 1 ? Numbers(std::move(numbers)) : std::nullopt;
}

Numbers AsExpand(const Elements& shape, const Elements& data) {
  std::vector<int64_t> numbers;
  for (size_t i = 0; i < shape.size(); ++i) {
    const size_t behind = shape.size() - i;  // both end at the last dimension
    if (shape[i].IsNumber()) {
      numbers.push_back(shape[i].value);
    } else if (behind <= data.size() && data[data.size() - behind] == shape[i]) {
      numbers.push_back(1);
    } else {
      return std::nullopt;
    }
  }
  return numbers;
}

Numbers AsEnds(const SliceArguments& slice, const Elements& data) {
  const auto rank = static_cast<int64_t>(data.size());
  std::vector<int64_t> numbers;
  for (size_t i = 0; i < slice.ends.size(); ++i) {
    const int64_t axis = slice.axes[i] < 0 ? slice.axes[i] + rank : slice.axes[i];
    if (axis < 0 || axis >= rank) return std::nullopt;
    if (slice.ends[i].IsNumber()) {
      numbers.push_back(slice.ends[i].value);
    } else if (slice.steps[i] > 0 && slice.ends[i] == data[static_cast<size_t>(axis)]) {
      numbers.push_back(std::numeric_limits<int64_t>::max());
    } else {
      return std::nullopt;
    }
  }
  return numbers;
}

// Which input may be folded; -1 where none.
int ComputedInput(const Model& model, const GraphView& view, const onnx::NodeProto& node) {
  int input = -1;
  if (IsOp(node, "Reshape") && IntAttribute(node, "allowzero", 0) == 0) input = 1;
  if (IsOp(node, "Expand")) input = 1;
  if (IsOp(node, "Slice") && model.Opset() >= 10) input = 2;
  return input > 0 && HasInput(node, input) && view.Producer(node.input(input)) >= 0 ? input : -1;
}

Numbers Folded(const Model& model, const onnx::NodeProto& node, int input, KnownValues* known) {
  const std::optional<SmallTensor> values = known->ValuesOf(node.input(input));
  if (!values || values->scalar) return std::nullopt;
  const std::optional<Elements> data = known->DimsOf(node.input(0));
  if (!data) return std::nullopt;
  if (IsOp(node, "Reshape")) return AsReshape(values->elements, *data);
  if (IsOp(node, "Expand")) return AsExpand(values->elements, *data);
  // The four inputs of a Slice have one type.
  const auto slice = SliceArgumentsOf(node, model.Opset(), known);
  const bool fits = slice && values->type == onnx::TensorProto::INT64;
  return fits ? AsEnds(*slice, *data) : std::nullopt;
}

}  // namespace

int FoldReshapeShapes(PassContext& context) {
  Model& model = context.model;
  onnx::GraphProto& graph = model.graph();
  struct Edit {
    int node;
    int input;
    std::vector<int64_t> numbers;
  };
  std::vector<Edit> edits;
  {
    const GraphView view(graph);
    KnownValues known(context, view);
    for (int i = 0; i < graph.node_size(); ++i) {
      const int input = ComputedInput(model, view, graph.node(i));
      if (input < 0) continue;
      Numbers numbers = Folded(model, graph.node(i), input, &known);
      if (numbers) edits.push_back({i, input, std::move(*numbers)});
    }
  }
  UniqueNames names(graph);
  for (const auto& [node, input, numbers] : edits) {
    const char* suffix = input == 1 ? "_shape" : "_ends";
    const std::string name = names.Make(graph.node(node).output(0) + suffix);
    const std::vector<int64_t> dims = {static_cast<int64_t>(numbers.size())};
    *graph.add_initializer() = IntTensor(name, onnx::TensorProto::INT64, dims, numbers);
    graph.mutable_node(node)->set_input(input, name);
  }
  if (!edits.empty()) RaiseIrVersion(model, 4);
  return static_cast<int>(edits.size());
}

}  // namespace ptq
