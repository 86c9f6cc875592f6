// A Loop of a few iterations, known beforehand, with weights in its body becomes the nodes of its
// iterations.
//
//   before: y = Loop <body = (i, c, v) { w = MatMul(v, W)  => c, w }>(2, , x)
//   after:  w = MatMul(x, W)   y = MatMul(w, W)
//
// So that what is a layer can be quantized as one, each with ranges of its own. The condition has
// to be true for ever. Weights are shared by the iterations; scan outputs are concatenated.
#include <algorithm>
#include <unordered_set>

#include "model/attributes.h"
#include "model/find_constant.h"
#include "model/node_builder.h"
#include "model/node_queries.h"
#include "model/tensor_builder.h"
#include "passes/graph_queries.h"
#include "passes/ir_version.h"
#include "passes/pass_registry.h"
#include "passes/uniquify_names.h"

namespace ptq {
namespace {

using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;
using Renames = std::unordered_map<std::string, std::string>;

constexpr int64_t kMostIterations = 16;
constexpr int64_t kMostUnrolled = 4096;  // of all iterations

std::optional<int64_t> OnlyNumber(const Model& model, const onnx::TensorProto* tensor,
                                  int32_t type) {
  if (tensor == nullptr || tensor->data_type() != type || ElementCount(*tensor) != 1) {
    return std::nullopt;
  }
  return model.tensors().ReadInts(*tensor)[0];
}

// The iterations of a Loop that is to be unrolled; 0 of one that stays.
class Iterations {
 public:
  Iterations(const Model& model, const GraphView& view) : model_(model), view_(view) {}

  int64_t Of(const onnx::NodeProto& node) const {
    if (!IsOp(node, "Loop") || !HasInput(node, 0)) return 0;
    const auto count =
        OnlyNumber(model_, ConstantOf(view_, node.input(0)), onnx::TensorProto::INT64);
    if (!count || *count < 1 || *count > kMostIterations) return 0;
    if (HasInput(node, 1) && !IsTrue(ConstantOf(view_, node.input(1)))) return 0;
    const onnx::AttributeProto* attribute = FindAttribute(node, "body");
    if (attribute == nullptr || !attribute->has_g()) return 0;
    const onnx::GraphProto& body = attribute->g();
    const bool fits =
        body.input_size() == node.input_size() && body.output_size() >= body.input_size() - 1 &&
        node.output_size() <= body.output_size() - 1 && *count * body.node_size() <= kMostUnrolled;
    return fits && HasWeights(body) && GoesOn(body) ? *count : 0;
  }

 private:
  bool IsTrue(const onnx::TensorProto* tensor) const {
    return OnlyNumber(model_, tensor, onnx::TensorProto::BOOL).value_or(0) != 0;
  }

  bool HasWeights(const onnx::GraphProto& body) const {
    const GraphView inside(body);
    for (const onnx::NodeProto& node : body.node()) {
      const bool linear = IsOp(node, "Conv") || IsOp(node, "ConvTranspose") || IsOp(node, "Gemm") ||
                          IsOp(node, "MatMul");
      if (!linear || !HasInput(node, 1)) continue;
      const std::string& weight = node.input(1);
      const int producer = inside.Producer(weight);
      if (producer >= 0
              ? IsOp(inside.node(producer), "Constant")
              : ConstantOf(inside, weight) != nullptr ||
                    (!inside.IsGraphInput(weight) && ConstantOf(view_, weight) != nullptr)) {
        return true;
      }
    }
    return false;
  }

  // Whether the body's condition is true, or what it was.
  bool GoesOn(const onnx::GraphProto& body) const {
    const GraphView inside(body);
    std::string name = body.output(0).name();
    const int producer = inside.Producer(name);
    if (producer >= 0 && IsOp(inside.node(producer), "Identity")) {
      name = inside.node(producer).input(0);
    } else if (producer >= 0) {
      return IsTrue(ValueOfConstant(inside.node(producer)));
    }
    if (name == body.input(1).name()) return true;
    if (inside.Producer(name) >= 0) return false;
    const onnx::TensorProto* here = ConstantOf(inside, name);
    return IsTrue(here != nullptr ? here : ConstantOf(view_, name));
  }

  const Model& model_;
  const GraphView& view_;
};

class Unroller {
 public:
  Unroller(Model& model, UniqueNames* names, Nodes* into)
      : model_(model), names_(*names), into_(*into) {}

  void Unroll(const onnx::NodeProto& node, int64_t count) {
    const onnx::GraphProto& body = FindAttribute(node, "body")->g();
    model_.graph().mutable_initializer()->MergeFrom(body.initializer());
    model_.graph().mutable_sparse_initializer()->MergeFrom(body.sparse_initializer());
    const int variables = body.input_size() - 2;
    std::vector<std::string> values(node.input().begin() + 2, node.input().end());
    std::vector<std::vector<std::string>> scans(
        static_cast<size_t>(body.output_size() - 1 - variables));
    for (int64_t i = 0; i < count; ++i) {
      Renames renames = {{body.input(0).name(), Number(node, onnx::TensorProto::INT64, i)},
                         {body.input(1).name(), Number(node, onnx::TensorProto::BOOL, 1)}};
      for (int v = 0; v < variables; ++v) {
        renames[body.input(v + 2).name()] = values[static_cast<size_t>(v)];
      }
      // The last iteration writes the outputs, as far as they are its own.
      std::unordered_set<std::string> made;
      for (const onnx::NodeProto& inner : body.node()) {
        made.insert(inner.output().begin(), inner.output().end());
      }
      for (int v = 0; i == count - 1 && v < std::min(variables, node.output_size()); ++v) {
        const std::string& name = body.output(v + 1).name();
        if (made.contains(name) && !node.output(v).empty()) renames.emplace(name, node.output(v));
      }
      Copy(body, &renames);
      const auto value = [&](int output) {
        const std::string& name = body.output(output).name();
        const auto found = renames.find(name);
        return found == renames.end() ? name : found->second;
      };
      for (int v = 0; v < variables; ++v) values[static_cast<size_t>(v)] = value(v + 1);
      for (size_t s = 0; s < scans.size(); ++s) {
        scans[s].push_back(value(1 + variables + static_cast<int>(s)));
      }
    }
    for (int o = 0; o < node.output_size(); ++o) {
      if (node.output(o).empty()) continue;
      if (o >= variables) {
        Stack(scans[static_cast<size_t>(o - variables)], node.output(o));
      } else if (values[static_cast<size_t>(o)] != node.output(o)) {
        Add("Identity", {values[static_cast<size_t>(o)]}, node.output(o));
      }
    }
  }

 private:
  onnx::NodeProto* Add(const std::string& op_type, const std::vector<std::string>& inputs,
                       const std::string& output) {
    onnx::NodeProto* node = into_.Add();
    *node = MakeNode(op_type, inputs, {output}, names_.Make(output + "_" + op_type));
    return node;
  }

  // A scalar of that value, once a model.
  std::string Number(const onnx::NodeProto& node, int32_t type, int64_t value) {
    std::string& name = numbers_[std::to_string(type) + ":" + std::to_string(value)];
    if (name.empty()) {
      name =
          names_.Make(node.output(0) + (type == onnx::TensorProto::BOOL ? "_true" : "_iteration"));
      const std::vector<int64_t> scalar;
      *model_.graph().add_initializer() =
          IntTensor(name, type, scalar, std::vector<int64_t>{value});
    }
    return name;
  }

  // The nodes of one iteration. Adds the names that their outputs get.
  void Copy(const onnx::GraphProto& body, Renames* renames) {
    onnx::GraphProto copy;
    copy.mutable_node()->CopyFrom(body.node());
    for (onnx::NodeProto& node : *copy.mutable_node()) {
      for (std::string& output : *node.mutable_output()) {
        if (output.empty()) continue;
        const auto [renamed, added] = renames->emplace(output, "");
        if (added) renamed->second = names_.Make(output);
        output = renamed->second;
      }
      if (!node.name().empty()) node.set_name(names_.Make(node.name()));
    }
    RenameReads(&copy, *renames);
    for (onnx::NodeProto& node : *copy.mutable_node()) into_.Add()->Swap(&node);
  }

  void Stack(const std::vector<std::string>& parts, const std::string& output) {
    std::vector<std::string> rows;
    for (const std::string& part : parts) {
      rows.push_back(names_.Make(output + "_row"));
      if (model_.Opset() < 13) {
        SetAttribute(Add("Unsqueeze", {part}, rows.back()), "axes", std::vector<int64_t>{0});
        continue;
      }
      if (axes_.empty()) {
        axes_ = names_.Make(output + "_axes");
        const std::vector<int64_t> dims = {1};
        *model_.graph().add_initializer() =
            IntTensor(axes_, onnx::TensorProto::INT64, dims, std::vector<int64_t>{0});
      }
      Add("Unsqueeze", {part, axes_}, rows.back());
    }
    SetAttribute(Add("Concat", rows, output), "axis", int64_t{0});
  }

  Model& model_;
  UniqueNames& names_;
  Nodes& into_;
  std::unordered_map<std::string, std::string> numbers_;
  std::string axes_;
};

}  // namespace

int UnrollLoop(PassContext& context) {
  Model& model = context.model;
  onnx::GraphProto& graph = model.graph();
  std::unordered_map<int, int64_t> loops;
  {
    const GraphView view(graph);
    const Iterations iterations(model, view);
    for (int i = 0; i < graph.node_size(); ++i) {
      const int64_t count = iterations.Of(graph.node(i));
      if (count > 0) loops.emplace(i, count);
    }
  }
  if (loops.empty()) return 0;
  UniquifyNames(model);
  UniqueNames names(graph);
  Nodes nodes;
  Unroller unroller(model, &names, &nodes);
  for (int i = 0; i < graph.node_size(); ++i) {
    const auto found = loops.find(i);
    if (found == loops.end()) {
      nodes.Add()->Swap(graph.mutable_node(i));
    } else {
      unroller.Unroll(graph.node(i), found->second);
    }
  }
  graph.mutable_node()->Swap(&nodes);
  RaiseIrVersion(model, 4);
  return static_cast<int>(loops.size());
}

}  // namespace ptq
