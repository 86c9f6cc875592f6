#include "calibration/body_ranges.h"

#include <limits>
#include <unordered_map>
#include <utility>

#include "calibration/reduction_placer.h"
#include "calibration/reductions.h"
#include "model/attributes.h"
#include "model/node_builder.h"
#include "model/subgraphs.h"
#include "model/tensor_builder.h"

namespace ptq {
namespace {

// A vector that becomes part of a graph's vector, and its length.
struct Part {
  std::string name;
  int64_t size = 0;
};

class RangeVectorBuilder {
 public:
  RangeVectorBuilder(const GraphView& view, const std::vector<std::string>& tensors,
                     onnx::GraphProto* main, std::vector<std::string>* order)
      : main_(main), names_(*main), reductions_(view, &names_, main), order_(order) {
    for (const std::string& tensor : tensors) by_graph_[view.Owner(tensor)].push_back(tensor);
  }

  // The vector of `graph`, which is the view's graph number next_graph_; size 0: none. It has, node
  // by node, what the bodies of the node hold and what it makes.
  Part Build(onnx::GraphProto* graph) {
    const std::vector<std::vector<std::string>> made = ByNode(*graph, by_graph_[next_graph_++]);
    ReductionPlacer placer(&names_, graph);
    int64_t size = 0;
    for (int i = -1; i < graph->node_size(); ++i) {
      if (i >= 0 && HoldsBodies(graph->node(i))) {
        const Part part = BringOut(graph, i);
        if (part.size > 0) placer.Place({part.name}, 1, i);
        size += part.size;
      }
      for (const std::string& tensor : made[static_cast<size_t>(i) + 1]) {
        const Reductions::Pair pair = reductions_.Add(tensor, placer.nodes());
        const std::string negated = names_.Make(pair.highest + "_negated");
        AddNode(placer.nodes(), "Neg", {pair.highest}, negated);
        placer.Place({pair.lowest, negated}, 1, i);
        order_->push_back(tensor);
        size += 2;
      }
    }
    if (size == 0) return {};
    return {placer.Join(), size};
  }

 private:
  // Which of `tensors` come from outside of `graph`, its first node, its second, ….
  static std::vector<std::vector<std::string>> ByNode(const onnx::GraphProto& graph,
                                                      const std::vector<std::string>& tensors) {
    std::unordered_map<std::string, size_t> makers;
    for (int i = 0; i < graph.node_size(); ++i) {
      for (const std::string& output : graph.node(i).output()) {
        makers[output] = static_cast<size_t>(i) + 1;
      }
    }
    std::vector<std::vector<std::string>> by_node(static_cast<size_t>(graph.node_size()) + 1);
    for (const std::string& tensor : tensors) {
      const auto maker = makers.find(tensor);
      by_node[maker == makers.end() ? 0 : maker->second].push_back(tensor);
    }
    return by_node;
  }

  Part Join(onnx::GraphProto* graph, const std::vector<Part>& parts) {
    Part whole;
    std::vector<std::string> inputs;
    for (const Part& part : parts) {
      inputs.push_back(part.name);
      whole.size += part.size;
    }
    if (inputs.empty()) return whole;
    whole.name = names_.Make("ptq_body_ranges");
    SetAttribute(AddNode(graph, "Concat", inputs, whole.name), "axis", int64_t{0});
    return whole;
  }

  // [inf] * size, in the main graph, which bodies can see.
  std::string Unseen(int64_t size) {
    const std::string name = names_.Make("ptq_unseen");
    const std::vector<float> values(static_cast<size_t>(size),
                                    std::numeric_limits<float>::infinity());
    *main_->add_initializer() = FloatTensor(name, std::vector<int64_t>{size}, values);
    return name;
  }

  Part BringOut(onnx::GraphProto* graph, int index) {
    onnx::NodeProto* node = graph->mutable_node(index);
    return node->op_type() == "If" ? BringOutOfBranches(node) : BringOutOfLoop(node);
  }

  static onnx::GraphProto* Body(onnx::NodeProto* node, const char* attribute) {
    for (onnx::AttributeProto& candidate : *node->mutable_attribute()) {
      if (candidate.name() == attribute) return candidate.mutable_g();
    }
    return nullptr;
  }

  Part BringOutOfBranches(onnx::NodeProto* node) {
    std::vector<std::pair<onnx::GraphProto*, Part>> branches;
    ForEachSubgraph(*node,
                    [&](onnx::GraphProto& body) { branches.push_back({&body, Build(&body)}); });
    int64_t size = 0;
    for (const auto& [body, part] : branches) size += part.size;
    if (size == 0) return {};
    int64_t before = 0;
    for (auto& [body, part] : branches) {
      std::vector<Part> parts;
      const int64_t after = size - before - part.size;
      if (before > 0) parts.push_back({Unseen(before), before});
      before += part.size;
      if (part.size > 0) parts.push_back(std::move(part));
      if (after > 0) parts.push_back({Unseen(after), after});
      Declare(body->add_output(), Join(body, parts).name, size);
    }
    Part out{names_.Make("ptq_if_ranges"), size};
    node->add_output(out.name);
    return out;
  }

  // Loop and Scan: one more value that goes from iteration to iteration.
  Part BringOutOfLoop(onnx::NodeProto* node) {
    const bool loop = node->op_type() == "Loop";
    onnx::GraphProto* body = Body(node, "body");
    if (body == nullptr) return {};
    const Part own = Build(body);
    if (own.size == 0) return {};
    // Loop(M, cond, states…): body (iteration, cond, states…) -> (cond, states…, scans…).
    // Scan(states…, scans…): body (states…, scans…) -> (states…, scans…).
    while (loop && node->input_size() < 2) node->add_input("");
    const int states =
        loop ? node->input_size() - 2
             : node->input_size() - static_cast<int>(IntAttribute(*node, "num_scan_inputs", 0));
    const std::string carried = names_.Make("ptq_carried");
    const std::string merged = names_.Make("ptq_merged");
    AddNode(body, "Min", {carried, own.name}, merged);
    Part out{names_.Make("ptq_loop_ranges"), own.size};
    Insert(node->mutable_input(), loop ? states + 2 : states, Unseen(own.size));
    Insert(node->mutable_output(), states, out.name);
    Insert(body->mutable_input(), loop ? states + 2 : states, Declared(carried, own.size));
    Insert(body->mutable_output(), loop ? states + 1 : states, Declared(merged, own.size));
    // scan_input_directions and the other lists of Scan have one entry per scan input or output and
    // none per state, so a new state does not change them.
    return out;
  }

  static void Declare(onnx::ValueInfoProto* value, const std::string& name, int64_t size) {
    value->set_name(name);
    auto* type = value->mutable_type()->mutable_tensor_type();
    type->set_elem_type(onnx::TensorProto::FLOAT);
    type->mutable_shape()->add_dim()->set_dim_value(size);
  }

  static onnx::ValueInfoProto Declared(const std::string& name, int64_t size) {
    onnx::ValueInfoProto value;
    Declare(&value, name, size);
    return value;
  }

  template <typename List, typename Value>
  static void Insert(List* list, int index, Value value) {
    *list->Add() = std::move(value);
    for (int i = list->size() - 1; i > index; --i) list->SwapElements(i, i - 1);
  }

  onnx::GraphProto* main_;
  UniqueNames names_;
  Reductions reductions_;
  std::vector<std::string>* order_;
  std::unordered_map<int, std::vector<std::string>> by_graph_;
  int next_graph_ = 0;
};

}  // namespace

std::string AddRangeVector(const GraphView& view, const std::vector<std::string>& tensors,
                           onnx::GraphProto* graph, std::vector<std::string>* order) {
  return RangeVectorBuilder(view, tensors, graph, order).Build(graph).name;
}

}  // namespace ptq
