#include "calibration/calibration_model.h"

#include <algorithm>
#include <unordered_set>

#include "calibration/body_ranges.h"
#include "calibration/range_collector.h"
#include "calibration/reductions.h"
#include "model/attributes.h"
#include "model/graph_view.h"
#include "model/subgraphs.h"
#include "model/tensor_builder.h"
#include "ops/op_registry.h"
#include "quantization/plan_context.h"

namespace ptq {
namespace {

// The newest IR version that onnxruntime-web 1.30 loads; the copy that is run may have a lower one
// than the model.
constexpr int64_t kRuntimeIrVersion = 13;

// The vector without bodies: per tensor min and max, and for Distribution count, mean and mean of
// squares.
std::string AddReductions(const GraphView& view, const std::vector<std::string>& tensors,
                          const StaticQuantConfig& config, UniqueNames* names,
                          onnx::GraphProto* graph) {
  Reductions reductions(view, names, graph);
  std::vector<std::string> parts;
  for (const std::string& tensor : tensors) {
    const Reductions::Pair pair = reductions.Add(tensor, graph);
    parts.insert(parts.end(), {pair.lowest, pair.highest});
    if (config.calibrate_method != CalibrationMethod::kDistribution) continue;
    const std::vector<std::string> moments =
        reductions.AddMoments(tensor, config.cube_root_scenario, graph);
    parts.insert(parts.end(), moments.begin(), moments.end());
  }
  std::string vector = names->Make("ptq_ranges");
  SetAttribute(AddGraphNode(graph, "Concat", parts, vector), "axis", int64_t{0});
  return vector;
}

// The same with bodies, whose vectors hold the negated highest values.
std::string AddReductionsInside(const GraphView& view, onnx::GraphProto* graph,
                                std::vector<std::string>* tensors) {
  std::vector<std::string> order;
  const std::string negated = AddRangeVector(view, *tensors, graph, &order);
  *tensors = std::move(order);
  UniqueNames names(*graph);
  const std::string signs = names.Make("ptq_signs");
  std::vector<float> values;
  for (size_t i = 0; i < tensors->size(); ++i) values.insert(values.end(), {1.0f, -1.0f});
  const std::vector<int64_t> dims = {static_cast<int64_t>(values.size())};
  *graph->add_initializer() = FloatTensor(signs, dims, values);
  std::string vector = names.Make("ptq_ranges");
  AddGraphNode(graph, "Mul", {negated, signs}, vector);
  return vector;
}

}  // namespace

std::vector<std::string> TensorsToCalibrate(const Model& model, const StaticQuantConfig& config) {
  const GraphView view(model.graph(), config.bodies());
  std::unordered_set<std::string> seen;
  std::vector<std::string> tensors;
  const auto consider = [&](const std::string& tensor) {
    if (tensor.empty() || view.Initializer(tensor) != nullptr) return;
    if (!IsFloatType(ElementTypeOrDefault(view, tensor, config))) return;
    if (seen.insert(tensor).second) tensors.push_back(tensor);
  };
  for (int i = 0; i < view.node_count(); ++i) {
    const onnx::NodeProto& node = view.node(i);
    const bool wanted = config.op_types_to_quantize.empty()
                            ? IsQuantizedByDefault(node.op_type())
                            : config.op_types_to_quantize.contains(node.op_type());
    if (!wanted || IsQuantizationNode(node)) continue;
    for (const std::string& input : node.input()) consider(input);
    for (const std::string& output : node.output()) consider(output);
  }
  return tensors;
}

CalibrationModel BuildCalibrationModel(const Model& model, const StaticQuantConfig& config) {
  CalibrationModel result{TensorsToCalibrate(model, config), "", {}, model.proto()};
  ForEachTensor(&result.proto, [&result](const onnx::TensorProto& tensor) {
    for (const onnx::StringStringEntryProto& entry : tensor.external_data()) {
      if (entry.key() == "location") result.files.insert(entry.value());
    }
  });
  result.proto.set_ir_version(std::min(result.proto.ir_version(), kRuntimeIrVersion));
  if (result.tensors.empty()) return result;

  onnx::GraphProto* graph = result.proto.mutable_graph();
  const GraphView view(model.graph(), config.bodies());
  UniqueNames names(model.graph());
  result.output = config.bodies() == Bodies::kInside
                      ? AddReductionsInside(view, graph, &result.tensors)
                      : AddReductions(view, result.tensors, config, &names, graph);
  onnx::ValueInfoProto* output = graph->add_output();
  output->set_name(result.output);
  auto* type = output->mutable_type()->mutable_tensor_type();
  type->set_elem_type(onnx::TensorProto::FLOAT);
  const int64_t numbers = NumbersPerTensor(config.calibrate_method);
  type->mutable_shape()->add_dim()->set_dim_value(numbers *
                                                  static_cast<int64_t>(result.tensors.size()));
  return result;
}

}  // namespace ptq
