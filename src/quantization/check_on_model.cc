#include "quantization/check_on_model.h"

#include <algorithm>

#include "base/error.h"
#include "base/near_matches.h"
#include "onnx/defs/schema.h"
#include "ops/op_registry.h"
#include "quantization/left_float.h"
#include "quantization/option_value.h"

namespace ptq {
namespace {

void CheckNodeNames(const char* option, const std::unordered_set<std::string>& names,
                    const std::vector<std::string>& known) {
  const std::unordered_set<std::string> in_model(known.begin(), known.end());
  for (const std::string& name : names) {
    if (in_model.contains(name)) continue;
    throw Error(ErrorCode::kInvalidOption,
                Text() + std::string(option) + ": the model has no node named '" + name + "'")
        .WithNode(name)
        .WithHint(DidYouMean(NearMatches(name, known)));
  }
}

void CollectNodeNames(const onnx::GraphProto& graph, std::vector<std::string>* names) {
  for (const onnx::NodeProto& node : graph.node()) {
    if (!node.name().empty()) names->push_back(node.name());
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      if (attribute.has_g()) CollectNodeNames(attribute.g(), names);
      for (const onnx::GraphProto& body : attribute.graphs()) CollectNodeNames(body, names);
    }
  }
}

void CheckOpTypes(const char* option, const std::unordered_set<std::string>& op_types,
                  const Model& model) {
  std::unordered_set<std::string> in_model;
  for (const onnx::NodeProto& node : model.graph().node()) in_model.insert(node.op_type());
  for (const std::string& op_type : op_types) {
    if (FindOp(op_type) != nullptr || in_model.contains(op_type)) continue;
    if (onnx::OpSchemaRegistry::Schema(op_type, "") != nullptr) continue;
    std::vector<std::string> known(in_model.begin(), in_model.end());
    for (const onnx::OpSchema& schema : onnx::OpSchemaRegistry::get_all_schemas()) {
      known.push_back(schema.Name());
    }
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    throw Error(ErrorCode::kInvalidOption,
                Text() + std::string(option) + ": there is no op type '" + op_type + "'")
        .WithHint(DidYouMean(NearMatches(op_type, known)));
  }
}

void CheckActivation(const std::string& tensor, const TensorOverride& override) {
  if (override.axis) {
    throw InvalidOverride(tensor, "\"axis\" is for initializers, this is an activation");
  }
  if (override.first().reduce_range) {
    throw InvalidOverride(tensor, "\"reduce_range\" is for initializers, this is an activation");
  }
}

void CheckInitializer(const std::string& tensor, const TensorOverride& override,
                      const onnx::TensorProto& initializer) {
  if (override.convert) {
    throw InvalidOverride(tensor, "\"convert\" is for activations, this is an initializer");
  }
  if (!override.axis) return;
  const int64_t rank = initializer.dims_size();
  const std::string axis = "axis " + std::to_string(*override.axis);
  if (*override.axis < -rank || *override.axis >= rank) {
    throw InvalidOverride(tensor,
                          axis + " of a tensor with " + std::to_string(rank) + " dimensions");
  }
  const int64_t channels = initializer.dims(static_cast<int>((*override.axis + rank) % rank));
  const auto given = static_cast<int64_t>(override.channels.size());
  if (given != 1 && given != channels) {
    throw InvalidOverride(tensor,
                          std::to_string(given) + " objects for " + std::to_string(channels) +
                              " channels (" + axis + ")",
                          "give one object for all channels, or one for each");
  }
}

// What the plan relies on beyond that: the channels say the same kind of thing as the first one.
void CheckLikeFirst(const std::string& tensor, const TensorOverride& override, int64_t rank) {
  const ParameterOverride& first = override.first();
  const auto from_start = [rank](int64_t axis) { return axis < 0 ? axis + rank : axis; };
  for (size_t channel = 1; channel < override.channels.size(); ++channel) {
    const ParameterOverride& own = override.channels[channel];
    const std::string of_channel = " of channel " + std::to_string(channel);
    if (own.axis && from_start(*own.axis) != from_start(*override.axis)) {
      throw InvalidOverride(tensor, "\"axis\"" + of_channel + " differs from that of channel 0");
    }
    const bool scale = own.scale && !first.scale;
    if (!scale && (!own.rmin || first.rmin)) continue;
    const std::string keys = scale ? "\"scale\" and \"zero_point\"" : "\"rmin\" and \"rmax\"";
    throw InvalidOverride(tensor, keys + of_channel + " are given, but not those of channel 0",
                          "where one channel has them, all channels have them");
  }
}

void CheckZeroPoints(const std::string& tensor, const TensorOverride& override, QuantType type) {
  for (const ParameterOverride& channel : override.channels) CheckZeroPoint(tensor, channel, type);
}

}  // namespace

void CheckConfig(const StaticQuantConfig& config, const Model& model) {
  std::vector<std::string> nodes;
  CollectNodeNames(model.graph(), &nodes);
  CheckNodeNames("nodes_to_quantize", config.nodes_to_quantize, nodes);
  CheckNodeNames("nodes_to_exclude", config.nodes_to_exclude, nodes);
  CheckOpTypes("op_types_to_quantize", config.op_types_to_quantize, model);
  CheckOpTypes("OpTypesToExcludeOutputQuantization", config.op_types_to_exclude_output_quantization,
               model);
  const GraphView view(model.graph(), Bodies::kInside);
  CheckOverridesOnModel(config.tensor_overrides, view);
  for (const std::string& tensor : config.tensor_overrides.tensors()) {
    const TensorOverride* override = config.Override(tensor);
    if (override == nullptr) continue;
    const onnx::TensorProto* initializer = view.Initializer(tensor);
    if (initializer != nullptr) CheckLikeFirst(tensor, *override, initializer->dims_size());
    // The type of an initializer without one depends on the nodes that read it.
    const std::optional<QuantType> own = override->first().quant_type;
    if (own || initializer == nullptr) {
      CheckZeroPoints(tensor, *override, own.value_or(config.activation_type));
    }
  }
}

void CheckOverridesOnModel(const TensorOverrides& overrides, const GraphView& view) {
  for (const std::string& tensor : overrides.tensors()) {
    const onnx::TensorProto* initializer = view.Initializer(tensor);
    if (initializer == nullptr && !view.IsGraphInput(tensor) && view.Producer(tensor) < 0) {
      throw InvalidOverride(tensor, "the tensor is not present in the model",
                            DidYouMean(NearMatches(tensor, view.TensorNames())));
    }
    const TensorOverride* override = overrides.Find(tensor);
    if (override == nullptr) continue;
    if (initializer == nullptr) {
      CheckActivation(tensor, *override);
    } else {
      CheckInitializer(tensor, *override, *initializer);
    }
  }
}

void CheckNodes(const char* what, const std::vector<std::string>& labels, const Model& model) {
  if (labels.empty()) return;
  std::vector<std::string> known;
  for (const onnx::NodeProto& node : model.graph().node()) known.push_back(NodeLabel(node));
  CheckNodeNames(what, {labels.begin(), labels.end()}, known);
}

}  // namespace ptq
