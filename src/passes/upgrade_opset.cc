// Goes through the nodes once; each takes the adapters of its operator between the two opsets, in
// order (opset/adapter_table.cc). The new nodes are collected beside the old graph, so that
// questions about the old one stay answerable and an error leaves the model as it was.
#include "passes/upgrade_opset.h"

#include <exception>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "model/domains.h"
#include "model/find_constant.h"
#include "model/graph_view.h"
#include "model/node_builder.h"
#include "model/node_queries.h"
#include "model/subgraphs.h"
#include "onnx/defs/schema.h"
#include "passes/graph_queries.h"
#include "passes/infer_shapes.h"
#include "passes/ir_version.h"
#include "passes/opset/adapter.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

// The first adapter of the operator after `opset`, up to `target`; null where there is none.
const AdapterRow* NextAdapter(const onnx::NodeProto& node, int64_t opset, int64_t target) {
  static const auto* const by_op = [] {
    auto* rows = new std::unordered_map<std::string_view, std::vector<const AdapterRow*>>();
    for (const AdapterRow& row : AdapterTable()) (*rows)[row.op_type].push_back(&row);
    return rows;
  }();
  if (!IsOnnxDomain(node.domain())) return nullptr;
  const auto rows = by_op->find(node.op_type());
  if (rows == by_op->end()) return nullptr;
  for (const AdapterRow* row : rows->second) {
    if (row->opset > opset && row->opset <= target) return row;
  }
  return nullptr;
}

// What all graphs of the model, or all of one of its functions, share.
struct Shared {
  const Model& model;
  int64_t from;
  int64_t target;
  UniqueNames names;
  Diagnostics diagnostics;
  bool in_function = false;  // where there are no initializers
};

class GraphUpgrader : public UpgradeContext {
 public:
  GraphUpgrader(const onnx::GraphProto& graph, const GraphUpgrader* outer, Shared* shared)
      : view_(graph), outer_(outer), shared_(*shared) {}

  // The graph's nodes in the target opset, and the constants that they need.
  void Run() {
    for (const onnx::NodeProto& node : view_.graph().node()) Upgrade(node, shared_.from);
  }

  // Replaces the nodes of `graph`, the one that was given.
  void Apply(onnx::GraphProto* graph) {
    std::unordered_set<std::string_view> read;
    for (const onnx::NodeProto& node : nodes_)
      read.insert(node.input().begin(), node.input().end());
    for (onnx::TensorProto& tensor : constants_) {
      if (read.contains(tensor.name())) graph->add_initializer()->Swap(&tensor);
    }
    graph->mutable_node()->Clear();
    for (onnx::NodeProto& node : nodes_) graph->add_node()->Swap(&node);
  }

  void Emit(onnx::NodeProto node) override { emitted_.push_back(std::move(node)); }

  std::string AddConstant(onnx::TensorProto tensor) override {
    const std::string name = shared_.names.Make(tensor.name());
    tensor.set_name(name);
    made_.emplace(name, tensor);
    if (outer_ == nullptr && !shared_.in_function) {
      constants_.push_back(std::move(tensor));
      return name;
    }
    onnx::NodeProto node = MakeNode("Constant", {}, {name}, shared_.names.Make(name + "_constant"));
    onnx::AttributeProto* value = node.add_attribute();
    value->set_name("value");
    value->set_type(onnx::AttributeProto::TENSOR);
    value->mutable_t()->Swap(&tensor);
    nodes_.push_back(std::move(node));
    return name;
  }

  std::string UniqueName(const std::string& wanted) override { return shared_.names.Make(wanted); }

  std::optional<std::vector<int64_t>> Dims(std::string_view tensor) const override {
    std::vector<int64_t> dims;
    if (const onnx::TensorProto* constant = Constant(tensor)) {
      dims.assign(constant->dims().begin(), constant->dims().end());
      return dims;
    }
    const GraphUpgrader* owner = Owner(tensor);
    const onnx::ValueInfoProto* info = owner == nullptr ? nullptr : owner->view_.ValueInfo(tensor);
    if (info == nullptr || !info->type().tensor_type().has_shape()) return std::nullopt;
    for (const auto& dim : info->type().tensor_type().shape().dim()) {
      dims.push_back(dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value() : -1);
    }
    return dims;
  }

  int32_t ElementType(std::string_view tensor) const override {
    if (const onnx::TensorProto* constant = Constant(tensor)) return constant->data_type();
    const GraphUpgrader* owner = Owner(tensor);
    return owner == nullptr ? 0 : owner->view_.ElementType(tensor);
  }

  bool IsRead(std::string_view tensor) const override {
    return !view_.Uses(tensor).empty() || view_.IsGraphOutput(tensor);
  }

  std::optional<std::vector<float>> ConstantFloats(std::string_view tensor) const override {
    const onnx::TensorProto* constant = Constant(tensor);
    if (constant == nullptr || constant->data_type() != onnx::TensorProto::FLOAT)
      return std::nullopt;
    return shared_.model.tensors().ReadFloats(*constant);
  }

  bool IsEmptyConstant(std::string_view tensor) const override {
    const onnx::TensorProto* constant = Constant(tensor);
    return constant != nullptr && ElementCount(*constant) == 0;
  }

  Diagnostics& diagnostics() override { return shared_.diagnostics; }

 private:
  void Upgrade(onnx::NodeProto node, int64_t opset) {
    const AdapterRow* row = NextAdapter(node, opset, shared_.target);
    if (row == nullptr) {
      Finish(std::move(node));
      return;
    }
    if (node.input_size() == 0 || node.output_size() == 0) FailUpgrade(node, "is malformed.");
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      if (attribute.ref_attr_name().empty()) continue;
      FailUpgrade(node, "takes \"" + attribute.name() +
                            "\" from the call of its function, so it "
                            "cannot be converted where it is.");
    }
    row->adapt(node, *this);
    for (onnx::NodeProto& next : std::exchange(emitted_, {})) Upgrade(std::move(next), row->opset);
  }

  void Finish(onnx::NodeProto node) {
    ForEachSubgraph(node, [this](onnx::GraphProto& body) {
      const onnx::GraphProto before = body;
      GraphUpgrader inner(before, this, &shared_);
      inner.Run();
      inner.Apply(&body);
    });
    Check(node);
    nodes_.push_back(std::move(node));
  }

  // The target's schema accepts the node.
  void Check(const onnx::NodeProto& node) const {
    if (!IsOnnxDomain(node.domain())) return;
    for (const onnx::FunctionProto& function : shared_.model.proto().functions()) {
      if (function.name() == node.op_type() && IsOnnxDomain(function.domain())) return;
    }
    const auto schema_at = [&](int64_t opset) {
      return onnx::OpSchemaRegistry::Schema(node.op_type(), static_cast<int>(opset), "");
    };
    const std::string target = "opset " + std::to_string(shared_.target);
    const onnx::OpSchema* schema = schema_at(shared_.target);
    if (schema == nullptr) FailUpgrade(node, "has an operator that " + target + " does not have.");
    if (schema == schema_at(shared_.from)) return;
    if (schema->deprecated()) FailUpgrade(node, "has an operator that " + target + " dropped.");
    try {
      schema->Verify(node);
    } catch (const std::exception& error) {
      FailUpgrade(node, "cannot be converted to " + target + ": " + error.what());
    }
  }

  // The graph, this one or one around it, that knows the tensor.
  const GraphUpgrader* Owner(std::string_view tensor) const {
    for (const GraphUpgrader* at = this; at != nullptr; at = at->outer_) {
      const bool defines = at->view_.Producer(tensor) >= 0 || at->view_.IsGraphInput(tensor) ||
                           at->view_.Initializer(tensor) != nullptr;
      if (defines) return at;
    }
    return nullptr;
  }

  // A constant made here, an initializer, or the value of a Constant node.
  const onnx::TensorProto* Constant(std::string_view tensor) const {
    const auto made = made_.find(std::string(tensor));
    if (made != made_.end()) return &made->second;
    const GraphUpgrader* owner = Owner(tensor);
    if (owner == nullptr) return nullptr;
    const int producer = owner->view_.Producer(tensor);
    if (producer < 0) return ConstantOf(owner->view_, tensor);
    return ValueOfConstant(owner->view_.graph().node(producer));
  }

  const GraphView view_;
  const GraphUpgrader* outer_;
  Shared& shared_;
  std::vector<onnx::NodeProto> emitted_;      // by the adapter that is running
  std::vector<onnx::NodeProto> nodes_;        // done
  std::vector<onnx::TensorProto> constants_;  // of the main graph
  std::unordered_map<std::string, onnx::TensorProto> made_;
};

onnx::OperatorSetIdProto* OnnxImport(onnx::FunctionProto* function) {
  for (onnx::OperatorSetIdProto& import : *function->mutable_opset_import()) {
    if (IsOnnxDomain(import.domain())) return &import;
  }
  return nullptr;
}

// The function with its nodes in the target opset; as it is where it has that or a newer one.
onnx::FunctionProto UpgradeFunction(const Model& model, onnx::FunctionProto function,
                                    int64_t target, Diagnostics* diagnostics) {
  onnx::OperatorSetIdProto* const import = OnnxImport(&function);
  if (import == nullptr || import->version() >= target) return function;
  onnx::GraphProto graph;
  graph.mutable_node()->Swap(function.mutable_node());
  graph.mutable_value_info()->CopyFrom(function.value_info());
  for (const std::string& input : function.input()) graph.add_input()->set_name(input);
  for (const std::string& output : function.output()) graph.add_output()->set_name(output);
  Shared shared{model, import->version(), target, UniqueNames(graph), {}, /*in_function=*/true};
  {
    GraphUpgrader upgrader(graph, nullptr, &shared);
    upgrader.Run();
    upgrader.Apply(&graph);
  }
  function.mutable_node()->Swap(graph.mutable_node());
  import->set_version(target);
  diagnostics->insert(diagnostics->end(), shared.diagnostics.begin(), shared.diagnostics.end());
  return function;
}

}  // namespace

void UpgradeGraph(Model& model, int64_t target, Diagnostics& diagnostics) {
  const int64_t from = model.Opset();
  if (from == 0 || from >= target) return;
  InferShapes(model, &diagnostics);  // Softmax asks for the rank, Clip for the type
  Shared shared{model, from, target, UniqueNames(model.graph()), {}};
  {
    GraphUpgrader upgrader(model.graph(), nullptr, &shared);
    upgrader.Run();
    upgrader.Apply(&model.graph());
  }
  model.SetOpset("", target);
  RaiseIrVersion(model, IrVersionOfOpset(target));
  diagnostics.insert(diagnostics.end(), shared.diagnostics.begin(), shared.diagnostics.end());
  InferShapes(model);
}

void UpgradeOpset(Model& model, int64_t target, Diagnostics& diagnostics) {
  if (model.Opset() == 0 || model.Opset() >= target) return;
  google::protobuf::RepeatedPtrField<onnx::FunctionProto> functions;
  for (const onnx::FunctionProto& function : model.proto().functions()) {
    *functions.Add() = UpgradeFunction(model, function, target, &diagnostics);
  }
  UpgradeGraph(model, target, diagnostics);
  model.proto().mutable_functions()->Swap(&functions);
}

void CheckTargetOpset(int64_t target, const Model& model) {
  const int64_t newest =
      onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map().at("").second;
  const std::string what = "target_opset " + std::to_string(target);
  if (target > newest || target < kMinOpset) {
    throw Error(ErrorCode::kInvalidOption, Text() + what + ": known are " +
                                               std::to_string(kMinOpset) + " to " +
                                               std::to_string(newest));
  }
  if (target >= model.Opset()) return;
  throw Error(ErrorCode::kUnsupportedOption, Text() + what + ": the model has opset " +
                                                 std::to_string(model.Opset()) +
                                                 ", and opsets are only raised")
      .WithHint("leave target_opset out, or ask for a newer one");
}

int RaiseToTarget(PassContext& context) {
  const int64_t before = context.model.Opset();
  UpgradeOpset(context.model, context.target_opset, context.diagnostics);
  return context.model.Opset() == before ? 0 : 1;
}

}  // namespace ptq
