#include "pipeline/inspect_model.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "base/error.h"
#include "model/element_type.h"
#include "model/find_constant.h"
#include "model/graph_view.h"
#include "model/node_queries.h"
#include "model/subgraphs.h"

namespace ptq {
namespace {

constexpr size_t kMostValues = 8;  // of a step: a picture has 3 or 4 channels
constexpr int kMostSteps = 16;     // behind an input

bool IsOneOf(const onnx::NodeProto& node, std::initializer_list<const char*> op_types) {
  return std::any_of(op_types.begin(), op_types.end(),
                     [&](const char* op_type) { return IsOp(node, op_type); });
}

// Small constants of floats only.
std::vector<float> ValuesOf(const Model& model, const GraphView& view, const std::string& tensor) {
  constexpr uint64_t kLargest = 4096;
  const onnx::TensorProto* constant = FindConstant(view, tensor);
  if (constant == nullptr || ElementCount(*constant) > kLargest) return {};
  const bool is_float = constant->data_type() == onnx::TensorProto::FLOAT ||
                        constant->data_type() == onnx::TensorProto::FLOAT16 ||
                        constant->data_type() == onnx::TensorProto::DOUBLE;
  if (!is_float) return {};
  std::vector<float> values = model.tensors().ReadFloats(*constant);
  values.resize(std::min(values.size(), kMostValues));
  return values;
}

// Follows the input through nodes that move values or calculate with constants.
void CollectSteps(const Model& model, const GraphView& view, const std::string& input,
                  std::vector<InputStep>* steps) {
  std::string tensor = input;
  for (int step = 0; step < kMostSteps; ++step) {
    const std::vector<Use>& uses = view.Uses(tensor);
    if (uses.size() != 1 || uses[0].input < 0) return;
    const onnx::NodeProto& node = view.node(uses[0].node);
    if (node.output_size() == 0) return;
    const std::string& label = node.name().empty() ? node.output(0) : node.name();
    if (IsOneOf(node, {"Mul", "Div", "Sub", "Add"}) && node.input_size() == 2) {
      const std::string& other = node.input(node.input(0) == tensor ? 1 : 0);
      if (FindConstant(view, other) == nullptr) return;
      steps->push_back({input, label, node.op_type(), ValuesOf(model, view, other)});
    } else if (IsOp(node, "BatchNormalization") && node.input_size() > 3) {
      steps->push_back({input, label, node.op_type(), ValuesOf(model, view, node.input(3))});
    } else if (!IsOneOf(node, {"Cast", "Transpose", "Reshape", "Unsqueeze", "Squeeze", "Identity",
                               "Pad", "Resize", "Flatten"})) {
      return;
    }
    tensor = node.output(0);
  }
}

std::map<std::string, std::vector<int64_t>> ShapesOfInputs(const Model& model) {
  const GraphView view(model.graph());
  std::map<std::string, std::vector<int64_t>> shapes;
  for (const onnx::ValueInfoProto& input : model.graph().input()) {
    const auto& type = input.type().tensor_type();
    if (view.Initializer(input.name()) != nullptr || !type.has_shape()) continue;
    std::vector<int64_t>& dims = shapes[input.name()];
    for (const auto& dim : type.shape().dim()) {
      dims.push_back(std::max<int64_t>(dim.has_dim_value() ? dim.dim_value() : 1, 1));
    }
  }
  return shapes;
}

}  // namespace

ModelInspection InspectModel(StaticQuantizer* quantizer,
                             const std::map<std::string, int64_t>& fix_dim) {
  ModelInspection inspection;
  const Model& model = quantizer->model();
  for (const QuantFormat format : {QuantFormat::kQOperator, QuantFormat::kQDQ}) {
    FormatForecast forecast;
    forecast.format = format;
    StaticQuantConfig config;
    config.quant_format = format;
    config.fix_dim = fix_dim;
    quantizer->Configure(std::move(config));
    try {
      inspection.prepared = quantizer->Prepare();
      forecast.opset = inspection.prepared.opset_after;
      forecast.nodes = quantizer->Forecast();
    } catch (const Error& error) {
      forecast.refused = error.message();
    }
    inspection.formats.push_back(std::move(forecast));
  }
  const GraphView view(model.graph());
  for (const onnx::ValueInfoProto& input : model.graph().input()) {
    if (view.Initializer(input.name()) == nullptr) {
      CollectSteps(model, view, input.name(), &inspection.input_steps);
    }
  }
  onnx::ModelProto copy = model.proto();  // the walk is one for editing
  ForEachTensor(&copy, [&](const onnx::TensorProto& tensor) {
    if (!FindElementBits(tensor.data_type())) return;
    inspection.weight_bytes += model.tensors().ByteSize(tensor);
  });
  if (quantizer->prepared() != nullptr) {
    inspection.memory = quantizer->EstimateMemory(ShapesOfInputs(*quantizer->prepared()));
  }
  return inspection;
}

}  // namespace ptq
