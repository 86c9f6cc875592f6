#include "quantization/quantized_tensors.h"

#include <string_view>
#include <unordered_map>

#include "model/attributes.h"
#include "model/domains.h"
#include "model/find_constant.h"
#include "model/node_queries.h"

namespace ptq {
namespace {

// An input of integers with its scale and zero point, by their places in the inputs of a node.
struct Operand {
  int data;
  int scale;
  int zero_point;
};

// Of integer forms (onnxruntime's ContribOperators.md and ONNX's).
std::vector<Operand> OperandsOf(const onnx::NodeProto& node) {
  const std::string& op = node.op_type();
  if (op == "DequantizeLinear") return {{0, 1, 2}};
  if (op == "QLinearConv" || op == "QLinearMatMul" || op == "QGemm" || op == "QLinearAdd" ||
      op == "QLinearMul") {
    return {{0, 1, 2}, {3, 4, 5}};
  }
  if (op == "QLinearWhere") return {{1, 2, 3}, {4, 5, 6}};
  std::vector<Operand> operands;
  if (op == "QLinearConcat") {
    for (int i = 2; i + 2 < node.input_size(); i += 3) operands.push_back({i, i + 1, i + 2});
    return operands;
  }
  if (op.starts_with("QLinear")) return {{0, 1, 2}};
  return operands;
}

bool IsKnownDomain(const onnx::NodeProto& node) {
  return IsOnnxDomain(node.domain()) || node.domain() == kMicrosoftDomain;
}

std::string InputOf(const onnx::NodeProto& node, int index) {
  return HasInput(node, index) ? node.input(index) : "";
}

// Without the suffixes that onnxruntime's quantizer and ours append.
std::string FloatName(const std::string& name) {
  static constexpr std::string_view kSuffixes[] = {
      "_QuantizeLinear_Input", "_QuantizeLinear_Output", "_DequantizeLinear_Output", "_quantized"};
  for (const std::string_view suffix : kSuffixes) {
    if (name.size() > suffix.size() && name.ends_with(suffix)) {
      return name.substr(0, name.size() - suffix.size());
    }
  }
  return name;
}

}  // namespace

std::vector<QuantizedTensor> FindQuantizedTensors(const GraphView& view) {
  std::vector<QuantizedTensor> tensors;
  std::unordered_map<std::string, size_t> known;  // by the integers
  const auto find = [&](const std::string& quantized) -> QuantizedTensor& {
    const auto [place, is_new] = known.emplace(quantized, tensors.size());
    if (is_new) tensors.push_back({FloatName(quantized), "", quantized, "", "", ""});
    return tensors[place->second];
  };
  for (int i = 0; i < view.node_count(); ++i) {
    const onnx::NodeProto& node = view.node(i);
    if (!IsKnownDomain(node) || node.output_size() == 0) continue;
    if (node.op_type() == "QuantizeLinear" && node.input_size() > 1) {
      QuantizedTensor& tensor = find(node.output(0));
      tensor.before = node.input(0);
      tensor.name = FloatName(node.input(0));
      tensor.scale = node.input(1);
      tensor.zero_point = InputOf(node, 2);
      tensor.axis = IntAttribute(node, "axis", 1);
      tensor.is_constant = FindConstant(view, node.input(0)) != nullptr;
      tensor.quantize = i;
      continue;
    }
    for (const Operand& operand : OperandsOf(node)) {
      if (!HasInput(node, operand.data) || !HasInput(node, operand.scale)) continue;
      QuantizedTensor& tensor = find(node.input(operand.data));
      if (tensor.scale.empty()) {
        tensor.scale = node.input(operand.scale);
        tensor.zero_point = InputOf(node, operand.zero_point);
        tensor.is_constant = FindConstant(view, tensor.quantized) != nullptr;
        // Weights of QLinearConv have their channels first, of QLinearMatMul and QGemm last.
        tensor.axis = node.op_type() == "QLinearConv" ? 0 : 1;
      }
      if (node.op_type() != "DequantizeLinear" || tensor.dequantize >= 0) continue;
      tensor.after = node.output(0);
      tensor.axis = IntAttribute(node, "axis", 1);
      tensor.dequantize = i;
    }
  }
  return tensors;
}

}  // namespace ptq
