// Operators that are spelled out in several nodes become one, where the model's opset has it.
//
//   before: d = Sub(x, ReduceMean(x))   v = ReduceMean(Mul(d, d))   n = Div(d, Sqrt(Add(v, eps)))
//           y = Add(Mul(n, scale), bias)
//   after:  y = LayerNormalization(x, scale, bias)
//
// The same for RMSNormalization, Gelu, Swish, HardSwish and LpNormalization (src/patterns). Whoever
// names one of the nodes to exclude it names the one that they became.
#include "passes/pass_registry.h"
#include "patterns/pattern.h"

namespace ptq {

namespace {

// The name of the one node: that of the last, or of the first that has one.
std::string NameOf(const onnx::GraphProto& graph, const Pattern& pattern) {
  const std::string& last = graph.node(pattern.nodes.back()).name();
  if (!last.empty()) return last;
  for (const int node : pattern.nodes) {
    if (!graph.node(node).name().empty()) return graph.node(node).name();
  }
  return "";
}

}  // namespace

int FusePatterns(PassContext& context) {
  onnx::GraphProto& graph = context.model.graph();
  const int64_t opset = context.model.Opset();
  const GraphView& shapes = context.types.Of(context.model);
  std::vector<Pattern> patterns = FindPatterns(context.model, GraphView(graph), shapes);
  std::erase_if(patterns,
                [&](const Pattern& pattern) { return !pattern.node || opset < pattern.min_opset; });
  std::vector<bool> remove(static_cast<size_t>(graph.node_size()), false);
  for (Pattern& pattern : patterns) {
    const std::string name = NameOf(graph, pattern);
    pattern.node->set_name(name);
    for (const int node : pattern.nodes) {
      if (!graph.node(node).name().empty()) {
        context.inlined[graph.node(node).name()].push_back(name);
      }
      remove[static_cast<size_t>(node)] = true;
    }
    remove[static_cast<size_t>(pattern.nodes.back())] = false;
    graph.mutable_node(pattern.nodes.back())->Swap(&*pattern.node);
  }
  RemoveNodes(&graph, remove);
  return static_cast<int>(patterns.size());
}

}  // namespace ptq
