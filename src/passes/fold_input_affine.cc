// Mul, Div, Add and Sub of constants that are one number a channel, and BatchNormalization, in
// front of a linear layer become part of it.
//
//   before: m = Sub(x, t)   n = Mul(m, s)   y = Gemm(n, W, B)       after: y = Gemm(x, W', B')
//
//   W'[input] = W[input] * s[input]     B' = B - sum over inputs of W * s * t
//
// What is added goes into the bias of a Gemm, of a MatMul that has one, and of a Conv that pads
// nothing: elsewhere the edges of the result differ from its middle. All that read n have to be such
// layers; no weight becomes two. How exporters write the normalization of a model's input. The last
// factor of an activation function that is written out stays, because it is recognized by that.
#include <algorithm>
#include <optional>
#include <string>
#include <unordered_set>
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

struct Layer {
  int node;
  ChannelWeights weights;
  std::vector<float> bias;  // the new one; empty where it stays
};

struct Edit {
  std::vector<Layer> layers;
  std::vector<int> steps;  // that go, the last one first
  std::string source;      // what the layers read then
  std::vector<float> scale, shift;
  bool scales = false;
  bool shifts = false;
};

bool PadsNothing(const onnx::NodeProto& conv) {
  const std::string automatic = StringAttribute(conv, "auto_pad", "NOTSET");
  const std::vector<int64_t> pads = IntsAttribute(conv, "pads");
  return automatic == "VALID" ||
         (automatic == "NOTSET" &&
          std::all_of(pads.begin(), pads.end(), [](int64_t pad) { return pad == 0; }));
}

bool TakesShift(const onnx::NodeProto& node, const ChannelWeights& weights) {
  if (IsOp(node, "Conv")) return PadsNothing(node);
  return IsOp(node, "Gemm") || weights.adder >= 0;
}

// The sum over inputs of weight * shift, for each output. Read in windows.
std::vector<double> ShiftedSums(const Model& model, const ChannelWeights& weights,
                                const std::vector<float>& shift) {
  std::vector<double> sums(static_cast<size_t>(weights.outputs.channels), 0.0);
  model.tensors().VisitFloats(*weights.weight, [&](uint64_t first, std::span<const float> window) {
    for (size_t i = 0; i < window.size(); ++i) {
      sums[weights.outputs.ChannelOf(first + i)] +=
          double{window[i]} * double{shift[weights.inputs.ChannelOf(first + i)]};
    }
  });
  return sums;
}

class Folder {
 public:
  explicit Folder(PassContext& context)
      : model_(context.model),
        graph_(context.model.graph()),
        view_(context.model.graph()),
        shapes_(context.model),
        names_(context.model.graph()),
        scaler_(context.model, view_, &names_) {}

  int Run() {
    for (const onnx::NodeProto& node : graph_.node()) {
      const auto weights = FindChannelWeights(view_, node);
      if (weights && weights->adder >= 0) adders_.insert(weights->adder);
    }
    for (int i = 0; i < graph_.node_size(); ++i) {
      if (std::optional<Edit> edit = Find(i)) edits_.push_back(*std::move(edit));
    }
    for (const Edit& edit : edits_) {
      for (const Layer& layer : edit.layers) {
        if (edit.scales) scaler_.Want(*layer.weights.weight, layer.weights.inputs, edit.scale);
      }
    }
    std::erase_if(edits_, [&](const Edit& edit) {
      return edit.scales && std::any_of(edit.layers.begin(), edit.layers.end(), [&](const Layer& l) {
               return !scaler_.MayScale(*l.weights.weight);
             });
    });
    return Apply();
  }

 private:
  // The Add of a MatMul's bias is part of that layer.
  bool IsStep(int index) const {
    const onnx::NodeProto& node = graph_.node(index);
    return !adders_.contains(index) && node.input_size() >= 2 &&
           (IsOp(node, "Mul") || IsOp(node, "Div") || IsOp(node, "Add") || IsOp(node, "Sub") ||
            IsOp(node, "BatchNormalization"));
  }

  // HardSwish: x * Clip(x + 3, 0, 6) / 6. Gelu: x * (1 + Erf(x / sqrt(2))) * 0.5.
  bool EndsActivation(const onnx::NodeProto& step, const std::string& data) const {
    const int producer = view_.Producer(data);
    if (producer < 0 || !(IsOp(step, "Mul") || IsOp(step, "Div"))) return false;
    const onnx::NodeProto& product = graph_.node(producer);
    return IsOp(product, "Mul") && ConstantOf(view_, product.input(0)) == nullptr &&
           ConstantOf(view_, product.input(1)) == nullptr;
  }

  // The operand that is no constant.
  const std::string& DataOf(const onnx::NodeProto& step) const {
    return step.input(ConstantOf(view_, step.input(0)) != nullptr ? 1 : 0);
  }

  // `last` is the step that the layers read.
  std::optional<Edit> Find(int last) {
    if (!IsStep(last)) return std::nullopt;
    std::optional<std::vector<Layer>> layers = LayersBehind(graph_.node(last).output(0));
    if (!layers) return std::nullopt;
    const std::optional<ChannelAxis> axis = CommonAxis(*layers);
    if (!axis) return std::nullopt;
    Edit edit;
    edit.layers = *std::move(layers);
    const auto channels = static_cast<size_t>(axis->channels);
    edit.scale.assign(channels, 1.0f);
    edit.shift.assign(channels, 0.0f);
    Follow(last, *axis, &edit);
    if (edit.steps.empty() || !Settle(&edit)) return std::nullopt;
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
      layers.push_back({use.node, *weights, {}});
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
      if (common && (common->channels != axis.channels || common->behind != axis.behind ||
                     common->rank != axis.rank)) {
        return std::nullopt;
      }
      common = axis;
    }
    return common;
  }

  // From the layers up.
  void Follow(int last, const ChannelAxis& axis, Edit* edit) {
    const bool takes_shift =
        std::all_of(edit->layers.begin(), edit->layers.end(), [&](const Layer& layer) {
          return TakesShift(graph_.node(layer.node), layer.weights);
        });
    for (int at = last; at >= 0;) {
      if (!IsStep(at)) return;
      const onnx::NodeProto& node = graph_.node(at);
      const std::string& data = DataOf(node);
      if (EndsActivation(node, data) || !KeepsShape(node, data, axis)) return;
      const auto step = ReadAffineStep(model_, view_, node, data, axis);
      if (!step) return;
      const bool shifts = !step->subtract.empty() || !step->add.empty();
      if (shifts && !takes_shift) return;
      for (size_t c = 0; c < edit->scale.size(); ++c) {
        const float multiply = step->multiply.empty() ? 1.0f : step->multiply[c];
        const float subtract = step->subtract.empty() ? 0.0f : step->subtract[c];
        const float add = step->add.empty() ? 0.0f : step->add[c];
        edit->shift[c] += edit->scale[c] * (add - subtract * multiply);
        edit->scale[c] *= multiply;
      }
      edit->scales |= !step->multiply.empty();
      edit->shifts |= shifts;
      edit->steps.push_back(at);
      edit->source = data;
      at = OnlyReader(view_, data) == at ? view_.Producer(data) : -1;
    }
  }

  // Whether the step's result has the shape of its data: the constant adds no axis and stretches
  // none.
  bool KeepsShape(const onnx::NodeProto& step, const std::string& data, const ChannelAxis& axis) {
    const auto dims = shapes_.Of(data);
    if (!dims || static_cast<int>(dims->size()) != axis.rank) return false;
    const int64_t channels = (*dims)[dims->size() - 1 - static_cast<size_t>(axis.behind)];
    if (channels == axis.channels) return true;
    const onnx::TensorProto* operand =
        ConstantOf(view_, step.input(step.input(0) == data ? 1 : 0));
    return channels == kUnknownDim && operand != nullptr && ElementCount(*operand) == 1;
  }

  // The new biases; false where the edit must not be.
  bool Settle(Edit* edit) {
    for (Layer& layer : edit->layers) {
      const ChannelWeights& weights = layer.weights;
      // What another group wants of a weight that both share must not decide over half of this one.
      if (edit->scales && edit->layers.size() > 1 && !scaler_.IsFree(*weights.weight)) return false;
      if (edit->shifts) {
        layer.bias.assign(static_cast<size_t>(weights.outputs.channels), 0.0f);
        if (weights.bias != nullptr) layer.bias = ReadBias(model_, weights);
        const std::vector<double> sums = ShiftedSums(model_, weights, edit->shift);
        for (size_t c = 0; c < sums.size(); ++c) {
          layer.bias[c] = static_cast<float>(layer.bias[c] + double{weights.factor} * sums[c]);
        }
      }
      if (!StaysInRange(model_, *weights.weight, weights.inputs, edit->scale, layer.bias)) {
        return false;
      }
    }
    return true;
  }

  int Apply() {
    std::vector<bool> remove(static_cast<size_t>(graph_.node_size()), false);
    std::vector<onnx::TensorProto> made;
    struct Change {
      int node, input;
      std::string tensor;
    };
    std::vector<Change> changes;  // made while the view still holds
    int folded = 0;
    for (const Edit& edit : edits_) {
      for (const Layer& layer : edit.layers) {
        const onnx::TensorProto& weight = *layer.weights.weight;
        changes.push_back({layer.node, 0, edit.source});
        if (edit.scales) {
          changes.push_back({layer.node, 1,
                             scaler_.Scale(weight, layer.weights.inputs, edit.scale,
                                           weight.name() + "_in_folded", &made)});
        }
        if (layer.bias.empty()) continue;
        const onnx::TensorProto* bias = layer.weights.bias;
        const std::string name =
            names_.Make(bias == nullptr ? weight.name() + "_in_folded_bias"
                                        : bias->name() + "_in_folded");
        made.push_back(NewBias(model_, layer.weights, layer.bias, name));
        const int adder = layer.weights.adder;
        if (adder < 0) {
          changes.push_back({layer.node, 2, name});
        } else {
          const bool second = graph_.node(adder).input(0) == graph_.node(layer.node).output(0);
          changes.push_back({adder, second ? 1 : 0, name});
        }
      }
      for (const int gone : edit.steps) remove[static_cast<size_t>(gone)] = true;
      folded += static_cast<int>(edit.steps.size());
    }
    for (const Change& change : changes) {
      onnx::NodeProto* node = graph_.mutable_node(change.node);
      while (node->input_size() <= change.input) node->add_input();
      node->set_input(change.input, change.tensor);
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
  std::unordered_set<int> adders_;
  std::vector<Edit> edits_;
};

}  // namespace

int FoldInputAffine(PassContext& context) { return Folder(context).Run(); }

}  // namespace ptq
