// A Transpose of a Transpose becomes one; one that only moves dimensions of length 1 becomes a
// Reshape.
//
//   before: a = Transpose <perm = [0, 2, 3, 1]>(x)   y = Transpose <perm = [0, 3, 2, 1]>(a)
//   after:  y = Transpose <perm = [0, 1, 3, 2]>(x)
//
//   before: y = Transpose <perm = [0, 3, 1, 2]>(x)   (x is [N, 1, 1, 64])
//   after:  y = Reshape(x, [0, 64, 1, 1])
//
// Where the two cancel, what is left moves nothing and is eliminated as such. The first goes with
// its last reader.
#include <algorithm>
#include <map>
#include <numeric>

#include "model/attributes.h"
#include "model/node_queries.h"
#include "model/tensor_builder.h"
#include "passes/ir_version.h"
#include "passes/known_values.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

using Order = std::vector<int64_t>;

struct MergedTranspose {
  std::string source;
  Order order;  // empty: reversed
};

bool IsPermutation(const Order& order) {
  Order sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i] != static_cast<int64_t>(i)) return false;
  }
  return true;
}

// The order of the two one after the other; nothing where it cannot be told.
std::optional<Order> Compose(Order first, Order second) {
  const size_t rank = std::max(first.size(), second.size());
  if (rank == 0) return std::nullopt;
  for (Order* order : {&first, &second}) {
    if (order->empty()) {
      for (size_t axis = rank; axis > 0; --axis) order->push_back(static_cast<int64_t>(axis) - 1);
    }
    if (order->size() != rank || !IsPermutation(*order)) return std::nullopt;
  }
  Order both;
  for (const int64_t axis : second) both.push_back(first[static_cast<size_t>(axis)]);
  return both;
}

int Merge(onnx::GraphProto* graph) {
  std::map<int, MergedTranspose> edits;
  {
    const GraphView view(*graph);
    for (int i = 0; i < graph->node_size(); ++i) {
      const onnx::NodeProto& node = graph->node(i);
      const int producer = IsOp(node, "Transpose") ? view.Producer(node.input(0)) : -1;
      if (producer < 0 || !IsOp(graph->node(producer), "Transpose")) continue;
      const auto known = edits.find(producer);
      const MergedTranspose first =
          known != edits.end() ? known->second
                               : MergedTranspose{graph->node(producer).input(0),
                                                 IntsAttribute(graph->node(producer), "perm")};
      std::optional<Order> order = Compose(first.order, IntsAttribute(node, "perm"));
      if (order) edits.emplace(i, MergedTranspose{first.source, std::move(*order)});
    }
  }
  for (const auto& [node, edit] : edits) {
    graph->mutable_node(node)->set_input(0, edit.source);
    SetAttribute(graph->mutable_node(node), "perm", edit.order);
  }
  return static_cast<int>(edits.size());
}

// The shape for a Reshape that does the same; nothing where elements change places or dimensions
// are not known.
std::optional<std::vector<int64_t>> AsShape(const Order& order, const Elements& dims) {
  if (order.size() != dims.size() || !IsPermutation(order)) return std::nullopt;
  int64_t last = -1;
  std::vector<int64_t> shape;
  int rests = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    const Element& dim = dims[static_cast<size_t>(order[i])];
    const bool one = dim == Element{1, ""};
    if (!one && order[i] < last) return std::nullopt;
    if (!one) last = order[i];
    if (dim.IsNumber()) {
      if (dim.value == 0) return std::nullopt;
      shape.push_back(dim.value);
    } else if (order[i] == static_cast<int64_t>(i)) {
      shape.push_back(0);
    } else {
      shape.push_back(-1);
      ++rests;
    }
  }
  return rests <= 1 ? std::optional(std::move(shape)) : std::nullopt;
}

int ReplaceByReshapes(PassContext& context) {
  Model& model = context.model;
  onnx::GraphProto& graph = model.graph();
  std::vector<std::pair<int, std::vector<int64_t>>> edits;
  {
    const GraphView view(graph);
    KnownValues known(context, view);
    for (int i = 0; i < graph.node_size(); ++i) {
      const onnx::NodeProto& node = graph.node(i);
      const Order order = IsOp(node, "Transpose") ? IntsAttribute(node, "perm") : Order{};
      if (order.empty() || std::is_sorted(order.begin(), order.end())) continue;
      const auto dims = known.DimsOf(node.input(0));
      auto shape = dims ? AsShape(order, *dims) : std::nullopt;
      if (shape) edits.emplace_back(i, std::move(*shape));
    }
  }
  UniqueNames names(graph);
  for (const auto& [index, shape] : edits) {
    onnx::NodeProto* node = graph.mutable_node(index);
    const std::string name = names.Make(node->output(0) + "_shape");
    const std::vector<int64_t> dims = {static_cast<int64_t>(shape.size())};
    *graph.add_initializer() = IntTensor(name, onnx::TensorProto::INT64, dims, shape);
    node->set_op_type("Reshape");
    node->clear_attribute();
    node->add_input(name);
  }
  if (!edits.empty()) RaiseIrVersion(model, 4);
  return static_cast<int>(edits.size());
}

}  // namespace

int MergeTransposes(PassContext& context) {
  const int merged = Merge(&context.model.graph());
  return merged + ReplaceByReshapes(context);
}

}  // namespace ptq
