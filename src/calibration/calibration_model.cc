#include "calibration/calibration_model.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "calibration/body_ranges.h"
#include "calibration/nan_witnesses.h"
#include "calibration/reduction_placer.h"
#include "calibration/reductions.h"
#include "model/attributes.h"
#include "model/graph_view.h"
#include "model/node_builder.h"
#include "model/node_queries.h"
#include "model/subgraphs.h"
#include "model/tensor_builder.h"
#include "ops/op_registry.h"
#include "quantization/plan_context.h"
#include "repair/linear_layers.h"

namespace ptq {
namespace {

struct Reduced {
  std::string lowest;
  std::string highest;
  std::string sum;
  int64_t rank = 1;
};

// Relu and Clip keep the order of values, so that clipping the lowest value gives the lowest
// clipped value.
bool IsClip(const onnx::NodeProto& node) { return IsOp(node, "Relu") || IsOp(node, "Clip"); }

// `end` as the Relu or Clip `node` clips it. Names come from the node's tensor, not from what is
// clipped: along a chain they would grow.
std::string Clipped(const onnx::NodeProto& node, const char* prefix, const std::string& end,
                    UniqueNames* names, onnx::GraphProto* graph) {
  std::string output = names->Make(prefix + node.output(0));
  onnx::NodeProto* copy = graph->add_node();
  *copy = node;
  copy->clear_name();
  copy->set_input(0, end);
  copy->set_output(0, output);
  return output;
}

// The reductions of `tensor` without reading it, where they follow from those of the tensor that it
// is made from: a reshaped tensor has the same ones, a clipped one those of its source, clipped.
// nullopt where they do not follow.
std::optional<Reduced> Derive(const GraphView& view, const std::string& tensor,
                              const std::unordered_map<std::string, Reduced>& reduced,
                              UniqueNames* names, onnx::GraphProto* graph) {
  const int producer = view.Producer(tensor);
  if (producer < 0) return std::nullopt;
  const onnx::NodeProto& node = view.node(producer);
  const auto source = node.input_size() > 0 ? reduced.find(node.input(0)) : reduced.end();
  if (source == reduced.end()) return std::nullopt;
  if (MovesValues(node)) return source->second;
  if (!IsClip(node) || view.ElementType(tensor) != onnx::TensorProto::FLOAT) return std::nullopt;
  return Reduced{Clipped(node, "ptq_lowest_", source->second.lowest, names, graph),
                 Clipped(node, "ptq_highest_", source->second.highest, names, graph),
                 source->second.sum, source->second.rank};
}

// Rank of a tensor of known shape, and the length of its axis 1.
struct ChannelAxis {
  int64_t rank = 0;
  size_t channels = 1;
};

// null where it is unknown.
const onnx::TensorShapeProto* ShapeOf(const GraphView& view, const std::string& tensor) {
  const onnx::ValueInfoProto* value = view.ValueInfo(tensor);
  if (value == nullptr || !value->type().tensor_type().has_shape()) return nullptr;
  return &value->type().tensor_type().shape();
}

// 0 where it is unknown.
int64_t RankOf(const GraphView& view, const std::string& tensor) {
  const onnx::TensorShapeProto* shape = ShapeOf(view, tensor);
  return shape == nullptr ? 0 : shape->dim_size();
}

ChannelAxis FindChannels(const GraphView& view, const std::string& tensor) {
  const onnx::TensorShapeProto* shape = ShapeOf(view, tensor);
  if (shape == nullptr || shape->dim_size() < 2 || shape->dim(1).dim_value() < 1) return {};
  return {shape->dim_size(), static_cast<size_t>(shape->dim(1).dim_value())};
}

// The vector by channel: min, max and sum of each channel of each tensor.
std::string AddReductionsByChannel(const Model& model, const GraphView& view,
                                   const std::vector<std::string>& tensors,
                                   onnx::GraphProto* graph) {
  UniqueNames names(view.graph());
  Reductions reductions(view, &names, graph);
  ReductionPlacer placer(&names, graph);
  for (const std::string& tensor : tensors) {
    const ChannelAxis axis = FindChannels(view, tensor);
    const std::vector<std::string> parts =
        axis.rank >= 2 ? std::vector{reductions.AddByChannel(tensor, 1, axis.rank, "ReduceSum",
                                                             model.Opset(), placer.nodes())}
                       : reductions.AddAll(tensor, true, placer.nodes());
    placer.Place(parts, 1, view.Producer(tensor));
  }
  return placer.Join();
}

// Whose inputs are observed by channel.
std::vector<LinearLayer> LayersToObserve(const GraphView& view, const StaticQuantConfig& config) {
  if (config.effort == Effort::kNone) return {};
  return FindLinearLayers(view);
}

// What Relu and Clip make observed inputs of: reduced by channel, they tell the ends of these.
std::unordered_map<std::string, const LinearLayer*> SourcesOfClips(
    const GraphView& view, const std::unordered_map<std::string, const LinearLayer*>& observed) {
  std::unordered_map<std::string, const LinearLayer*> sources;
  for (const auto& [tensor, layer] : observed) {
    const int producer = view.Producer(tensor);
    if (producer < 0 || !IsClip(view.node(producer))) continue;
    const std::string& source = view.node(producer).input(0);
    if (observed.contains(source) || view.Initializer(source) != nullptr ||
        view.ElementType(source) != onnx::TensorProto::FLOAT) {
      continue;
    }
    // Of two readers, the same whatever the order of the map.
    const auto [place, is_new] = sources.emplace(source, layer);
    if (!is_new && layer->node < place->second->node) place->second = layer;
  }
  return sources;
}

// The vector without bodies: per tensor min, max and sum, of `unsummed` the max again; by channel
// min, max and mean of what `layers` read.
std::string AddReductions(const Model& model, const GraphView& view,
                          const std::vector<LinearLayer>& layers,
                          const std::vector<std::string>& tensors,
                          const std::unordered_set<std::string>& unsummed,
                          onnx::GraphProto* graph) {
  const auto observed = ObservedInputs(layers, view);
  UniqueNames names(view.graph());
  Reductions reductions(view, &names, graph);
  std::unordered_map<std::string, Reduced> reduced;
  const auto sources = SourcesOfClips(view, observed);
  std::unordered_map<std::string, Reductions::Pair> by_channel;  // of these
  ReductionPlacer placer(&names, graph);
  for (const std::string& tensor : tensors) {
    const int producer = view.Producer(tensor);
    const bool with_sum = !unsummed.contains(tensor);
    if (const auto layer = observed.find(tensor); layer != observed.end()) {
      const LinearLayer& reader = *layer->second;
      Reductions::Pair known;
      const bool is_clipped = producer >= 0 && IsClip(view.node(producer));
      const auto source =
          is_clipped ? by_channel.find(view.node(producer).input(0)) : by_channel.end();
      if (source != by_channel.end() && sources.at(source->first)->axis == reader.axis) {
        const onnx::NodeProto& clip = view.node(producer);
        known = {Clipped(clip, "ptq_lowest_", source->second.lowest, &names, placer.nodes()),
                 Clipped(clip, "ptq_highest_", source->second.highest, &names, placer.nodes())};
      }
      placer.Place({reductions.AddByChannel(tensor, reader.axis, reader.rank, "ReduceMean",
                                            model.Opset(), placer.nodes(), known)},
                   1, producer);
      continue;
    }
    if (const auto reader = sources.find(tensor); reader != sources.end()) {
      const auto& [axis, rank] = std::pair(reader->second->axis, reader->second->rank);
      const Reductions::Pair ends =
          reductions.AddKeptByChannel(tensor, axis, rank, model.Opset(), placer.nodes());
      by_channel.emplace(tensor, ends);
      const auto reduce = [&](const char* op_type, const std::string& of) {
        std::string output = names.Make(std::string("ptq_") + op_type + "_" + tensor);
        AddNode(placer.nodes(), op_type, {of}, output);
        return output;
      };
      const std::string highest = reduce("ReduceMax", ends.highest);
      placer.Place({reduce("ReduceMin", ends.lowest), highest,
                    with_sum ? reductions.AddKeptSum(tensor, tensor, placer.nodes()) : highest},
                   rank, producer);
      continue;
    }
    std::optional<Reduced> of_tensor = Derive(view, tensor, reduced, &names, placer.nodes());
    if (!of_tensor) {
      const int64_t rank = RankOf(view, tensor);
      // AddKept needs a known rank of at least 1.
      const std::vector<std::string> all =
          rank > 0 ? reductions.AddKept(tensor, with_sum, placer.nodes())
                   : reductions.AddAll(tensor, with_sum, placer.nodes());
      of_tensor = {all[0], all[1], all[2], std::max<int64_t>(rank, 1)};
    }
    placer.Place({of_tensor->lowest, of_tensor->highest, of_tensor->sum}, of_tensor->rank,
                 producer);
    reduced.emplace(tensor, *of_tensor);
  }
  return placer.Join();
}

// The same with bodies, whose vectors hold the negated highest values. `order` receives the tensors
// in the vector's order.
std::string AddReductionsInside(const GraphView& view, const std::vector<std::string>& tensors,
                                onnx::GraphProto* graph, std::vector<std::string>* order) {
  const std::string negated = AddRangeVector(view, tensors, graph, order);
  UniqueNames names(*graph);
  const std::string signs = names.Make("ptq_signs");
  std::vector<float> values;
  for (size_t i = 0; i < order->size(); ++i) values.insert(values.end(), {1.0f, -1.0f});
  const std::vector<int64_t> dims = {static_cast<int64_t>(values.size())};
  *graph->add_initializer() = FloatTensor(signs, dims, values);
  std::string vector = names.Make("ptq_ranges");
  AddNode(graph, "Mul", {negated, signs}, vector);
  return vector;
}

void AddOutput(const std::string& name, onnx::GraphProto* graph) {
  onnx::ValueInfoProto* output = graph->add_output();
  output->set_name(name);
  output->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
}

std::vector<std::string> NamesToCalibrate(const GraphView& view, const StaticQuantConfig& config) {
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
                            ? FindOp(node.op_type()) != nullptr
                            : config.op_types_to_quantize.contains(node.op_type());
    if (!wanted || IsQuantizationNode(node)) continue;
    for (const std::string& input : node.input()) consider(input);
    for (const std::string& output : node.output()) consider(output);
  }
  if (config.bodies() == Bodies::kOutside || tensors.empty()) return tensors;
  onnx::GraphProto scratch = view.graph();
  std::vector<std::string> order;
  AddReductionsInside(view, tensors, &scratch, &order);
  return order;
}

}  // namespace

CalibrationModel AsRunnable(const Model& model) {
  CalibrationModel result{{}, {}, model.proto()};
  ForEachTensor(&result.proto, [&result](const onnx::TensorProto& tensor) {
    for (const onnx::StringStringEntryProto& entry : tensor.external_data()) {
      if (entry.key() == "location") result.files.insert(entry.value());
    }
  });
  result.proto.set_ir_version(std::min(result.proto.ir_version(), kRuntimeIrVersion));
  return result;
}

std::vector<CalibratedTensor> TensorsToCalibrate(const Model& model,
                                                 const StaticQuantConfig& config) {
  const GraphView view(model.graph(), config.bodies());
  const std::vector<LinearLayer> layers = LayersToObserve(view, config);
  const auto observed = ObservedInputs(layers, view);
  const std::vector<std::string> names = NamesToCalibrate(view, config);
  std::vector<std::optional<Derivation>> derivations(names.size());
  if (config.bodies() == Bodies::kOutside) derivations = FindDerivations(model, view, names);
  std::vector<CalibratedTensor> tensors;
  for (const std::string& name : names) {
    const bool half = view.ElementType(name) == onnx::TensorProto::FLOAT16;
    size_t channels = config.calib_per_channel ? FindChannels(view, name).channels : 1;
    const auto layer = observed.find(name);
    const bool has_means = layer != observed.end();
    if (has_means) channels = static_cast<size_t>(layer->second->inputs);
    tensors.push_back({name, half ? FloatType::kFloat16 : FloatType::kFloat, channels, has_means,
                       derivations[tensors.size()]});
  }
  return tensors;
}

CalibrationModel BuildReductionModel(const Model& model, const StaticQuantConfig& config,
                                     bool for_repairs, Sums sums) {
  CalibrationModel result = AsRunnable(model);
  const GraphView view(model.graph(), config.bodies());
  const std::vector<std::string> tensors = NamesToCalibrate(view, config);
  if (tensors.empty()) return result;
  onnx::GraphProto* graph = result.proto.mutable_graph();
  std::vector<std::string> order;
  if (config.bodies() == Bodies::kInside) {
    result.outputs = {AddReductionsInside(view, tensors, graph, &order)};
  } else if (config.calib_per_channel) {
    result.outputs = {AddReductionsByChannel(model, view, tensors, graph)};
  } else {
    const auto layers = for_repairs ? LayersToObserve(view, config) : std::vector<LinearLayer>{};
    const auto unsummed = sums == Sums::kOfWitnesses ? FindWitnessed(view, tensors)
                                                     : std::unordered_set<std::string>{};
    result.lacks_sums = !unsummed.empty();
    result.outputs = {AddReductions(model, view, layers, tensors, unsummed, graph)};
  }
  AddOutput(result.outputs[0], graph);
  return result;
}

CalibrationModel BuildTensorModel(const Model& model, const std::vector<std::string>& tensors) {
  CalibrationModel result = AsRunnable(model);
  onnx::GraphProto* graph = result.proto.mutable_graph();
  const GraphView view(model.graph());
  UniqueNames names(model.graph());
  // Without its own outputs the model computes only what is observed.
  graph->clear_output();
  for (const std::string& tensor : tensors) {
    // A copy where the tensor is a graph input, which can't be an output as well.
    const bool half = view.ElementType(tensor) == onnx::TensorProto::FLOAT16;
    std::string output = tensor;
    if (half || view.IsGraphInput(tensor)) {
      output = names.Make("ptq_value_" + tensor);
      onnx::NodeProto* node = AddNode(graph, half ? "Cast" : "Identity", {tensor}, output);
      if (half) SetAttribute(node, "to", static_cast<int64_t>(onnx::TensorProto::FLOAT));
    }
    result.outputs.push_back(output);
    AddOutput(output, graph);
  }
  return result;
}

CalibrationModel BuildTypeModel(const Model& model, const std::vector<std::string>& tensors) {
  CalibrationModel result = AsRunnable(model);
  for (const std::string& tensor : tensors) {
    result.proto.mutable_graph()->add_output()->set_name(tensor);
    result.outputs.push_back(tensor);
  }
  return result;
}

}  // namespace ptq
