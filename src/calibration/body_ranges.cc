#include "calibration/body_ranges.h"

#include <limits>
#include <unordered_map>
#include <utility>

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

  // The vector of `graph`, which is the view's graph number next_graph_; size 0: none.
  Part Build(onnx::GraphProto* graph) {
    const int number = next_graph_++;
    std::vector<Part> parts;
    const int nodes = graph->node_size();  // without what is added below
    for (int i = 0; i < nodes; ++i) {
      if (!HoldsBodies(graph->node(i))) continue;
      Part part = BringOut(graph, i);
      if (part.size > 0) parts.push_back(std::move(part));
    }
    for (const std::string& tensor : by_graph_[number]) {
      const Reductions::Pair pair = reductions_.Add(tensor, graph);
      const std::string negated = names_.Make(pair.highest + "_negated");
      AddNode(graph, "Neg", {pair.highest}, negated);
      parts.push_back({pair.lowest, 1});
      parts.push_back({negated, 1});
      order_->push_back(tensor);
    }
    return Join(graph, parts);
  }

 private:
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
