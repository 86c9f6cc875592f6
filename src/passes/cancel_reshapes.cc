// Two Reshapes (Flatten, Squeeze, Unsqueeze) that cancel around nodes that work on each element
// alone go.
//
//   before: a = Flatten(x)   b = Mul(a, two)   c = Relu(b)   y = Reshape(c, [-1, 8, 7, 7])
//   after:  b' = Mul(x, two)   y = Relu(b')                   (x is [N,8,7,7])
//
// In between nothing else reads, and other operands are constants of one number. Tensors in between
// get new names, because their shapes are others.
#include <unordered_set>
#include <utility>
#include <vector>

#include "model/node_queries.h"
#include "passes/channel_weights.h"
#include "passes/elementwise.h"
#include "passes/graph_queries.h"
#include "passes/known_values.h"
#include "passes/pass_registry.h"
#include "passes/replace_nodes.h"

namespace ptq {
namespace {

class Canceller {
 public:
  explicit Canceller(PassContext& context)
      : model_(context.model),
        view_(model_.graph()),
        known_(context, view_),
        names_(model_.graph()) {}

  int Run() {
    onnx::GraphProto& graph = model_.graph();
    for (int i = 0; i < graph.node_size(); ++i) Visit(i);
    for (const Pair& pair : pairs_) Apply(pair, &graph);
    NodeEdits edits;
    for (const Pair& pair : pairs_) edits[pair.last] = {};
    ReplaceNodes(&graph, std::move(edits));
    return static_cast<int>(pairs_.size());
  }

 private:
  struct Step {
    int node;
    int input;  // the one that is no constant
  };
  struct Pair {
    int last;                 // node
    std::string source;       // of the first
    std::vector<Step> steps;  // from the last to the first
  };

  void Visit(int last) {
    if (!KeepsElements(view_.node(last))) return;
    Pair pair{last, "", {}};
    std::string tensor = view_.node(last).input(0);
    // Each node is a step of one pair at most: something else would read what it makes.
    for (int made = view_.Producer(tensor); made >= 0; made = view_.Producer(tensor)) {
      if (KeepsElements(view_.node(made))) {
        // The end of another pair goes; behind it, the next round looks again.
        if (!lasts_.contains(made)) pair.source = view_.node(made).input(0);
        break;
      }
      const int input = OnlyReader(view_, tensor) < 0 ? -1 : Operand(view_.node(made));
      if (input < 0) return;
      pair.steps.push_back({made, input});
      tensor = view_.node(made).input(input);
    }
    if (pair.source.empty() || pair.steps.empty()) return;
    const auto from = known_.DimsOf(pair.source);
    const auto to = known_.DimsOf(view_.node(last).output(0));
    if (!from || !to || *from != *to || !Fits(pair, from->size())) return;
    lasts_.insert(last);
    pairs_.push_back(std::move(pair));
  }

  // The only input of an elementwise node that is no constant of one number; -1: there is none, or
  // there are others.
  int Operand(const onnx::NodeProto& node) const {
    if (!IsElementwise(node) || node.output_size() != 1) return -1;
    int operand = -1;
    for (int i = 0; i < node.input_size(); ++i) {
      if (!HasInput(node, i) || IsNumber(node.input(i))) continue;
      if (operand >= 0) return -1;
      operand = i;
    }
    return operand;
  }

  bool IsNumber(const std::string& tensor) const {
    const onnx::TensorProto* constant = ConstantOf(view_, tensor);
    return constant != nullptr && ElementCount(*constant) == 1;
  }

  // Numbers of more dimensions would give theirs to what they are applied to.
  bool Fits(const Pair& pair, size_t rank) const {
    for (const Step& step : pair.steps) {
      const onnx::NodeProto& node = view_.node(step.node);
      for (int i = 0; i < node.input_size(); ++i) {
        if (i == step.input || !HasInput(node, i)) continue;
        const onnx::TensorProto* constant = ConstantOf(view_, node.input(i));
        if (static_cast<size_t>(constant->dims_size()) > rank) return false;
      }
    }
    return true;
  }

  void Apply(const Pair& pair, onnx::GraphProto* graph) {
    std::string tensor = pair.source;
    for (auto step = pair.steps.rbegin(); step != pair.steps.rend(); ++step) {
      onnx::NodeProto* node = graph->mutable_node(step->node);
      node->set_input(step->input, tensor);
      tensor = step + 1 == pair.steps.rend() ? graph->node(pair.last).output(0)
                                             : names_.Make(node->output(0) + "_reshaped");
      node->set_output(0, tensor);
    }
  }

  Model& model_;
  const GraphView view_;
  KnownValues known_;
  UniqueNames names_;
  std::vector<Pair> pairs_;
  std::unordered_set<int> lasts_;
};

}  // namespace

int CancelReshapes(PassContext& context) { return Canceller(context).Run(); }

}  // namespace ptq
