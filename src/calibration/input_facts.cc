#include "calibration/input_facts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "model/attributes.h"
#include "model/find_constant.h"
#include "model/graph_view.h"
#include "model/node_queries.h"

namespace ptq {
namespace {

// More values than a picture has channels are no normalization.
constexpr int64_t kMostChannels = 4;

bool IsFloat(const onnx::TensorProto& tensor) {
  return tensor.data_type() == onnx::TensorProto::FLOAT ||
         tensor.data_type() == onnx::TensorProto::FLOAT16 ||
         tensor.data_type() == onnx::TensorProto::DOUBLE;
}

// The values, empty where `tensor` is no constant of floats.
std::vector<float> ValuesOf(const Model& model, const GraphView& view, const std::string& tensor) {
  const onnx::TensorProto* constant = FindConstant(view, tensor);
  if (constant == nullptr || !IsFloat(*constant)) return {};
  return model.tensors().ReadFloats(*constant);
}

// The constant operand, empty where it has more values than a picture has channels.
std::vector<float> Operand(const Model& model, const GraphView& view, const std::string& tensor) {
  const onnx::TensorProto* constant = FindConstant(view, tensor);
  if (constant == nullptr) return {};
  int64_t count = 1;
  for (const int64_t dim : constant->dims()) count *= dim;
  if (count < 1 || count > kMostChannels) return {};
  return ValuesOf(model, view, tensor);
}

void Resize(std::vector<float>* values, size_t count) {
  if (values->size() == 1) values->resize(count, values->front());
}

// Puts `node`, which reads `tensor`, behind `normalization`. False where it is no such node.
bool Append(const Model& model, const GraphView& view, const onnx::NodeProto& node,
            const std::string& tensor, GraphNormalization* normalization) {
  if (node.input_size() != 2) return false;
  const bool first = node.input(0) == tensor;
  const bool commutes = IsOp(node, "Add") || IsOp(node, "Mul");
  if (!commutes && !(first && (IsOp(node, "Sub") || IsOp(node, "Div")))) return false;
  std::vector<float> values = Operand(model, view, node.input(first ? 1 : 0));
  if (values.empty()) return false;
  std::vector<float>& scale = normalization->scale;
  std::vector<float>& offset = normalization->offset;
  if (scale.size() > 1 && values.size() > 1 && scale.size() != values.size()) return false;
  const size_t count = std::max(scale.size(), values.size());
  for (std::vector<float>* list : {&scale, &offset, &values}) Resize(list, count);
  for (size_t i = 0; i < count; ++i) {
    if (IsOp(node, "Add")) {
      offset[i] += values[i];
    } else if (IsOp(node, "Sub")) {
      offset[i] -= values[i];
    } else {
      const float factor = IsOp(node, "Mul") ? values[i] : 1 / values[i];
      scale[i] *= factor;
      offset[i] *= factor;
    }
  }
  normalization->op_types.push_back(node.op_type());
  return true;
}

std::optional<GraphNormalization> FindNormalization(const Model& model, const GraphView& view,
                                                    std::string tensor) {
  GraphNormalization found{{1}, {0}, {}};
  for (;;) {
    const std::vector<Use>& uses = view.Uses(tensor);
    if (uses.size() != 1 || uses.front().input < 0) break;
    const onnx::NodeProto& node = view.node(uses.front().node);
    if (node.output_size() != 1) break;
    const bool passes = IsOp(node, "Cast") || IsOp(node, "Identity") || IsOp(node, "Transpose");
    if (!passes && !Append(model, view, node, tensor, &found)) break;
    tensor = node.output(0);
  }
  const auto is_finite = [](float value) { return std::isfinite(value); };
  if (found.op_types.empty() || !std::all_of(found.scale.begin(), found.scale.end(), is_finite) ||
      !std::all_of(found.offset.begin(), found.offset.end(), is_finite)) {
    return std::nullopt;
  }
  return found;
}

std::optional<TrainingStatistics> FindStatistics(const Model& model, const GraphView& view) {
  for (int i = 0; i < view.node_count(); ++i) {
    const onnx::NodeProto& node = view.node(i);
    if (!IsOp(node, "BatchNormalization") || node.input_size() != 5) continue;
    // What is normalized by its own batch has kept nothing.
    if (IntAttribute(node, "training_mode", 0) != 0) continue;
    TrainingStatistics found{node.input(0), ValuesOf(model, view, node.input(3)),
                             ValuesOf(model, view, node.input(4))};
    if (!found.mean.empty() && found.mean.size() == found.variance.size()) return found;
  }
  return std::nullopt;
}

// Whether a reader of `tensor` takes its mean away, so that a bias in it is without effect and was
// never learned.
bool IsCentred(const GraphView& view, const std::string& tensor) {
  static constexpr std::array kCentring = {"BatchNormalization",
                                           "GroupNormalization",
                                           "InstanceNormalization",
                                           "LayerNormalization",
                                           "MeanVarianceNormalization",
                                           "ReduceMean",
                                           "Reshape",
                                           "Sub",
                                           "Transpose"};
  const std::vector<Use>& uses = view.Uses(tensor);
  return std::any_of(uses.begin(), uses.end(), [&](const Use& use) {
    return std::any_of(kCentring.begin(), kCentring.end(),
                       [&](const char* op_type) { return IsOp(view.node(use.node), op_type); });
  });
}

// Of the first Conv, whose bias may be an Add behind it.
std::optional<BiasedSums> FindSums(const Model& model, const GraphView& view) {
  const auto found = [&](const std::string& tensor, std::vector<float> bias, size_t least) {
    if (bias.size() < least || IsCentred(view, tensor)) return std::optional<BiasedSums>();
    return std::optional(BiasedSums{tensor, std::move(bias)});
  };
  for (int i = 0; i < view.node_count(); ++i) {
    const onnx::NodeProto& conv = view.node(i);
    if (!IsOp(conv, "Conv") || conv.output_size() != 1) continue;
    if (HasInput(conv, 2)) {
      return found(conv.output(0), ValuesOf(model, view, conv.input(2)), 1);
    }
    const std::vector<Use>& uses = view.Uses(conv.output(0));
    if (uses.size() != 1 || !IsOp(view.node(uses.front().node), "Add")) return std::nullopt;
    const onnx::NodeProto& add = view.node(uses.front().node);
    return found(add.output(0), ValuesOf(model, view, add.input(1 - uses.front().input)), 2);
  }
  return std::nullopt;
}

}  // namespace

InputFacts FindInputFacts(const Model& model, const std::string& input) {
  const GraphView view(model.graph());
  return {FindNormalization(model, view, input), FindStatistics(model, view),
          FindSums(model, view)};
}

}  // namespace ptq
