// One pass on a graph in ONNX text, and what is left of it in short.
#pragma once

#include <string>

#include "passes/pass_registry.h"
#include "testing/model_text.h"

namespace ptq {

inline constexpr char kHead13[] = R"(<ir_version: 8, opset_import: ["" : 13]> )";

struct PassTest {
  explicit PassTest(const std::string& graph, const std::string& head = kHead13)
      : text(head + graph), context{text.model, diagnostics} {}
  onnx::GraphProto& graph() { return text.model.graph(); }

  TextModel text;
  Diagnostics diagnostics;
  PassContext context;
};

// "Relu(x)->y; …" of every node, for exact comparison.
inline std::string Wiring(const onnx::GraphProto& graph) {
  std::string wiring;
  const auto join = [](const auto& names) {
    std::string joined;
    for (const std::string& name : names) joined += (joined.empty() ? "" : ",") + name;
    return joined;
  };
  for (const onnx::NodeProto& node : graph.node()) {
    if (!wiring.empty()) wiring += "; ";
    wiring += node.op_type() + "(" + join(node.input()) + ")->" + join(node.output());
  }
  return wiring;
}

inline std::string InitializerNames(const onnx::GraphProto& graph) {
  std::string names;
  for (const auto& tensor : graph.initializer())
    names += (names.empty() ? "" : ",") + tensor.name();
  return names;
}

}  // namespace ptq
