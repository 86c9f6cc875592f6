// A model as ONNX text, quantized as a whole: what the tests of planning and rewriting look at.
// D1, E8 and so on behind a test are rows of docs/differences.md.
#pragma once

#include <string>
#include <utility>

#include "pipeline/quantize_static.h"
#include "testing/memory_files.h"
#include "testing/model_text.h"

namespace ptq {

inline constexpr char kQdq[] = R"({"quant_format": "QDQ", "weight_type": "QInt8"})";
inline constexpr char kQOperator[] = R"({"quant_format": "QOperator", "weight_type": "QInt8"})";

struct QuantizedText {
  onnx::ModelProto model;
  QuantizeReport report;

  const onnx::GraphProto& graph() const { return model.graph(); }

  // The node of that op type; throws where there is not exactly one.
  const onnx::NodeProto& Node(const std::string& op_type) const {
    const onnx::NodeProto* found = nullptr;
    for (const onnx::NodeProto& node : graph().node()) {
      if (node.op_type() != op_type) continue;
      if (found != nullptr) throw std::invalid_argument("more than one " + op_type);
      found = &node;
    }
    if (found == nullptr) throw std::invalid_argument("no " + op_type);
    return *found;
  }

  bool Has(const std::string& op_type) const {
    for (const onnx::NodeProto& node : graph().node()) {
      if (node.op_type() == op_type) return true;
    }
    return false;
  }

  // What the plan says about the node of that name.
  const NodePlan& PlanOf(const std::string& name) const {
    for (const QuantizedNode& node : report.nodes) {
      if (node.name == name) return node.plan;
    }
    throw std::invalid_argument("no node " + name);
  }

  // Why the node of that name stayed float; "" where it did not.
  std::string Reason(const std::string& name) const {
    const NodePlan& plan = PlanOf(name);
    return plan.action == NodeAction::kFloat ? plan.reason.text : "";
  }

  bool Diagnosed(const std::string& code) const {
    for (const Diagnostic& diagnostic : report.diagnostics) {
      if (diagnostic.code == code) return true;
    }
    return false;
  }

  std::vector<float> Floats(const std::string& initializer) const {
    MemoryFiles files;
    return TensorStore(&files).ReadFloats(InitializerOf(graph(), initializer));
  }

  std::vector<int64_t> Ints(const std::string& initializer) const {
    MemoryFiles files;
    return TensorStore(&files).ReadInts(InitializerOf(graph(), initializer));
  }
};

// `options`: JSON of docs/options.md; optimize_model is off unless it says otherwise.
inline QuantizedText QuantizeText(const std::string& text, const std::string& options,
                                  TensorRanges ranges) {
  MemoryFiles files(Serialize(ParseModelText(text)));
  StaticQuantizer quantizer(&files);
  StaticQuantConfig config = ParseConfig(options);
  if (options.find("optimize_model") == std::string::npos) config.optimize_model = false;
  quantizer.Configure(config);
  quantizer.Prepare();
  quantizer.SetRanges(std::move(ranges));
  QuantizedText result;
  result.report = quantizer.Quantize("");
  if (!result.model.ParseFromString(files.String(kOutputFile))) {
    throw std::invalid_argument("the result is no model");
  }
  return result;
}

}  // namespace ptq
