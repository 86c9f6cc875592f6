// Mul and Div of constants in front of linear layers, one number or nearly the same for every
// channel, become part of the weights.
//
//   before: d = Div(x, s)   y = Conv(d, W, B)       after: y = Conv(x, W', B)
//
//   W'[input] = W[input] / s[input]
//
// All that read d have to be Conv, ConvTranspose, Gemm or MatMul of constant weights; no weight
// becomes two. Only what quantizes as well afterwards: factors that differ more would make weights
// of one output channel differ more, and an Add, Sub or BatchNormalization in front, which could go
// into the bias, would leave data around another value than 0, where every error of a weight counts
// more. The last factor of an activation function that is written out stays, because it is
// recognized by that.
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/attributes.h"
#include "model/node_queries.h"
#include "passes/affine_steps.h"
#include "passes/channel_weights.h"
#include "passes/graph_queries.h"
#include "passes/ir_version.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

constexpr float kWidestSpread = 2.0f;  // of factors, largest to smallest: a bit of the weights

struct Layer {
  int node;
  ChannelWeights weights;
};

struct ScaleFold {
  std::vector<Layer> layers;
  std::vector<int> steps;  // that go, the last one first
  std::string source;      // what the layers read then
  std::vector<float> scale;
};

bool IsEven(const std::vector<float>& scale) {
  const auto less = [](float a, float b) { return std::abs(a) < std::abs(b); };
  const auto [least, most] = std::minmax_element(scale.begin(), scale.end(), less);
  return std::abs(*least) > 0.0f && std::abs(*most) <= kWidestSpread * std::abs(*least);
}

class ScaleFolder {
 public:
  explicit ScaleFolder(PassContext& context)
      : model_(context.model),
        graph_(context.model.graph()),
        view_(context.model.graph()),
        shapes_(context),
        names_(context.model.graph()),
        scaler_(context.model, view_, &names_) {}

  int Run() {
    for (int i = 0; i < graph_.node_size(); ++i) {
      if (std::optional<ScaleFold> edit = Find(i)) edits_.push_back(*std::move(edit));
    }
    for (const ScaleFold& edit : edits_) {
      for (const Layer& layer : edit.layers) {
        scaler_.Want(*layer.weights.weight, layer.weights.inputs, edit.scale);
      }
    }
    std::erase_if(edits_, [&](const ScaleFold& edit) {
      return std::any_of(edit.layers.begin(), edit.layers.end(), [&](const Layer& layer) {
        return !scaler_.MayScale(*layer.weights.weight);
      });
    });
    return Apply();
  }

 private:
  // `last` is the step that the layers read.
  std::optional<ScaleFold> Find(int last) {
    const onnx::NodeProto& node = graph_.node(last);
    if (!IsOp(node, "Mul") && !IsOp(node, "Div")) return std::nullopt;
    std::optional<std::vector<Layer>> layers = LayersBehind(node.output(0));
    if (!layers) return std::nullopt;
    const std::optional<ChannelAxis> axis = CommonAxis(*layers);
    if (!axis) return std::nullopt;
    ScaleFold edit;
    edit.layers = *std::move(layers);
    edit.scale.assign(static_cast<size_t>(axis->channels), 1.0f);
    Follow(last, *axis, &edit);
    if (edit.steps.empty() || !IsEven(edit.scale)) return std::nullopt;
    for (const Layer& layer : edit.layers) {
      const onnx::TensorProto& weight = *layer.weights.weight;
      // What another edit wants of a weight that both share must not decide over half of this one.
      if (edit.layers.size() > 1 && !scaler_.IsFree(weight)) return std::nullopt;
      if (!StaysInRange(model_, weight, layer.weights.inputs, edit.scale, {})) return std::nullopt;
    }
    return edit;
  }

  // Nothing unless only input 0 of linear layers reads the tensor.
  std::optional<std::vector<Layer>> LayersBehind(const std::string& tensor) const {
    const std::vector<Use>& uses = view_.Uses(tensor);
    if (uses.empty() || view_.IsGraphOutput(tensor)) return std::nullopt;
    std::vector<Layer> layers;
    for (const Use& use : uses) {
      if (use.input != 0) return std::nullopt;
      const onnx::NodeProto& node = graph_.node(use.node);
      const auto weights = FindChannelWeights(view_, node);
      if (!weights || IntAttribute(node, "transA", 0) != 0) return std::nullopt;
      layers.push_back({use.node, *weights});
    }
    return layers;
  }

  // Where what all layers read has its channels.
  std::optional<ChannelAxis> CommonAxis(const std::vector<Layer>& layers) {
    std::optional<ChannelAxis> common;
    for (const Layer& layer : layers) {
      const onnx::NodeProto& node = graph_.node(layer.node);
      int rank = layer.weights.weight->dims_size();
      const int behind = rank - 2;
      if (IsOp(node, "MatMul")) {
        const auto dims = shapes_.Of(node.input(0));
        if (!dims) return std::nullopt;
        rank = static_cast<int>(dims->size());
      }
      const ChannelAxis axis = {layer.weights.inputs.channels, behind, rank};
      if (common && *common != axis) return std::nullopt;
      common = axis;
    }
    return common;
  }

  // From the layers up.
  void Follow(int last, const ChannelAxis& axis, ScaleFold* edit) {
    for (int at = last; at >= 0;) {
      const onnx::NodeProto& node = graph_.node(at);
      if ((!IsOp(node, "Mul") && !IsOp(node, "Div")) || node.input_size() != 2) return;
      const std::string& data = node.input(ConstantOf(view_, node.input(0)) != nullptr ? 1 : 0);
      if (EndsActivation(data) || !KeepsShape(node, data, axis)) return;
      const auto step = ReadAffineStep(model_, view_, node, data, axis);
      if (!step) return;
      for (size_t c = 0; c < edit->scale.size(); ++c) edit->scale[c] *= step->multiply[c];
      edit->steps.push_back(at);
      edit->source = data;
      at = OnlyReader(view_, data) == at ? view_.Producer(data) : -1;
    }
  }

  // HardSwish: x * Clip(x + 3, 0, 6) / 6. Gelu: x * (1 + Erf(x / sqrt(2))) * 0.5.
  bool EndsActivation(const std::string& data) const {
    const int producer = view_.Producer(data);
    if (producer < 0 || !IsOp(graph_.node(producer), "Mul")) return false;
    const onnx::NodeProto& product = graph_.node(producer);
    return ConstantOf(view_, product.input(0)) == nullptr &&
           ConstantOf(view_, product.input(1)) == nullptr;
  }

  // Whether the step's result has the shape of its data: the constant adds no axis and stretches
  // none.
  bool KeepsShape(const onnx::NodeProto& step, const std::string& data, const ChannelAxis& axis) {
    const auto dims = shapes_.Of(data);
    if (!dims || static_cast<int>(dims->size()) != axis.rank) return false;
    const int64_t channels = (*dims)[dims->size() - 1 - static_cast<size_t>(axis.behind)];
    if (channels == axis.channels) return true;
    const onnx::TensorProto* operand = ConstantOf(view_, step.input(step.input(0) == data ? 1 : 0));
    return channels == kUnknownDim && operand != nullptr && ElementCount(*operand) == 1;
  }

  int Apply() {
    std::vector<bool> remove(static_cast<size_t>(graph_.node_size()), false);
    std::vector<onnx::TensorProto> made;
    std::vector<std::string> weights;  // of all layers in turn, made while the view still holds
    for (const ScaleFold& edit : edits_) {
      for (const Layer& layer : edit.layers) {
        const onnx::TensorProto& weight = *layer.weights.weight;
        weights.push_back(scaler_.Scale(weight, layer.weights.inputs, edit.scale,
                                        weight.name() + "_in_folded", &made));
      }
    }
    int folded = 0;
    auto weight = weights.begin();
    for (const ScaleFold& edit : edits_) {
      for (const Layer& layer : edit.layers) {
        onnx::NodeProto* node = graph_.mutable_node(layer.node);
        node->set_input(0, edit.source);
        node->set_input(1, *weight++);
      }
      for (const int gone : edit.steps) remove[static_cast<size_t>(gone)] = true;
      folded += static_cast<int>(edit.steps.size());
    }
    for (onnx::TensorProto& tensor : made) graph_.add_initializer()->Swap(&tensor);
    RemoveNodes(&graph_, remove);
    if (folded > 0) RaiseIrVersion(model_, 4);
    return folded;
  }

  Model& model_;
  onnx::GraphProto& graph_;
  const GraphView view_;
  StaticShapes shapes_;
  UniqueNames names_;
  WeightScaler scaler_;
  std::vector<ScaleFold> edits_;
};

}  // namespace

int FoldInputScale(PassContext& context) { return ScaleFolder(context).Run(); }

}  // namespace ptq
