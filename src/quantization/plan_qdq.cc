// Plans the QDQ format: which tensors get QuantizeLinear/DequantizeLinear pairs, in which order,
// with which parameters. Mark order, sharing and removal follow onnxruntime.quantization's
// QDQQuantizer, so that names and node order come out the same.

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "model/attributes.h"
#include "quantization/plan_context.h"
#include "quantization/weights.h"

namespace ptq {
namespace {

// One tensor that a node asked to have quantized.
struct Mark {
  std::string tensor;
  bool weight = false;
  std::optional<int64_t> axis;
  std::string shares_with;
  int node = -1;  // who asked first, for messages
  bool dropped = false;
};

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

class QdqPlanner {
 public:
  explicit QdqPlanner(const PlanContext& context)
      : context_(context), config_(context.config()), copies_(context.model().graph()) {}

  QuantPlan Run() {
    plan_.nodes.resize(static_cast<size_t>(context_.node_count()));
    for (node_index_ = 0; node_index_ < context_.node_count(); ++node_index_) {
      const onnx::NodeProto& node = context_.node(node_index_);
      NodePlan& node_plan = plan_.nodes[static_cast<size_t>(node_index_)];
      node_plan.reason = context_.ReasonToSkip(node);
      node_plan.selected = node_plan.reason.empty();
      if (node_plan.selected) MarkNode(node, &node_plan);
    }
    PlanOwnParameters();
    PlanSharedParameters();
    DropUnscaledBiases();
    if (!config_.qdq_disable_weight_adjust_for_int32_bias) {
      RaiseWeightScalesForBiases(context_, &plan_);
    }
    ExplainNodes();
    return std::move(plan_);
  }

 private:
  // --- Marking: what each operator asks for (rules of src/ops/op_registry.h). ---

  void MarkNode(const onnx::NodeProto& node, NodePlan* node_plan) {
    const OpRow* row = FindOp(node.op_type());
    output_excluded_ = config_.op_types_to_exclude_output_quantization.contains(node.op_type());
    if (row != nullptr && context_.opset() < row->min_opset) {
      node_plan->reason =
          "its integer form needs opset " + std::to_string(row->min_opset) + " or newer";
      return;
    }
    switch (row == nullptr ? QdqRule::kGeneric : row->qdq) {
      case QdqRule::kGeneric:
        for (const std::string& input : node.input()) MarkActivation(input);
        MarkOutputs(node);
        break;
      case QdqRule::kConv:
        MarkConv(node, node.op_type() == "ConvTranspose" ? 1 : 0, {});
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
        if (!HasUnitDilations(node) && node.op_type() == "AveragePool") {
          node_plan->reason = "it has dilations, which its integer form lacks";
          break;
        }
        if (config_.force_quantize_no_input_check) MarkActivation(node.input(0));
        if (IsMarked(node.input(0)) && !output_excluded_) MarkShared(node.output(0), node.input(0));
        break;
      case QdqRule::kGather:
        if (context_.FloatInitializer(node.input(0)) != nullptr ||
            config_.force_quantize_no_input_check) {
          MarkActivation(node.input(0));
        }
        if (IsMarked(node.input(0))) MarkShared(node.output(0), node.input(0));
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
    for (const std::string& input : node.input()) {
      const onnx::TensorProto* initializer = context_.view().Initializer(input);
      if (initializer == nullptr) {
        MarkActivation(input);
        continue;
      }
      // Per channel only at rank 2: the integer kernels take no vector of scales at another.
      const bool matrix = initializer->dims_size() == 2;
      MarkWeight(input, ChosenAxis(node, matrix ? std::optional<int64_t>(1) : std::nullopt));
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
      node_plan->reason = "its input is not quantized";
      return;
    }
    if (MayRemove(node)) {
      node_plan->action = NodeAction::kRemoved;
      plan_.renamed_outputs[input] = node.output(0);
      marks_[mark_index_.at(input)].dropped = true;
      mark_index_.erase(input);
    }
    MarkOutputs(node);
  }

  bool MayRemove(const onnx::NodeProto& node) const {
    const std::string& input = node.input(0);
    const GraphView& view = context_.view();
    if (config_.activation_symmetric || config_.qdq_keep_removable_activations) return false;
    const int producer = view.Producer(input);
    if (producer < 0 || IsQuantizationNode(context_.node(producer))) return false;
    if (view.Uses(input).size() != 1 || view.IsGraphOutput(input)) return false;
    if (context_.Range(input) == nullptr || !IsReadDequantizedOnly(node.output(0))) return false;
    const std::optional<QuantParams> params = context_.ActivationParams(node.output(0));
    return params && context_.ClipsNothing(node, *params);
  }

  // Whether every reader of `tensor` will be behind its Q/DQ pair, which is what clips once the
  // Relu is gone.
  bool IsReadDequantizedOnly(const std::string& tensor) const {
    if (output_excluded_) return false;
    const bool dedicated = config_.dedicated_qdq_pair;
    if (dedicated && context_.view().IsGraphOutput(tensor)) return false;
    for (const Use& use : context_.view().Uses(tensor)) {
      if (use.input < 0) return false;  // read inside a subgraph
      if (dedicated && !context_.ReasonToSkip(context_.node(use.node)).empty()) return false;
    }
    return true;
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
    return mark_index_.contains(tensor) || bias_names_.contains(tensor);
  }

  Mark* AddMark(const std::string& tensor) {
    const auto [entry, is_new] = mark_index_.try_emplace(tensor, marks_.size());
    if (is_new) {
      marks_.push_back({tensor});
      marks_.back().node = node_index_;
    }
    return &marks_[entry->second];
  }

  void MarkActivation(const std::string& tensor) {
    if (!tensor.empty() && context_.IsFloat(tensor)) AddMark(tensor);
  }

  // The tensor takes the parameters of `provider`, whatever it was marked as before.
  void MarkShared(const std::string& tensor, const std::string& provider) {
    if (tensor.empty() || !context_.IsFloat(tensor)) return;
    Mark* mark = AddMark(tensor);
    mark->weight = false;
    mark->shares_with = provider;
  }

  // `channel_axis`: of the output channels; nullopt: per tensor in any case.
  void MarkWeight(const std::string& tensor, std::optional<int64_t> channel_axis) {
    if (tensor.empty() || !context_.IsFloat(tensor)) return;
    const onnx::TensorProto* initializer = context_.view().Initializer(tensor);
    const int64_t rank = initializer == nullptr ? 0 : initializer->dims_size();
    if (config_.per_channel && channel_axis && *channel_axis >= -rank && *channel_axis < rank) {
      const int64_t axis = *channel_axis < 0 ? *channel_axis + rank : *channel_axis;
      Mark* mark = AddMark(tensor);
      // Two nodes with different channel axes: no vector of scales suits both.
      if (mark->weight && mark->axis != axis) {
        mark->axis.reset();
      } else {
        mark->axis = axis;
      }
      mark->weight = true;
    } else if (!mark_index_.contains(tensor)) {
      AddMark(tensor)->weight = true;
    } else {
      marks_[mark_index_.at(tensor)].axis.reset();
    }
  }

  void MarkBias(const onnx::NodeProto& node, BiasFactors factors) {
    const std::string& bias = node.input(2);
    if (bias.empty() || !config_.quantize_bias) return;
    if (context_.FloatInitializer(bias) == nullptr) {
      if (context_.view().Initializer(bias) == nullptr) {
        Warn("BIAS_NOT_CONSTANT", node, bias,
             "The bias of this node is computed, so it stays float.");
      }
      return;
    }
    // A scale belongs to one node, and so does a bias that is multiplied by beta on the way.
    const bool taken = bias_names_.contains(bias);
    const bool shared_value = factors.beta != 1 && context_.view().Uses(bias).size() > 1;
    const std::string name = taken || shared_value ? copies_.Make(bias) : bias;
    bias_names_.insert(name);
    plan_.biases.push_back({node_index_, 2, bias, name, node.input(0), node.input(1), factors});
  }

  // --- Parameters, in the order in which the rewriter adds nodes. ---

  void PlanOwnParameters() {
    // A weight that is also moved about as data passes its parameters on, which only scalars can.
    for (const Mark& mark : marks_) {
      const auto provider = mark_index_.find(mark.shares_with);
      if (!mark.dropped && provider != mark_index_.end()) marks_[provider->second].axis.reset();
    }
    for (const Mark& mark : marks_) {
      if (mark.dropped || !mark.shares_with.empty()) continue;
      if (const onnx::TensorProto* initializer = context_.view().Initializer(mark.tensor)) {
        AddTensor({mark.tensor, TensorRole::kInitializer, FitInitializer(mark, *initializer)});
        continue;
      }
      if (IsAlreadyDequantized(mark.tensor)) continue;
      std::optional<QuantParams> params = context_.ActivationParams(mark.tensor);
      if (!params && context_.IsValueless(mark.tensor)) {
        plan_.diagnostics.push_back(
            {Severity::kWarning, "TENSOR_WITHOUT_VALUES",
             "The tensor was empty or NaN in every sample, so it stays float.",
             context_.node(mark.node).name(), mark.tensor, ""});
        continue;
      }
      if (!params) {
        throw Error(ErrorCode::kMissingRange, "Tensor '" + mark.tensor + "' has no tensor range.")
            .WithTensor(mark.tensor)
            .WithNode(context_.node(mark.node).name())
            .WithHint("Calibrate with samples that reach it, or exclude the node.");
      }
      AddTensor({mark.tensor, TensorRole::kActivation, *std::move(params)});
    }
  }

  QuantParams FitInitializer(const Mark& mark, const onnx::TensorProto& initializer) const {
    const QuantType type = mark.weight ? config_.weight_type : config_.activation_type;
    FitOptions options;
    // Per channel always symmetric: the integer kernels want one zero point for all channels.
    options.symmetric = mark.axis.has_value() || (mark.weight ? config_.WeightSymmetric(type)
                                                              : config_.activation_symmetric);
    options.reduce_range = config_.reduce_range;
    options.min_real_range = config_.minimum_real_range;
    return FitWeight(context_.model().tensors(), initializer, type, mark.axis, options);
  }

  void PlanSharedParameters() {
    std::vector<const Mark*> waiting;
    for (const Mark& mark : marks_) {
      if (!mark.dropped && !mark.shares_with.empty()) waiting.push_back(&mark);
    }
    // Nodes come in topological order, so one round nearly always does; a round without progress
    // means that the provider has no parameters (it is dequantized already), and ends it.
    while (!waiting.empty()) {
      std::vector<const Mark*> later;
      for (const Mark* mark : waiting) {
        const TensorPlan* provider = plan_.Find(mark->shares_with);
        if (provider == nullptr) {
          later.push_back(mark);
          continue;
        }
        const std::string source =
            provider->shares_with.empty() ? provider->tensor : provider->shares_with;
        AddTensor({mark->tensor, TensorRole::kActivation, provider->params, source});
      }
      if (later.size() == waiting.size()) break;
      waiting = std::move(later);
    }
  }

  void AddTensor(TensorPlan tensor) { ptq::AddTensor(context_, std::move(tensor), &plan_); }

  bool IsAlreadyDequantized(const std::string& tensor) const {
    const int producer = context_.view().Producer(tensor);
    return producer >= 0 && context_.node(producer).op_type() == "DequantizeLinear";
  }

  // Biases whose input or weight has no scale stay float; so do those quantized as something else
  // already.
  void DropUnscaledBiases() {
    std::vector<BiasPlan> kept;
    for (BiasPlan& bias : plan_.biases) {
      if (plan_.Find(bias.name) != nullptr) continue;
      const std::optional<std::vector<float>> input = ScalesOf(context_, plan_, bias.input);
      const std::optional<std::vector<float>> weight = ScalesOf(context_, plan_, bias.weight);
      if (input && weight &&
          BiasFitsChannels(*context_.view().Initializer(bias.bias), weight->size())) {
        kept.push_back(std::move(bias));
        continue;
      }
      Warn("BIAS_LEFT_FLOAT", context_.node(bias.node), bias.bias,
           "The bias stays float: its input or weight has no scale that it could take.");
    }
    plan_.biases = std::move(kept);
  }

  void ExplainNodes() {
    for (int i = 0; i < context_.node_count(); ++i) {
      NodePlan& node_plan = plan_.nodes[static_cast<size_t>(i)];
      if (!node_plan.reason.empty() || node_plan.action != NodeAction::kFloat) continue;
      const onnx::NodeProto& node = context_.node(i);
      const OpRow* row = FindOp(node.op_type());
      const bool shares =
          row != nullptr && (row->qdq == QdqRule::kSharedOutput || row->qdq == QdqRule::kGather ||
                             row->qdq == QdqRule::kWhere);
      if (shares) {
        // A consumer may have quantized its output all the same; then it reads float data still.
        const int data = row->qdq == QdqRule::kWhere ? 1 : 0;
        if (plan_.Find(node.input(data)) == nullptr) {
          node_plan.reason = "its input is not quantized";
        } else if (plan_.Find(node.output(0)) == nullptr) {
          node_plan.reason = "its output is not quantized";
        } else {
          node_plan.action = NodeAction::kShared;
        }
        continue;
      }
      const auto planned = [this](const std::string& tensor) {
        return plan_.Find(tensor) != nullptr;
      };
      if (std::any_of(node.input().begin(), node.input().end(), planned) ||
          std::any_of(node.output().begin(), node.output().end(), planned)) {
        node_plan.action = NodeAction::kQuantized;
      } else {
        node_plan.reason = "it has no float tensors";
      }
    }
  }

  void Warn(const char* code, const onnx::NodeProto& node, const std::string& tensor,
            const char* message) {
    plan_.diagnostics.push_back({Severity::kInfo, code, message, node.name(), tensor, ""});
  }

  const PlanContext& context_;
  const StaticQuantConfig& config_;
  BiasCopies copies_;
  QuantPlan plan_;
  std::vector<Mark> marks_;
  std::unordered_map<std::string, size_t> mark_index_;
  std::unordered_set<std::string> bias_names_;
  int node_index_ = 0;
  bool output_excluded_ = false;
};

}  // namespace

QuantPlan PlanQdq(const PlanContext& context) { return QdqPlanner(context).Run(); }

}  // namespace ptq
