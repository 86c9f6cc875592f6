#include "quantization/mark_qdq.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "model/attributes.h"
#include "model/node_queries.h"
#include "quantization/layer_io.h"
#include "quantization/new_values.h"

namespace ptq {
namespace {

// Names of copies of a bias: "<bias><N>", N one above the largest number that follows the name.
class BiasCopies {
 public:
  explicit BiasCopies(const onnx::GraphProto& graph) : names_(graph) {
    for (const onnx::TensorProto& initializer : graph.initializer()) Note(initializer.name());
  }

  std::string Make(const std::string& bias) {
    const auto found = largest_.find(bias);
    const std::string name =
        names_.Make(bias + std::to_string(found == largest_.end() ? 0 : found->second + 1));
    Note(name);
    return name;
  }

 private:
  void Note(const std::string& name) {
    int64_t value = 0;
    int64_t place = 1;
    // At most 18 digits: beyond, the number would not fit (and is nobody's counter).
    for (size_t i = name.size(); i > 0 && name.size() - i < 18; --i) {
      const char digit = name[i - 1];
      if (digit < '0' || digit > '9') break;
      value += (digit - '0') * place;
      place *= 10;
      auto [entry, is_new] = largest_.try_emplace(name.substr(0, i - 1), value);
      if (!is_new) entry->second = std::max(entry->second, value);
    }
  }

  UniqueNames names_;
  std::unordered_map<std::string, int64_t> largest_;
};

// A Relu or Clip that goes, and the mark of the tensor that fed it.
struct Removal {
  int node;
  size_t mark;
};

class QdqMarker {
 public:
  QdqMarker(const PlanContext& context, QuantPlan* plan)
      : context_(context),
        config_(context.config()),
        plan_(plan),
        copies_(context.model().graph()) {}

  QdqMarks Run() {
    plan_->nodes.resize(static_cast<size_t>(context_.node_count()));
    for (node_index_ = 0; node_index_ < context_.node_count(); ++node_index_) {
      const onnx::NodeProto& node = context_.node(node_index_);
      NodePlan& node_plan = plan_->nodes[static_cast<size_t>(node_index_)];
      node_plan.reason = context_.ReasonToSkip(node);
      node_plan.selected = node_plan.reason.empty();
      if (node_plan.selected) MarkNode(node, &node_plan);
    }
    SettleRemovals();
    KeepScalarsForSharing();
    DropMarks();
    return std::move(result_);
  }

 private:
  // A tensor of the node that calibration observed but never saw a value of, because no sample took
  // its branch or it was always empty or NaN. "" where there is none.
  std::string ValuelessTensor(const onnx::NodeProto& node) const {
    const auto find = [this](const auto& tensors) -> std::string {
      for (const std::string& tensor : tensors) {
        if (context_.IsValueless(tensor) && !context_.ActivationParams(tensor)) return tensor;
      }
      return "";
    };
    const std::string input = find(node.input());
    return input.empty() ? find(node.output()) : input;
  }

  void MarkNode(const onnx::NodeProto& node, NodePlan* node_plan) {
    if (const std::string tensor = ValuelessTensor(node); !tensor.empty()) {
      node_plan->reason = {FloatReasonCode::kNoValues,
                           Text("its tensor '") + tensor + "' was empty or NaN in every sample"};
      plan_->diagnostics.push_back({Severity::kWarning, "TENSOR_WITHOUT_VALUES",
                                    "The tensor was empty or NaN in every sample, so what makes or "
                                    "reads it stays float.",
                                    node.name(), tensor, ""});
      return;
    }
    if (ReadsQuantizedOnly(node)) {
      node_plan->reason = {FloatReasonCode::kAlreadyQuantized, "it reads quantized data already"};
      // Without an int32 bias runtimes would not run it on integers.
      if (HasBias(node) && !IsDequantized(context_.view(), node.input(2))) {
        MarkBias(node, {1, FloatAttribute(node, "beta", 1)});
      }
      return;
    }
    output_excluded_ = config_.op_types_to_exclude_output_quantization.contains(node.op_type()) ||
                       (config_.layer_io && WritesFloat(node));
    const OpTraits traits = TraitsOf(node);
    node_plan->reason = LackOf(node, traits);
    if (!node_plan->reason.empty()) return;
    switch (QdqRuleOf(node.op_type())) {
      case QdqRule::kConcat:
        if (IsFloat16Concat(node)) {
          node_plan->reads_float = true;
          node_plan->reason = {
              FloatReasonCode::kUnsupportedType,
              "onnxruntime would fuse it into QLinearConcat, which has no float16 form"};
          break;
        }
        MarkAll(node);
        break;
      case QdqRule::kGeneric:
        MarkAll(node);
        break;
      case QdqRule::kConv:
        MarkConv(node, traits.channel_axis, {});
        break;
      case QdqRule::kGemm:
        MarkConv(node, IntAttribute(node, "transB", 0) > 0 ? 0 : 1,
                 {1, FloatAttribute(node, "beta", 1)});
        break;
      case QdqRule::kMatMul:
        MarkMatMul(node);
        break;
      case QdqRule::kRemovable:
        MarkRemovable(node, node_plan);
        break;
      case QdqRule::kSharedOutput:
        if (config_.force_quantize_no_input_check) MarkActivation(node.input(0));
        if (!IsMarked(node.input(0)) || output_excluded_) break;
        if (NewValuesOf(node).empty()) {
          MarkShared(node.output(0), node.input(0));
        } else {
          MarkActivation(node.output(0));
        }
        break;
      case QdqRule::kGather:
        if (context_.FloatInitializer(node.input(0)) != nullptr ||
            config_.force_quantize_no_input_check) {
          MarkActivation(node.input(0));
        }
        if (IsMarked(node.input(0)) && !output_excluded_) MarkShared(node.output(0), node.input(0));
        break;
      case QdqRule::kSplit:
        MarkActivation(node.input(0));
        if (!output_excluded_) {
          for (const std::string& output : node.output()) MarkShared(output, node.input(0));
        }
        break;
      case QdqRule::kPad:
        for (const std::string& input : node.input()) MarkActivation(input);
        if (output_excluded_) break;
        if (PadsWithKnownValue(node)) {
          MarkShared(node.output(0), node.input(0));
        } else {
          MarkActivation(node.output(0));
        }
        break;
      case QdqRule::kWhere:
        if (config_.force_quantize_no_input_check) {
          MarkActivation(node.input(1));
          MarkActivation(node.input(2));
        }
        if (IsMarked(node.input(1)) && IsMarked(node.input(2))) MarkOutputs(node);
        break;
      case QdqRule::kNormalization:
        MarkNormalization(node);
        break;
    }
  }

  // Whether input 2 is an int32 bias in the operator's integer form, and there.
  static bool HasBias(const onnx::NodeProto& node) {
    const QdqRule rule = QdqRuleOf(node.op_type());
    const bool takes_bias =
        rule == QdqRule::kConv || rule == QdqRule::kGemm || rule == QdqRule::kNormalization;
    return takes_bias && HasInput(node, 2);
  }

  // Between the Q/DQ pairs of the model as given; its bias may be float.
  bool ReadsQuantizedOnly(const onnx::NodeProto& node) const {
    int quantized = 0;
    for (int i = 0; i < (HasBias(node) ? 2 : node.input_size()); ++i) {
      if (!context_.IsFloat(node.input(i))) continue;
      if (!IsDequantized(context_.view(), node.input(i))) return false;
      ++quantized;
    }
    return quantized > 0;
  }

  static OpTraits TraitsOf(const onnx::NodeProto& node) {
    const OpRow* row = FindOp(node.op_type());
    return row == nullptr ? OpTraits{} : row->traits;
  }

  // What the node asks for and its integer form lacks.
  FloatReason LackOf(const onnx::NodeProto& node, const OpTraits& traits) const {
    if (context_.opset() < traits.min_opset) return NeedsOpset(traits.min_opset);
    if (traits.unit_dilations && !HasUnitDilations(node)) return LacksDilations();
    if (!traits.float8 && IsFloat8(config_.activation_type)) {
      return {FloatReasonCode::kUnsupportedType, Text() + node.op_type() + " has no float8 form"};
    }
    return {};
  }

  // QdqRule::kConcat on float16: it reads and writes float data.
  bool IsFloat16Concat(const onnx::NodeProto& node) const {
    return QdqRuleOf(node.op_type()) == QdqRule::kConcat &&
           context_.FloatTypeOfTensor(node.output(0)) == FloatType::kFloat16;
  }

  bool IsReadAsFloatBy(const Use& use) const {
    const onnx::NodeProto& reader = context_.node(use.node);
    return use.input >= 0 && IsFloat16Concat(reader) && context_.ReasonToSkip(reader).empty();
  }

  // Whether all readers take the tensor as float, so that a Q/DQ pair would serve nobody.
  bool IsReadAsFloatOnly(const std::string& tensor) const {
    const std::vector<Use>& uses = context_.view().Uses(tensor);
    return context_.FloatTypeOfTensor(tensor) == FloatType::kFloat16 && !uses.empty() &&
           !context_.view().IsGraphOutput(tensor) &&
           std::all_of(uses.begin(), uses.end(),
                       [this](const Use& u) { return IsReadAsFloatBy(u); });
  }

  void MarkAll(const onnx::NodeProto& node) {
    for (const std::string& input : node.input()) MarkActivation(input);
    MarkOutputs(node);
  }

  void MarkOutputs(const onnx::NodeProto& node) {
    if (output_excluded_) return;
    for (const std::string& output : node.output()) MarkActivation(output);
  }

  void MarkConv(const onnx::NodeProto& node, int64_t channel_axis, BiasFactors factors) {
    MarkActivation(node.input(0));
    MarkOutputs(node);
    MarkWeight(node.input(1), channel_axis);
    if (node.input_size() == 3) MarkBias(node, factors);
  }

  // The channel axis that QDQOpTypePerChannelSupportToAxis gives the op type, or `otherwise`.
  std::optional<int64_t> ChosenAxis(const onnx::NodeProto& node,
                                    std::optional<int64_t> otherwise) const {
    const auto chosen = config_.qdq_op_type_per_channel_support_to_axis.find(node.op_type());
    return chosen == config_.qdq_op_type_per_channel_support_to_axis.end() ? otherwise
                                                                           : chosen->second;
  }

  void MarkMatMul(const onnx::NodeProto& node) {
    for (int i = 0; i < node.input_size(); ++i) {
      const std::string& input = node.input(i);
      const onnx::TensorProto* initializer = context_.view().Initializer(input);
      if (initializer == nullptr) {
        MarkActivation(input);
        continue;
      }
      // Per channel only for a matrix on the right: onnxruntime fuses the DequantizeLinear of any
      // other into a QLinearMatMul, which takes no vector of scales there (axis 1 is K or a batch).
      const bool columns = i == 1 && initializer->dims_size() == 2;
      MarkWeight(input, ChosenAxis(node, columns ? std::optional<int64_t>(1) : std::nullopt));
    }
    MarkOutputs(node);
  }

  void MarkNormalization(const onnx::NodeProto& node) {
    MarkActivation(node.input(0));
    MarkWeight(node.input(1), ChosenAxis(node, 1));
    if (node.input_size() > 2 && !node.input(2).empty()) MarkBias(node, {});
    MarkOutputs(node);
  }

  void MarkRemovable(const onnx::NodeProto& node, NodePlan* node_plan) {
    const std::string& input = node.input(0);
    if (!IsMarked(input)) {
      node_plan->reason = InputNotQuantized();
      return;
    }
    if (MayRemove(node)) {
      node_plan->action = NodeAction::kRemoved;
      removals_.push_back({node_index_, result_.index.at(input)});
      result_.index.erase(input);
    }
    MarkOutputs(node);
  }

  // A Relu stays after all where its output is quantized by nobody: neither by itself
  // (OpTypesToExcludeOutputQuantization) nor by a later reader.
  void SettleRemovals() {
    std::vector<Removal> settled;
    for (const Removal& removal : removals_) {
      const onnx::NodeProto& node = context_.node(removal.node);
      if (result_.index.contains(node.output(0)) || bias_names_.contains(node.output(0)) ||
          IsRemovedInput(node.output(0))) {
        plan_->renamed_outputs[node.input(0)] = node.output(0);
        settled.push_back(removal);
        continue;
      }
      plan_->nodes[static_cast<size_t>(removal.node)].action = NodeAction::kFloat;
      result_.index.emplace(node.input(0), removal.mark);
    }
    removals_ = std::move(settled);
  }

  // Whether a removed node reads the tensor: then it is quantized behind that node.
  bool IsRemovedInput(const std::string& tensor) const {
    return std::any_of(removals_.begin(), removals_.end(), [&](const Removal& removal) {
      return context_.node(removal.node).input(0) == tensor;
    });
  }

  bool MayRemove(const onnx::NodeProto& node) const {
    const std::string& input = node.input(0);
    const GraphView& view = context_.view();
    if (config_.activation_symmetric || config_.qdq_keep_removable_activations) return false;
    if (IsConverted(input) || IsConverted(node.output(0))) return false;
    const int producer = view.Producer(input);
    if (producer < 0 || IsQuantizationNode(context_.node(producer))) return false;
    if (view.GraphOf(producer) != view.GraphOf(node_index_)) return false;
    if (view.Uses(input).size() != 1 || view.IsGraphOutput(input)) return false;
    if (context_.Range(input) == nullptr || !IsReadDequantizedOnly(node.output(0))) return false;
    const std::optional<QuantParams> params = context_.ActivationParams(node.output(0));
    return params && context_.ClipsNothing(node, *params);
  }

  bool IsConverted(const std::string& tensor) const {
    const TensorOverride* override = config_.Override(tensor);
    return override != nullptr && override->convert.has_value();
  }

  // Whether every reader of `tensor` will be behind its Q/DQ pair, which is what clips once the
  // Relu is gone.
  bool IsReadDequantizedOnly(const std::string& tensor) const {
    int selected = 0;
    int others = context_.view().IsGraphOutput(tensor) ? 1 : 0;
    for (const Use& use : context_.view().Uses(tensor)) {
      if (use.input < 0) return false;  // read inside a subgraph
      if (IsReadAsFloatBy(use)) return false;
      (context_.ReasonToSkip(context_.node(use.node)).empty() ? selected : others) += 1;
    }
    // DedicatedQDQPair: where several selected nodes read it, the others get float data.
    const bool dedicated = config_.dedicated_qdq_pair && selected > 1;
    return !dedicated || others == 0;
  }

  // Reflected, repeated and wrapped values are the input's own; 0 is in every quantized range.
  bool PadsWithKnownValue(const onnx::NodeProto& node) const {
    const std::string mode = StringAttribute(node, "mode", "constant");
    if (mode == "reflect" || mode == "edge" || mode == "wrap") return true;
    if (mode != "constant") return false;
    if (context_.opset() < 11) return FloatAttribute(node, "value", 0) == 0;
    if (node.input_size() < 3 || node.input(2).empty()) return true;
    const onnx::TensorProto* value = context_.FloatInitializer(node.input(2));
    return value != nullptr && ElementCount(*value) == 1 &&
           context_.model().tensors().ReadFloats(*value)[0] == 0;
  }

  bool IsMarked(const std::string& tensor) const {
    return result_.index.contains(tensor) || bias_names_.contains(tensor);
  }

  QdqMark* AddMark(const std::string& tensor) {
    const auto [entry, is_new] = result_.index.try_emplace(tensor, result_.marks.size());
    if (is_new) {
      result_.marks.push_back({tensor});
      result_.marks.back().node = node_index_;
    }
    return &result_.marks[entry->second];
  }

  // A QuantizeLinear of the model as given reads it: with a pair before that one it would be
  // quantized twice.
  bool IsQuantizedNext(const std::string& tensor) const {
    const std::vector<Use>& uses = context_.view().Uses(tensor);
    return std::any_of(uses.begin(), uses.end(), [this](const Use& use) {
      return context_.node(use.node).op_type() == "QuantizeLinear";
    });
  }

  // Whether it may have a Q/DQ pair.
  bool TakesPair(const std::string& tensor) const {
    return !tensor.empty() && context_.IsFloat(tensor) && !context_.IsLeftFloat(tensor) &&
           !IsReadAsFloatOnly(tensor) && !IsQuantizedNext(tensor);
  }

  void MarkActivation(const std::string& tensor) {
    if (!TakesPair(tensor)) return;
    AddMark(tensor);
  }

  // The tensor takes the parameters of `provider`, whatever it was marked as before.
  void MarkShared(const std::string& tensor, const std::string& provider) {
    if (!TakesPair(tensor)) return;
    QdqMark* mark = AddMark(tensor);
    mark->weight = false;
    mark->shares_with = provider;
    mark->sharing_node = node_index_;
  }

  // The axis along which `tensor` is quantized per channel. `channel_axis`: of the output channels;
  // nullopt: per tensor, unless an override says otherwise.
  std::optional<int64_t> PerChannelAxis(const std::string& tensor,
                                        std::optional<int64_t> channel_axis) const {
    const onnx::TensorProto* initializer = context_.view().Initializer(tensor);
    const TensorOverride* override = config_.Override(tensor);
    if (initializer == nullptr) return std::nullopt;
    if (override != nullptr) channel_axis = override->axis;
    if (!channel_axis || (override == nullptr && !config_.per_channel)) return std::nullopt;
    const int64_t rank = initializer->dims_size();
    if (*channel_axis < -rank || *channel_axis >= rank) return std::nullopt;
    return *channel_axis < 0 ? *channel_axis + rank : *channel_axis;
  }

  void MarkWeight(const std::string& tensor, std::optional<int64_t> channel_axis) {
    if (tensor.empty() || !context_.IsFloat(tensor)) return;
    if (const std::optional<int64_t> axis = PerChannelAxis(tensor, channel_axis)) {
      QdqMark* mark = AddMark(tensor);
      // Two nodes with different channel axes: no vector of scales suits both.
      if (mark->weight && mark->axis != axis) {
        mark->axis.reset();
      } else {
        mark->axis = axis;
      }
      mark->weight = true;
    } else if (!result_.index.contains(tensor)) {
      AddMark(tensor)->weight = true;
    } else {
      result_.marks[result_.index.at(tensor)].axis.reset();
    }
  }

  void MarkBias(const onnx::NodeProto& node, BiasFactors factors) {
    const std::string& bias = node.input(2);
    if (bias.empty()) return;
    // A bias with an override is quantized like a weight.
    if (config_.Override(bias) != nullptr) {
      MarkWeight(bias, 0);
      return;
    }
    if (context_.FloatInitializer(bias) == nullptr) {
      if (config_.quantize_bias && context_.view().Initializer(bias) == nullptr) {
        Warn("BIAS_NOT_CONSTANT", node, bias,
             "The bias of this node is computed, so it stays float.");
      }
      return;
    }
    // A scale belongs to one node, and so does a bias that is multiplied by beta on the way.
    const bool taken = bias_names_.contains(bias);
    const bool shared_value = factors.beta != 1 && context_.view().Uses(bias).size() > 1;
    const bool elsewhere = context_.view().Owner(bias) != context_.view().GraphOf(node_index_);
    const std::string name = taken || shared_value || elsewhere ? copies_.Make(bias) : bias;
    bias_names_.insert(name);
    plan_->biases.push_back({node_index_, bias, name, node.input(0), node.input(1), factors});
  }

  void Warn(const char* code, const onnx::NodeProto& node, const std::string& tensor,
            const char* message) {
    plan_->diagnostics.push_back({Severity::kInfo, code, message, node.name(), tensor, ""});
  }

  // The marks of what fed the removed nodes.
  std::unordered_set<size_t> Dropped() const {
    std::unordered_set<size_t> dropped;
    for (const Removal& removal : removals_) dropped.insert(removal.mark);
    return dropped;
  }

  // A weight that is also read as data passes its scale on to another tensor. Scales per channel
  // make no sense there, so the weight gets one scale.
  void KeepScalarsForSharing() {
    const std::unordered_set<size_t> dropped = Dropped();
    for (size_t i = 0; i < result_.marks.size(); ++i) {
      const auto provider = result_.index.find(result_.marks[i].shares_with);
      if (dropped.contains(i) || provider == result_.index.end()) continue;
      result_.marks[provider->second].axis.reset();
    }
  }

  // Takes out the marks of the inputs of removed nodes, which no longer exist.
  void DropMarks() {
    const std::unordered_set<size_t> dropped = Dropped();
    QdqMarks kept;
    for (size_t i = 0; i < result_.marks.size(); ++i) {
      if (dropped.contains(i)) continue;
      kept.index.emplace(result_.marks[i].tensor, kept.marks.size());
      kept.marks.push_back(std::move(result_.marks[i]));
    }
    result_ = std::move(kept);
  }

  const PlanContext& context_;
  const StaticQuantConfig& config_;
  QuantPlan* plan_;
  BiasCopies copies_;
  QdqMarks result_;
  std::vector<Removal> removals_;
  std::unordered_set<std::string> bias_names_;
  int node_index_ = 0;
  bool output_excluded_ = false;
};

}  // namespace

QdqMarks MarkQdq(const PlanContext& context, QuantPlan* plan) {
  return QdqMarker(context, plan).Run();
}

}  // namespace ptq
