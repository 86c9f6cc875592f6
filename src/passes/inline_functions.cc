// Calls of the model's own functions are replaced by what the functions do.
//
//   before: y = local.Block(x, w)   Block(a, b) { c = Conv(a, b)   z = Relu(c) }
//   after:  c' = Conv(x, w)   y = Relu(c')
//
// Passes and planners go by op type and see nothing in a call. Calls inside of functions and of
// bodies are replaced too. Tensors and nodes of a function get the name of the call in front;
// attributes that refer to the call's take its value, or the function's default. A large constant
// of a function becomes one initializer, however often the function is called. Rules: ONNX IR
// specification, "Functions" (onnx/docs/IR.md).
#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/error.h"
#include "model/attributes.h"
#include "model/domains.h"
#include "model/graph_view.h"
#include "model/node_builder.h"
#include "model/node_queries.h"
#include "model/subgraphs.h"
#include "model/topological_sort.h"
#include "onnx/defs/schema.h"
#include "passes/ir_version.h"
#include "passes/pass_registry.h"
#include "passes/upgrade_opset.h"

namespace ptq {
namespace {

using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;
using Names = std::unordered_map<std::string, std::string>;

constexpr uint64_t kMostInlined = 1 << 20;  // functions that call each other grow as 2^n

std::string KeyOf(const std::string& domain, const std::string& name, const std::string& overload) {
  return (IsOnnxDomain(domain) ? "" : domain) + '\n' + name + '\n' + overload;
}

std::string KeyOf(const onnx::NodeProto& node) {
  return KeyOf(node.domain(), node.op_type(), node.overload());
}

// Calls `visit` with the nodes and, before each, with those of its bodies.
template <typename Visit>
void ForEachNode(const Nodes& nodes, const Visit& visit) {
  for (const onnx::NodeProto& node : nodes) {
    ForEachSubgraph(node, [&](const onnx::GraphProto& body) { ForEachNode(body.node(), visit); });
    visit(node);
  }
}

int64_t VersionOf(const onnx::FunctionProto& function, const std::string& domain) {
  for (const onnx::OperatorSetIdProto& import : function.opset_import()) {
    const bool both_onnx = IsOnnxDomain(import.domain()) && IsOnnxDomain(domain);
    if (both_onnx || import.domain() == domain) return import.version();
  }
  return 0;
}

// Whether every ONNX operator of the function means the same in the two opsets.
bool MeansTheSame(const onnx::FunctionProto& function, int64_t opset, int64_t other) {
  bool same = true;
  ForEachNode(function.node(), [&](const onnx::NodeProto& node) {
    if (!IsOnnxDomain(node.domain())) return;
    const auto schema = [&](int64_t version) {
      return onnx::OpSchemaRegistry::Schema(node.op_type(), static_cast<int>(version), "");
    };
    same &= schema(opset) == schema(other);
  });
  return same;
}

class Inliner {
 public:
  explicit Inliner(PassContext& context) : context_(context), model_(context.model) {
    for (const onnx::FunctionProto& function : model_.proto().functions()) {
      const std::string key = KeyOf(function.domain(), function.name(), function.overload());
      functions_.emplace(key, function);
    }
  }

  int Run() {
    if (functions_.empty() || !Expandable()) return 0;
    Adapt();
    UniqueNames names(model_.graph());
    names_ = &names;
    InlineInto(&model_.graph());
    if (calls_ == 0) return 0;
    for (onnx::TensorProto& tensor : constants_) model_.graph().add_initializer()->Swap(&tensor);
    if (!constants_.empty()) RaiseIrVersion(model_, 4);
    ImportDomains();
    if (all_) model_.proto().clear_functions();  // else one that stays may call others
    // The nodes of a function need not be in order.
    if (!IsTopologicallySorted(model_.graph())) TopologicalSort(&model_.graph());
    return calls_;
  }

 private:
  // One call: what the function's names and attributes stand for.
  struct Call {
    const onnx::FunctionProto& function;
    const onnx::NodeProto& node;
    std::string prefix;
    Names names;
  };

  const onnx::FunctionProto* Find(const onnx::NodeProto& node) const {
    const auto found = functions_.find(KeyOf(node));
    return found == functions_.end() ? nullptr : &found->second;
  }

  void Leave(const std::string& function, const std::string& why) {
    context_.diagnostics.push_back(
        {Severity::kWarning, "FUNCTION_NOT_INLINED",
         Text("The model's own function '") + function + "' was not inlined: " + why, "", "",
         "Its calls stay float. Inline it with onnx.inliner, or export the model without it."});
  }

  // Nodes that a call becomes, at most kMostInlined + 1. Throws for functions that call themselves.
  uint64_t SizeOf(const std::string& key, std::unordered_map<std::string, uint64_t>* sizes) {
    constexpr uint64_t kOpen = ~uint64_t{0};
    const auto [entry, added] = sizes->emplace(key, kOpen);
    if (!added && entry->second == kOpen) {
      throw Error(ErrorCode::kInvalidModel, Text("The function '") + functions_.at(key).name() +
                                                "' of the model calls itself.");
    }
    if (!added) return entry->second;
    const uint64_t size = SizeOf(functions_.at(key).node(), sizes);
    (*sizes)[key] = size;
    return size;
  }

  uint64_t SizeOf(const Nodes& nodes, std::unordered_map<std::string, uint64_t>* sizes) {
    uint64_t size = 0;
    ForEachNode(nodes, [&](const onnx::NodeProto& node) {
      size += Find(node) == nullptr ? 1 : SizeOf(KeyOf(node), sizes);
      size = std::min(size, kMostInlined + 1);
    });
    return size;
  }

  // Forgets the functions that are not called.
  bool Expandable() {
    std::unordered_map<std::string, uint64_t> sizes;
    const uint64_t nodes = SizeOf(model_.graph().node(), &sizes);
    std::erase_if(functions_, [&](const auto& entry) { return !sizes.contains(entry.first); });
    if (functions_.empty()) return false;
    if (nodes <= kMostInlined) return true;
    Leave(functions_.begin()->second.name(),
          "all calls together become more than " + std::to_string(kMostInlined) + " nodes.");
    return false;
  }

  // Functions of another ai.onnx opset than the model's, where an operator changed in between: the
  // older of the two is converted.
  void Adapt() {
    int64_t newest = model_.Opset();
    if (newest == 0) return;
    for (const auto& [key, function] : functions_) {
      const int64_t opset = VersionOf(function, "");
      if (opset > newest && !MeansTheSame(function, opset, newest)) newest = opset;
    }
    if (newest > model_.Opset()) {
      try {
        UpgradeGraph(model_, newest, context_.diagnostics);
      } catch (const Error&) {
        all_ = false;  // the model stays as it is, and so do the calls of what is newer
      }
    }
    for (auto entry = functions_.begin(); entry != functions_.end();) {
      const bool fits = Fits(&entry->second);
      all_ &= fits;
      entry = fits ? std::next(entry) : functions_.erase(entry);
    }
  }

  // Converts the function to the model's opset where it has to be.
  bool Fits(onnx::FunctionProto* function) {
    const int64_t opset = VersionOf(*function, "");
    const int64_t wanted = model_.Opset();
    if (opset == 0 || opset == wanted || MeansTheSame(*function, opset, wanted)) return true;
    const std::string from = "it is of opset " + std::to_string(opset);
    if (opset > wanted) {
      Leave(function->name(), from + ", newer than the model's.");
      return false;
    }
    bool refers = false;
    ForEachNode(function->node(), [&](const onnx::NodeProto& node) {
      for (const onnx::AttributeProto& attribute : node.attribute()) {
        refers |= !attribute.ref_attr_name().empty();
      }
    });
    if (refers) {  // adapters look at values
      Leave(function->name(), from + " and takes attributes.");
      return false;
    }
    onnx::ModelProto proto;
    proto.set_ir_version(model_.proto().ir_version());
    proto.mutable_graph()->mutable_node()->CopyFrom(function->node());
    for (const std::string& input : function->input())
      proto.mutable_graph()->add_input()->set_name(input);
    for (const std::string& output : function->output())
      proto.mutable_graph()->add_output()->set_name(output);
    Model body(std::move(proto), model_.tensors().files());
    body.SetOpset("", opset);
    try {
      UpgradeOpset(body, wanted, context_.diagnostics);
    } catch (const Error& error) {
      Leave(function->name(), from + ". " + error.what());
      return false;
    }
    function->clear_node();
    for (onnx::TensorProto& tensor : *body.graph().mutable_initializer()) {
      onnx::NodeProto* node = function->add_node();
      *node = MakeNode("Constant", {}, {tensor.name()}, tensor.name());
      onnx::AttributeProto* value = node->add_attribute();
      value->set_name("value");
      value->set_type(onnx::AttributeProto::TENSOR);
      value->mutable_t()->Swap(&tensor);
    }
    function->mutable_node()->MergeFrom(body.graph().node());
    return true;
  }

  void InlineInto(onnx::GraphProto* graph) {
    Nodes before;
    before.Swap(graph->mutable_node());
    graph->mutable_node()->Reserve(before.size());
    for (onnx::NodeProto& node : before) Emit(&node, graph->mutable_node());
  }

  void Emit(onnx::NodeProto* node, Nodes* into) {
    const onnx::FunctionProto* function = Find(*node);
    if (function != nullptr) {
      Expand(*function, *node, into);
      return;
    }
    ForEachSubgraph(*node, [this](onnx::GraphProto& body) { InlineInto(&body); });
    if (!call_.empty()) context_.inlined[call_].push_back(node->name());
    into->Add()->Swap(node);
  }

  void Expand(const onnx::FunctionProto& function, const onnx::NodeProto& node, Nodes* into) {
    ++calls_;
    const bool outermost = depth_++ == 0;
    if (outermost) call_ = node.name();
    Call call{function, node, node.name(), {}};
    if (call.prefix.empty())
      call.prefix = node.output_size() > 0 ? node.output(0) : function.name();
    for (int i = 0; i < function.input_size(); ++i) {
      call.names[function.input(i)] = i < node.input_size() ? node.input(i) : "";
    }
    // An output that is an input, or that is listed twice, has no node of its own.
    std::vector<std::pair<std::string, std::string>> copies;
    for (int i = 0; i < function.output_size() && i < node.output_size(); ++i) {
      if (node.output(i).empty()) continue;
      const auto [known, added] = call.names.emplace(function.output(i), node.output(i));
      if (!added) copies.emplace_back(known->second, node.output(i));
    }
    // All names first: the nodes of a function need not be in order.
    std::vector<const onnx::NodeProto*> nodes;
    for (const onnx::NodeProto& inner : function.node()) {
      if (Share(inner, &call)) continue;
      nodes.push_back(&inner);
      for (const std::string& output : inner.output()) Define(output, call, &call.names);
    }
    for (const onnx::NodeProto* inner : nodes) {
      onnx::NodeProto copy = *inner;
      Bind(&copy, call);
      Rename(&copy, call, call.names);
      Emit(&copy, into);
    }
    for (const auto& [source, target] : copies) {
      *into->Add() = MakeNode("Identity", {source}, {target}, names_->Make(target + "_copy"));
    }
    --depth_;
    if (outermost) call_.clear();
  }

  // A large constant of the function, as one initializer of the model.
  bool Share(const onnx::NodeProto& node, Call* call) {
    if (!IsOp(node, "Constant") || node.output_size() != 1 || node.attribute_size() != 1)
      return false;
    const onnx::AttributeProto& value = node.attribute(0);
    if (value.name() != "value" || !value.has_t() || call->names.contains(node.output(0)) ||
        value.t().data_type() == onnx::TensorProto::STRING ||
        model_.tensors().ByteSize(value.t()) < kInlineLimit) {
      return false;
    }
    std::string& name = shared_[&node];
    if (name.empty()) {
      name = names_->Make(call->function.name() + "/" + node.output(0));
      constants_.push_back(value.t());
      constants_.back().set_name(name);
    }
    call->names[node.output(0)] = name;
    return true;
  }

  // Attributes that refer to one of the call's.
  void Bind(onnx::NodeProto* node, const Call& call) {
    google::protobuf::RepeatedPtrField<onnx::AttributeProto> bound;
    for (onnx::AttributeProto& attribute : *node->mutable_attribute()) {
      if (attribute.ref_attr_name().empty()) {
        bound.Add()->Swap(&attribute);
        continue;
      }
      const onnx::AttributeProto* value = FindAttribute(call.node, attribute.ref_attr_name());
      for (const onnx::AttributeProto& given : call.function.attribute_proto()) {
        if (value == nullptr && given.name() == attribute.ref_attr_name()) value = &given;
      }
      if (value == nullptr) continue;  // an optional one that the call does not give
      *bound.Add() = *value;
      bound.rbegin()->set_name(attribute.name());
    }
    node->mutable_attribute()->Swap(&bound);
    ForEachSubgraph(*node, [&](onnx::GraphProto& body) {
      for (onnx::NodeProto& inner : *body.mutable_node()) Bind(&inner, call);
    });
  }

  std::string NewName(const std::string& name, const Call& call) {
    return names_->Make(call.prefix + "/" + name);
  }

  void Define(const std::string& name, const Call& call, Names* names) {
    if (name.empty()) return;
    std::string& renamed = (*names)[name];
    if (renamed.empty()) renamed = NewName(name, call);
  }

  void Rename(onnx::NodeProto* node, const Call& call, const Names& names) {
    const auto rename = [&](std::string* name) {
      const auto found = names.find(*name);
      if (found != names.end()) *name = found->second;
    };
    node->set_name(NewName(node->name().empty() ? node->op_type() : node->name(), call));
    for (std::string& input : *node->mutable_input()) rename(&input);
    for (std::string& output : *node->mutable_output()) rename(&output);
    ForEachSubgraph(*node, [&](onnx::GraphProto& body) { Rename(&body, call, names); });
  }

  // `names`: a copy, because what a body defines is not known around it. New names there too: none
  // may hide one of the model's.
  void Rename(onnx::GraphProto* body, const Call& call, Names names) {
    for (const std::string_view defined : DefinedNames(*body)) {
      names[std::string(defined)] = NewName(std::string(defined), call);
    }
    const auto rename = [&](std::string* name) {
      const auto found = names.find(*name);
      if (found != names.end()) *name = found->second;
    };
    body->clear_value_info();
    for (auto& input : *body->mutable_input()) rename(input.mutable_name());
    for (auto& tensor : *body->mutable_initializer()) rename(tensor.mutable_name());
    for (auto& sparse : *body->mutable_sparse_initializer()) {
      rename(sparse.mutable_values()->mutable_name());
    }
    for (onnx::NodeProto& node : *body->mutable_node()) Rename(&node, call, names);
    for (auto& output : *body->mutable_output()) rename(output.mutable_name());
  }

  void ImportDomains() {
    for (const auto& [key, function] : functions_) {
      for (const onnx::OperatorSetIdProto& import : function.opset_import()) {
        if (model_.Opset(import.domain()) == 0) model_.SetOpset(import.domain(), import.version());
      }
    }
  }

  PassContext& context_;
  Model& model_;
  std::map<std::string, onnx::FunctionProto> functions_;  // by key: the same order on every engine
  UniqueNames* names_ = nullptr;
  std::unordered_map<const onnx::NodeProto*, std::string> shared_;
  std::vector<onnx::TensorProto> constants_;
  bool all_ = true;  // functions are inlined
  int calls_ = 0;
  int depth_ = 0;     // of calls in functions
  std::string call_;  // the outermost one
};

}  // namespace

int InlineFunctions(PassContext& context) { return Inliner(context).Run(); }

}  // namespace ptq
