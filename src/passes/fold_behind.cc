#include "passes/fold_behind.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "model/node_queries.h"
#include "passes/affine_steps.h"
#include "passes/channel_weights.h"
#include "passes/gemm_maker.h"
#include "passes/ir_version.h"

namespace ptq {
namespace {

struct Chain {
  std::vector<float> scale;  // a factor a channel
  std::optional<std::vector<float>> bias;
  bool scales = false;
  bool shifts = false;
  std::vector<int> steps;                            // that go
  std::vector<std::pair<int, std::string>> outputs;  // node -> what it writes then, in order
};

struct Edit {
  int node;
  ChannelWeights weights;
  Chain chain;
  int new_adder = -1;    // the step that becomes the Add of a MatMul's bias
  bool to_gemm = false;  // a MatMul becomes one for its bias
};

void Apply(const AffineStep& step, Chain* chain) {
  const auto at = [](const std::vector<float>& values, size_t c, float absent) {
    return values.empty() ? absent : values[c];
  };
  const bool shifts = !step.subtract.empty() || !step.add.empty();
  const bool had_bias = chain->bias.has_value();
  if (shifts && !had_bias) chain->bias.emplace(chain->scale.size(), 0.0f);
  for (size_t c = 0; chain->bias && c < chain->scale.size(); ++c) {
    float& bias = (*chain->bias)[c];
    const float subtract = at(step.subtract, c, 0.0f);
    const float multiply = at(step.multiply, c, 1.0f);
    const float add = at(step.add, c, 0.0f);
    bias = had_bias ? (bias - subtract) * multiply + add : add - subtract * multiply;
  }
  for (size_t c = 0; c < step.multiply.size(); ++c) chain->scale[c] *= step.multiply[c];
  chain->scales |= !step.multiply.empty();
  chain->shifts |= shifts;
}

class Folder {
 public:
  Folder(PassContext& context, std::span<const std::string_view> folded, std::string suffix)
      : model_(context.model),
        graph_(context.model.graph()),
        view_(context.model.graph()),
        shapes_(context),
        names_(context.model.graph()),
        scaler_(context.model, view_, &names_),
        folded_(folded),
        suffix_(std::move(suffix)) {}

  int Run() {
    for (int i = 0; i < graph_.node_size(); ++i) {
      if (std::optional<Edit> edit = Find(i)) edits_.push_back(*std::move(edit));
    }
    for (const Edit& edit : edits_) {
      if (edit.chain.scales)
        scaler_.Want(*edit.weights.weight, edit.weights.outputs, edit.chain.scale);
    }
    std::erase_if(edits_, [&](const Edit& edit) {
      return edit.chain.scales && !scaler_.MayScale(*edit.weights.weight);
    });
    return Apply();
  }

 private:
  ChannelAxis AxisOf(const onnx::NodeProto& node, const ChannelWeights& weights) {
    const int64_t channels = weights.outputs.channels;
    if (IsOp(node, "MatMul")) {
      const auto dims = shapes_.Of(node.output(0));
      return {channels, 0, dims ? static_cast<int>(dims->size()) : kUnknownRank};
    }
    const int rank = weights.weight->dims_size();
    return {channels, rank - 2, rank};
  }

  std::optional<Edit> Find(int index) {
    const onnx::NodeProto& node = graph_.node(index);
    std::optional<ChannelWeights> weights = FindChannelWeights(view_, node);
    if (!weights) return std::nullopt;
    const int last = weights->adder >= 0 ? weights->adder : index;
    int reader = NextReader(last);
    while (reader >= 0 && MovesValues(graph_.node(reader))) reader = NextReader(reader);
    if (reader < 0 || !IsFolded(graph_.node(reader))) return std::nullopt;
    Edit edit{index, *weights, Follow(last, AxisOf(node, *weights), *weights)};
    const Chain& chain = edit.chain;
    if (chain.steps.empty()) return std::nullopt;
    if (chain.shifts && IsOp(node, "MatMul") && weights->adder < 0 && !MayTakeBias(node, &edit)) {
      return std::nullopt;
    }
    const std::vector<float> none;
    if (!StaysInRange(model_, *weights->weight, weights->outputs, chain.scale,
                      chain.bias ? *chain.bias : none)) {
      return std::nullopt;
    }
    return edit;
  }

  // The only reader of what the node writes, or -1. Later in the graph, even where a name is
  // written twice.
  int NextReader(int node) const {
    const int reader = OnlyReader(view_, graph_.node(node).output(0));
    return reader > node ? reader : -1;
  }

  bool IsFolded(const onnx::NodeProto& node) const {
    return !ScalesAttention(node) &&
           std::any_of(folded_.begin(), folded_.end(),
                       [&](std::string_view op_type) { return IsOp(node, op_type); });
  }

  // The scale of an attention stays where it can be recognized: before a product of activations.
  bool ScalesAttention(const onnx::NodeProto& node) const {
    if (!IsOp(node, "Mul") && !IsOp(node, "Div")) return false;
    const std::vector<Use>& uses = view_.Uses(node.output(0));
    return std::any_of(uses.begin(), uses.end(), [&](const Use& use) {
      const onnx::NodeProto& reader = graph_.node(use.node);
      return IsOp(reader, "MatMul") && view_.Initializer(reader.input(0)) == nullptr &&
             view_.Initializer(reader.input(1)) == nullptr;
    });
  }

  // From the last node of the layer on.
  Chain Follow(int last, std::optional<ChannelAxis> axis, const ChannelWeights& weights) {
    Chain chain;
    chain.scale.assign(static_cast<size_t>(axis->channels), 1.0f);
    if (weights.bias != nullptr) chain.bias = ReadBias(model_, weights);
    int writer = last;
    for (int at = last;;) {
      const int reader = NextReader(at);
      if (reader < 0) return chain;
      const std::string& data = graph_.node(at).output(0);
      const onnx::NodeProto& node = graph_.node(reader);
      if (MovesValues(node) && node.input(0) == data) {
        axis = MovedAxis(node, *axis, &shapes_);
        if (!axis) return chain;
        writer = reader;
      } else if (IsFolded(node)) {
        const auto step = ReadAffineStep(model_, view_, node, data, *axis);
        if (!step) return chain;
        ptq::Apply(*step, &chain);
        chain.steps.push_back(reader);
        chain.outputs.emplace_back(writer, node.output(0));
      } else {
        return chain;
      }
      at = reader;
    }
  }

  // Where a MatMul without a bias gets one.
  bool MayTakeBias(const onnx::NodeProto& node, Edit* edit) {
    const Chain& chain = edit->chain;
    const onnx::NodeProto& first = graph_.node(chain.steps[0]);
    const bool follows = first.input(0) == node.output(0) || first.input(1) == node.output(0);
    // It has its bias; FuseMatMulAdd makes them one.
    if (follows && chain.steps.size() == 1 && IsOp(first, "Add")) return false;
    const auto dims = shapes_.Of(node.input(0));
    edit->to_gemm = dims && dims->size() == 2 && model_.Opset() >= kOpsetOfGemm;
    if (!edit->to_gemm && follows) edit->new_adder = chain.steps[0];
    return edit->to_gemm || follows;
  }

  int Apply() {
    std::vector<bool> remove(static_cast<size_t>(graph_.node_size()), false);
    std::vector<onnx::TensorProto> made;
    int changes = 0;
    struct Names {
      std::string weight, bias;
    };
    std::vector<Names> operands;  // made while the view still holds
    for (const Edit& edit : edits_) {
      const ChannelWeights& weights = edit.weights;
      Names names{weights.weight->name(), ""};
      if (edit.chain.scales) {
        names.weight = scaler_.Scale(*weights.weight, weights.outputs, edit.chain.scale,
                                     names.weight + suffix_, &made);
      }
      if (edit.chain.bias) {
        names.bias =
            names_.Make(weights.bias == nullptr ? weights.weight->name() + suffix_ + "_bias"
                                                : weights.bias->name() + suffix_);
        made.push_back(NewBias(model_, weights, *edit.chain.bias, names.bias));
      }
      operands.push_back(std::move(names));
    }
    for (size_t i = 0; i < edits_.size(); ++i) {
      const Edit& edit = edits_[i];
      onnx::NodeProto* node = graph_.mutable_node(edit.node);
      const std::string product = node->output(0);
      node->set_input(1, operands[i].weight);
      for (const auto& [writer, output] : edit.chain.outputs) {
        const bool adds = edit.new_adder >= 0 && writer == edit.node;
        graph_.mutable_node(adds ? edit.new_adder : writer)->set_output(0, output);
      }
      for (const int gone : edit.chain.steps) {
        remove[static_cast<size_t>(gone)] = gone != edit.new_adder;
      }
      changes += static_cast<int>(edit.chain.steps.size());
      if (!edit.chain.bias) continue;
      if (edit.to_gemm) node->set_op_type("Gemm");
      const int adder = edit.new_adder >= 0 ? edit.new_adder : edit.weights.adder;
      if (adder < 0) {
        while (node->input_size() < 3) node->add_input();
        node->set_input(2, operands[i].bias);
        continue;
      }
      onnx::NodeProto* add = graph_.mutable_node(adder);
      add->set_op_type("Add");
      add->clear_attribute();
      add->clear_input();
      add->add_input(product);
      add->add_input(operands[i].bias);
    }
    for (onnx::TensorProto& tensor : made) graph_.add_initializer()->Swap(&tensor);
    RemoveNodes(&graph_, remove);
    if (!edits_.empty()) RaiseIrVersion(model_, 4);
    return changes;
  }

  Model& model_;
  onnx::GraphProto& graph_;
  const GraphView view_;
  StaticShapes shapes_;
  UniqueNames names_;
  WeightScaler scaler_;
  const std::span<const std::string_view> folded_;
  const std::string suffix_;
  std::vector<Edit> edits_;
};

}  // namespace

int FoldBehind(PassContext& context, std::span<const std::string_view> folded,
               const std::string& suffix) {
  return Folder(context, folded, suffix).Run();
}

}  // namespace ptq
