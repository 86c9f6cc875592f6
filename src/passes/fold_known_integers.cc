// Integers that are computed of dimensions become constants where these are known, though others of
// the same shape are not.
//
//   before: s = Shape(x)   c = Gather(s, 1)   r = Range(0, c, 1)   (x is [N,64])
//   after:  r = Range(0, c, 1)   <c = 64>
//
// fold_constants evaluates what is constant as a whole; here elements are followed one by one, so
// that it finds more.
#include <algorithm>

#include "model/node_queries.h"
#include "model/tensor_builder.h"
#include "passes/graph_queries.h"
#include "passes/ir_version.h"
#include "passes/known_values.h"
#include "passes/pass_registry.h"

namespace ptq {

int FoldKnownIntegers(PassContext& context) {
  Model& model = context.model;
  onnx::GraphProto& graph = model.graph();
  std::vector<bool> fold(static_cast<size_t>(graph.node_size()), false);
  std::vector<onnx::TensorProto> made;
  {
    const GraphView view(graph);
    KnownValues known(context, view);
    std::vector<std::optional<SmallTensor>> values(fold.size());
    // Without a Shape there is nothing that fold_constants does not see.
    bool shapes = false;
    for (int i = 0; i < graph.node_size(); ++i) {
      const onnx::NodeProto& node = graph.node(i);
      shapes |= IsOp(node, "Shape");
      if (!shapes || !KnownValues::Follows(node) || view.IsGraphOutput(node.output(0))) continue;
      std::optional<SmallTensor> value = known.ValuesOf(node.output(0));
      if (!value || !NumbersOf(value->elements)) continue;
      fold[static_cast<size_t>(i)] = true;
      values[static_cast<size_t>(i)] = std::move(value);
    }
    for (int i = 0; i < graph.node_size(); ++i) {
      if (!fold[static_cast<size_t>(i)]) continue;
      const std::string& name = graph.node(i).output(0);
      bool read = false;
      for (const Use& use : view.Uses(name)) read |= !fold[static_cast<size_t>(use.node)];
      if (!read) continue;
      const SmallTensor& value = *values[static_cast<size_t>(i)];
      const std::vector<int64_t> numbers = *NumbersOf(value.elements);
      std::vector<int64_t> dims;
      if (!value.scalar) dims.push_back(static_cast<int64_t>(numbers.size()));
      made.push_back(IntTensor(name, value.type, dims, numbers));
    }
  }
  RemoveNodes(&graph, fold);
  for (onnx::TensorProto& tensor : made) graph.add_initializer()->Swap(&tensor);
  if (!made.empty()) RaiseIrVersion(model, 4);
  return static_cast<int>(std::count(fold.begin(), fold.end(), true));
}

}  // namespace ptq
