// Reshape, Flatten, Squeeze and Unsqueeze in a row become one Reshape, or nothing.
//
//   before: a = Unsqueeze(x, [2])   b = Squeeze(a, [2])   y = Relu(b)       after: y = Relu(x)
//   before: a = Flatten(x)   y = Reshape(a, [-1, 8, 8])          after: y = Reshape(x, [-1, 8, 8])
//   before: a = Unsqueeze(x, [3])   y = Unsqueeze(a, [4])   (x is [N,3,8])
//   after:  y = Reshape(x, [0, 3, 8, 1, 1])
//
// The shape of the last one has to be known, up to dimensions that x has at the same place and one
// other. What is in between goes with its last reader; as long as something else reads it, only
// what gives x itself is changed.
#include <algorithm>
#include <map>
#include <optional>

#include "model/attributes.h"
#include "model/node_queries.h"
#include "model/tensor_builder.h"
#include "passes/bypass_nodes.h"
#include "passes/channel_weights.h"
#include "passes/graph_queries.h"
#include "passes/ir_version.h"
#include "passes/known_values.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

class Merger {
 public:
  explicit Merger(PassContext& context)
      : model_(context.model),
        view_(model_.graph()),
        known_(context, view_),
        names_(model_.graph()) {}

  int Run() {
    onnx::GraphProto& graph = model_.graph();
    for (int i = 0; i < graph.node_size(); ++i) Visit(i);
    for (const auto& [index, edit] : edits_) {
      onnx::NodeProto* node = graph.mutable_node(index);
      node->set_op_type(edit.shape ? "Reshape" : "Identity");
      node->clear_attribute();
      node->clear_input();
      node->add_input(edit.source);
      if (!edit.shape) continue;
      const std::string name = names_.Make(node->output(0) + "_shape");
      const std::vector<int64_t> dims = {static_cast<int64_t>(edit.shape->size())};
      *graph.add_initializer() = IntTensor(name, onnx::TensorProto::INT64, dims, *edit.shape);
      node->add_input(name);
      RaiseIrVersion(model_, 4);
    }
    return static_cast<int>(edits_.size());
  }

 private:
  struct Edit {
    std::string source;
    std::optional<std::vector<int64_t>> shape;  // none: the source as it is
  };

  void Visit(int index) {
    const onnx::NodeProto& node = view_.node(index);
    if (!KeepsElements(node)) return;
    const int producer = view_.Producer(node.input(0));
    if (producer < 0 || !KeepsElements(view_.node(producer))) return;
    const onnx::NodeProto& first = view_.node(producer);
    const auto edited = edits_.find(producer);
    const std::string source = edited == edits_.end() ? first.input(0) : edited->second.source;
    const bool direct = edited == edits_.end();
    if ((direct && Cancel(first, node)) || GivesBack(node, source)) {
      // Identity from a graph input to an output would stay.
      const bool stays = view_.IsGraphOutput(node.output(0)) &&
                         (view_.Producer(source) < 0 || view_.IsGraphOutput(source));
      if (!stays) edits_.emplace(index, Edit{source, std::nullopt});
      return;
    }
    if (OnlyReader(view_, node.input(0)) < 0) return;
    if (auto shape = ShapeOf(node, source)) edits_.emplace(index, Edit{source, std::move(shape)});
  }

  // Squeeze and Unsqueeze of the same axes: both go by the rank of the longer shape.
  bool Cancel(const onnx::NodeProto& first, const onnx::NodeProto& second) {
    const bool pair = (IsOp(first, "Unsqueeze") && IsOp(second, "Squeeze")) ||
                      (IsOp(first, "Squeeze") && IsOp(second, "Unsqueeze"));
    if (!pair) return false;
    const auto there = AxesOf(first, &known_);
    const auto back = AxesOf(second, &known_);
    return there && back && !there->empty() && *there == *back;
  }

  bool GivesBack(const onnx::NodeProto& node, const std::string& source) {
    const auto from = known_.DimsOf(source);
    const auto to = known_.DimsOf(node.output(0));
    return from && to && *from == *to;
  }

  std::optional<std::vector<int64_t>> ShapeOf(const onnx::NodeProto& node,
                                              const std::string& source) {
    if (IsOp(node, "Reshape") && HasInput(node, 1)) {
      auto given = NumbersOf(known_.ElementsOf(node.input(1)));
      const bool absolute = given && std::find(given->begin(), given->end(), 0) == given->end();
      if (absolute) return given;
    }
    const auto from = known_.DimsOf(source);
    const auto to = known_.DimsOf(node.output(0));
    if (!from || !to) return std::nullopt;
    std::vector<int64_t> shape;
    int rests = 0;
    for (size_t i = 0; i < to->size(); ++i) {
      const Element& dim = (*to)[i];
      if (dim.IsNumber()) {
        if (dim.value == 0) return std::nullopt;
        shape.push_back(dim.value);
      } else if (i < from->size() && (*from)[i] == dim) {
        shape.push_back(0);
      } else {
        shape.push_back(-1);
        ++rests;
      }
    }
    return rests <= 1 ? std::optional(std::move(shape)) : std::nullopt;
  }

  Model& model_;
  const GraphView view_;
  KnownValues known_;
  UniqueNames names_;
  std::map<int, Edit> edits_;  // by node
};

}  // namespace

int MergeReshapes(PassContext& context) {
  const int merged = Merger(context).Run();
  if (merged > 0) {
    BypassNodes(&context.model.graph(), [](const onnx::NodeProto& node, const GraphView&) {
      return IsOp(node, "Identity");
    });
  }
  return merged;
}

}  // namespace ptq
