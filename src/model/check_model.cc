// Rules: ONNX IR specification (onnx/docs/IR.md): single static assignment, names, opset imports.
#include "model/check_model.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "base/error.h"
#include "base/near_matches.h"
#include "base/utf8.h"
#include "model/domains.h"
#include "model/subgraphs.h"
#include "onnx/defs/schema.h"

namespace ptq {
namespace {

bool UsesOnnxDomain(const onnx::GraphProto& graph) {
  return std::any_of(graph.node().begin(), graph.node().end(), [](const onnx::NodeProto& node) {
    bool uses = IsOnnxDomain(node.domain());
    ForEachSubgraph(node, [&](const onnx::GraphProto& inner) { uses |= UsesOnnxDomain(inner); });
    return uses;
  });
}

void CheckVersions(const Model& model) {
  const onnx::ModelProto& proto = model.proto();
  if (!proto.has_ir_version()) {
    throw Error(ErrorCode::kInvalidModel, "The model states no IR version.");
  }
  if (proto.ir_version() > kMaxIrVersion) {
    throw Error(ErrorCode::kUnsupportedOpset,
                Text("The model has IR version ") + std::to_string(proto.ir_version()) +
                    "; the newest that is supported is " + std::to_string(kMaxIrVersion) + ".")
        .WithHint("Export it with an older version of ONNX.");
  }
  const int64_t opset = model.Opset();
  if (opset == 0) {
    if (proto.opset_import_size() > 0 && !UsesOnnxDomain(proto.graph())) return;
    throw Error(
        ErrorCode::kUnsupportedOpset,
        "The model imports no version of the ONNX operators (ai.onnx), which means version 1.")
        .WithHint(Text("Opsets from ") + std::to_string(kMinOpset) +
                  " on are supported: export the model again, or convert it with "
                  "onnx.version_converter.");
  }
  const auto& range = onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
  const int64_t newest = range.at("").second;
  if (opset >= kMinOpset && opset <= newest) return;
  throw Error(ErrorCode::kUnsupportedOpset, Text("The model uses opset ") + std::to_string(opset) +
                                                "; supported are " + std::to_string(kMinOpset) +
                                                " to " + std::to_string(newest) + ".")
      .WithHint(
          opset < kMinOpset
              ? "Convert it with onnx.version_converter, or export it again with a newer opset."
              : "Export it with an older opset.");
}

struct Scope {
  std::unordered_set<std::string_view> names;
  const Scope* outer;
};

[[noreturn]] void FailTwice(std::string_view tensor, const std::string& by,
                            const std::string& node) {
  throw Error(ErrorCode::kInvalidModel, Text("Tensor \"") + std::string(tensor) +
                                            "\" is defined twice, the second time by " + by + ".")
      .WithNode(node)
      .WithTensor(std::string(tensor));
}

std::string Describe(const onnx::NodeProto& node) {
  return node.op_type() + " node \"" + node.name() + "\"";
}

// Names go to people, to JSON and to other files: what is not text would be another name there, and
// ranges would not be found by it.
void CheckName(const std::string& name, const char* what, int index) {
  if (IsUtf8(name)) return;
  throw Error(ErrorCode::kInvalidModel, Text("The name of ") + std::string(what) + " number " +
                                            std::to_string(index + 1) +
                                            " is not UTF-8, as ONNX wants names to be.")
      .WithHint("Export the model again with names in UTF-8 (it may have been written as GBK).");
}

void CheckNames(const onnx::GraphProto& graph) {
  for (int i = 0; i < graph.input_size(); ++i) CheckName(graph.input(i).name(), "graph input", i);
  for (int i = 0; i < graph.initializer_size(); ++i) {
    CheckName(graph.initializer(i).name(), "initializer", i);
  }
  for (int i = 0; i < graph.node_size(); ++i) {
    CheckName(graph.node(i).name(), "node", i);
    for (const std::string& output : graph.node(i).output()) {
      CheckName(output, "an output of node", i);
    }
  }
}

// Collects what the graph defines; throws where a name is defined twice.
std::unordered_set<std::string_view> UniqueDefinitions(const onnx::GraphProto& graph) {
  std::unordered_set<std::string_view> names;
  for (const onnx::ValueInfoProto& input : graph.input()) {
    if (!input.name().empty() && !names.insert(input.name()).second) {
      FailTwice(input.name(), "a graph input", "");
    }
  }
  std::unordered_set<std::string_view> initializers;  // may repeat inputs, as up to IR version 3
  const auto initializer = [&](const onnx::TensorProto& tensor) {
    if (tensor.name().empty()) {
      throw Error(ErrorCode::kInvalidModel, "The graph has an initializer without a name.");
    }
    if (!initializers.insert(tensor.name()).second) {
      FailTwice(tensor.name(), "an initializer", "");
    }
    names.insert(tensor.name());
  };
  for (const onnx::TensorProto& tensor : graph.initializer()) initializer(tensor);
  for (const onnx::SparseTensorProto& sparse : graph.sparse_initializer()) {
    initializer(sparse.values());
  }
  for (const onnx::NodeProto& node : graph.node()) {
    for (const std::string& output : node.output()) {
      if (!output.empty() && !names.insert(output).second) {
        FailTwice(output, Describe(node), node.name());
      }
    }
  }
  return names;
}

[[noreturn]] void FailUnknown(const std::string& reader, const std::string& tensor,
                              const std::string& node, const Scope& scope) {
  std::vector<std::string> known;
  for (const Scope* at = &scope; at != nullptr; at = at->outer) {
    known.insert(known.end(), at->names.begin(), at->names.end());
  }
  std::sort(known.begin(), known.end());
  throw Error(ErrorCode::kInvalidModel,
              Text() + reader + " reads tensor \"" + tensor +
                  "\", which is neither a graph input, nor an initializer, nor made by a node.")
      .WithNode(node)
      .WithTensor(tensor)
      .WithHint(DidYouMean(NearMatches(tensor, known)));
}

// As many inputs and outputs as the operator's schema wants: what follows reads them by index.
void CheckArity(const onnx::NodeProto& node, int64_t opset) {
  if (!IsOnnxDomain(node.domain())) return;
  const onnx::OpSchema* schema =
      onnx::OpSchemaRegistry::Schema(node.op_type(), static_cast<int>(opset), "");
  if (schema == nullptr) return;  // experimental, or the runtime's own
  const auto check = [&](const char* what, int count, int least, int most) {
    if (count >= least && count <= most) return;
    throw Error(ErrorCode::kInvalidModel,
                Text("The ") + Describe(node) + " has " + std::to_string(count) + " " + what +
                    "; its op type takes " + std::to_string(least) +
                    (least == most ? "." : " to " + std::to_string(most) + "."))
        .WithNode(node.name());
  };
  check("inputs", node.input_size(), schema->min_input(), schema->max_input());
  check("outputs", node.output_size(), schema->min_output(), schema->max_output());
}

void CheckGraph(const onnx::GraphProto& graph, int64_t opset, const Scope* outer) {
  CheckNames(graph);
  const Scope scope{UniqueDefinitions(graph), outer};
  const auto known = [&](const std::string& name) {
    for (const Scope* at = &scope; at != nullptr; at = at->outer) {
      if (at->names.contains(name)) return true;
    }
    return name.empty();
  };
  for (const onnx::NodeProto& node : graph.node()) {
    CheckArity(node, opset);
    for (const std::string& input : node.input()) {
      if (!known(input)) FailUnknown("The " + Describe(node), input, node.name(), scope);
    }
    ForEachSubgraph(node, [&](const onnx::GraphProto& inner) { CheckGraph(inner, opset, &scope); });
  }
  for (const onnx::ValueInfoProto& output : graph.output()) {
    if (!known(output.name())) FailUnknown("The graph's output", output.name(), "", scope);
  }
}

}  // namespace

void CheckModel(const Model& model) {
  if (!model.proto().has_graph()) {
    throw Error(ErrorCode::kInvalidModel, "The file holds no graph: it is not an ONNX model.");
  }
  CheckVersions(model);
  CheckGraph(model.graph(), model.Opset(), nullptr);
}

}  // namespace ptq
