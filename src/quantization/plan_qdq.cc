// Plans the QDQ format: which tensors get QuantizeLinear/DequantizeLinear pairs, in which order,
// with which parameters. mark_qdq.cc says what is wanted; here it gets its parameters.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "quantization/mark_qdq.h"
#include "quantization/new_values.h"
#include "quantization/plan_context.h"
#include "quantization/weights.h"

namespace ptq {
namespace {

class QdqPlanner {
 public:
  explicit QdqPlanner(const PlanContext& context)
      : context_(context), config_(context.config()), marks_(MarkQdq(context, &plan_)) {}

  QuantPlan Run() {
    PlanOwnParameters();
    PlanSharedParameters();
    SetNewValuesApart();
    DropUnscaledBiases();
    if (!config_.qdq_disable_weight_adjust_for_int32_bias) {
      RaiseWeightScalesForBiases(context_, &plan_);
    }
    // They stay float here. onnxruntime quantizes them when it loads the model, with these scales.
    if (!config_.quantize_bias) plan_.biases.clear();
    DropUnfitBiases();
    ExplainNodes();
    return std::move(plan_);
  }

 private:
  // In the order in which the rewriter adds nodes: tensors with parameters of their own, then those
  // that share.
  void PlanOwnParameters() {
    for (const QdqMark& mark : marks_.marks) {
      if (!mark.shares_with.empty()) continue;
      if (const onnx::TensorProto* initializer = context_.view().Initializer(mark.tensor)) {
        AddTensor({mark.tensor, TensorRole::kInitializer, FitInitializer(mark, *initializer)});
        continue;
      }
      if (!IsDequantized(context_.view(), mark.tensor)) PlanActivation(mark);
    }
  }

  void PlanActivation(const QdqMark& mark) {
    std::optional<QuantParams> params = context_.ActivationParams(mark.tensor);
    if (!params) {
      throw Error(ErrorCode::kMissingRange,
                  Text("Tensor '") + mark.tensor + "' has no tensor range.")
          .WithTensor(mark.tensor)
          .WithNode(context_.node(mark.node).name())
          .WithHint("Calibrate with samples that reach it, or exclude the node.");
    }
    TensorPlan tensor{mark.tensor, TensorRole::kActivation, *std::move(params)};
    tensor.convert = context_.Conversion(mark.tensor);
    AddTensor(std::move(tensor));
  }

  QuantParams FitInitializer(const QdqMark& mark, const onnx::TensorProto& initializer) const {
    WeightFit fit;
    fit.override = config_.Override(mark.tensor);
    static const ParameterOverride kNone;
    const ParameterOverride& given = fit.override == nullptr ? kNone : fit.override->first();
    fit.type =
        given.quant_type.value_or(mark.weight ? config_.weight_type : config_.activation_type);
    fit.axis = mark.axis;
    if (fit.override != nullptr && fit.override->axis) {
      const int64_t axis = *fit.override->axis;
      fit.axis = axis < 0 ? axis + initializer.dims_size() : axis;
    }
    // Per channel symmetric unless an override says otherwise: the integer kernels want one zero
    // point for all channels.
    fit.options.symmetric = given.symmetric.value_or(
        fit.axis.has_value() ||
        (mark.weight ? config_.WeightSymmetric(fit.type) : config_.activation_symmetric));
    fit.options.reduce_range = given.reduce_range.value_or(config_.reduce_range);
    fit.options.min_real_range = config_.minimum_real_range;
    // Vectors stay without blocks: their scales would be a vector as well, which onnxruntime takes
    // for one scale per channel.
    if (mark.weight && config_.block_size > 0 && !given.scale && initializer.dims_size() > 1) {
      fit.block_size = config_.block_size;
      fit.axis = fit.axis.value_or(0);
    }
    return FitWeight(context_.model().tensors(), initializer, fit);
  }

  void PlanSharedParameters() {
    std::vector<const QdqMark*> waiting;
    for (const QdqMark& mark : marks_.marks) {
      if (!mark.shares_with.empty()) waiting.push_back(&mark);
    }
    // Nodes come in topological order, so one round is nearly always enough. A round without
    // progress ends the loop: the tensors left share with one that has no parameters, because the
    // model as given dequantizes it.
    while (!waiting.empty()) {
      std::vector<const QdqMark*> later;
      for (const QdqMark* mark : waiting) {
        const TensorPlan* provider = plan_.Find(mark->shares_with);
        if (provider == nullptr) {
          later.push_back(mark);
          continue;
        }
        AddTensor(Share(*mark, *provider));
      }
      if (later.size() == waiting.size()) break;
      waiting = std::move(later);
    }
  }

  // The parameters of `provider` as the node between the two reads it.
  TensorPlan Share(const QdqMark& mark, const TensorPlan& provider) const {
    const std::string& node = context_.node(mark.sharing_node).name();
    TensorPlan tensor{mark.tensor, TensorRole::kActivation, provider.ParamsFor(node)};
    if (provider.convert && provider.convert->IsReadBy(node)) {
      tensor.shares_with = provider.tensor;
      tensor.shares_converted = true;
    } else {
      tensor.shares_with = provider.shares_with.empty() ? provider.tensor : provider.shares_with;
      tensor.shares_converted = provider.shares_converted;
    }
    tensor.convert = context_.Conversion(mark.tensor);
    return tensor;
  }

  // Runtimes run an operator that moves data on integers where its input and its output have equal
  // parameters (onnxruntime, DropQDQNodesRules). One that writes new values must not be taken for
  // such: where both happen to be equal, the output's scale is the next float.
  void SetNewValuesApart() {
    for (int i = 0; i < context_.node_count(); ++i) {
      const onnx::NodeProto& node = context_.node(i);
      if (QdqRuleOf(node.op_type()) != QdqRule::kSharedOutput || NewValuesOf(node).empty())
        continue;
      std::string output = node.output(0);
      while (plan_.renamed_outputs.contains(output)) output = plan_.renamed_outputs.at(output);
      const TensorPlan* input = plan_.Find(node.input(0));
      const auto place = plan_.tensor_index.find(output);
      if (input == nullptr || place == plan_.tensor_index.end()) continue;
      const QuantParams& read = input->ParamsFor(node.name());
      QuantParams& written = plan_.tensors[place->second].params;
      if (read.type != written.type || read.scales != written.scales ||
          read.zero_points != written.zero_points) {
        continue;
      }
      written.scales[0] = NextScale(written.scale_type, written.scales[0]);
      for (TensorPlan& tensor : plan_.tensors) {
        if (tensor.shares_with == output && !tensor.shares_converted) tensor.params = written;
      }
    }
  }

  void AddTensor(TensorPlan tensor) { ptq::AddTensor(context_, std::move(tensor), &plan_); }

  // Biases whose input or weight has no scale stay float; so do those quantized as something else
  // already.
  void DropUnscaledBiases() {
    std::vector<BiasPlan> kept;
    for (BiasPlan& bias : plan_.biases) {
      if (plan_.Find(bias.name) != nullptr) continue;
      if (IsFloat8(config_.weight_type)) {  // stays float behind a Cast, and needs no scale
        kept.push_back(std::move(bias));
        continue;
      }
      const onnx::NodeProto& node = context_.node(bias.node);
      const std::optional<std::vector<float>> input = ScalesOf(context_, plan_, bias.input, node);
      const std::optional<std::vector<float>> weight = ScalesOf(context_, plan_, bias.weight, node);
      if (input && weight &&
          BiasFitsChannels(*context_.view().Initializer(bias.bias), weight->size())) {
        kept.push_back(std::move(bias));
        continue;
      }
      LeaveFloat(bias, "its input or weight has no scale that it could take.");
    }
    plan_.biases = std::move(kept);
  }

  // Biases that do not fit int32 stay float: infinite ones, and those whose weight has a scale that
  // cannot be raised (RaiseWeightScalesForBiases).
  void DropUnfitBiases() {
    if (IsFloat8(config_.weight_type)) return;
    std::vector<BiasPlan> kept;
    for (BiasPlan& bias : plan_.biases) {
      const onnx::NodeProto& node = context_.node(bias.node);
      const onnx::TensorProto& initializer = *context_.view().Initializer(bias.bias);
      if (FitsInt32(context_.model().tensors().ReadFloats(initializer), FloatTypeOf(initializer),
                    (*ScalesOf(context_, plan_, bias.input, node))[0],
                    *ScalesOf(context_, plan_, bias.weight, node), bias.factors)) {
        kept.push_back(std::move(bias));
      } else {
        LeaveFloat(bias, "it does not fit int32 with the scales of its input and its weight.");
      }
    }
    plan_.biases = std::move(kept);
  }

  void LeaveFloat(const BiasPlan& bias, const char* why) {
    if (!config_.quantize_bias) return;  // as asked
    plan_.diagnostics.push_back({Severity::kInfo, "BIAS_LEFT_FLOAT",
                                 Text("The bias stays float: ") + why,
                                 context_.node(bias.node).name(), bias.bias, ""});
  }

  void ExplainNodes() {
    for (int i = 0; i < context_.node_count(); ++i) {
      NodePlan& node_plan = plan_.nodes[static_cast<size_t>(i)];
      if (!node_plan.reason.empty() || node_plan.action != NodeAction::kFloat) continue;
      const onnx::NodeProto& node = context_.node(i);
      const QdqRule rule = QdqRuleOf(node.op_type());
      if (rule == QdqRule::kSharedOutput || rule == QdqRule::kGather || rule == QdqRule::kWhere) {
        // Its output may be quantized on behalf of a reader; the node itself still reads float
        // data.
        const int data = rule == QdqRule::kWhere ? 1 : 0;
        if (plan_.Find(node.input(data)) == nullptr) {
          node_plan.reason = InputNotQuantized();
        } else if (plan_.Find(node.output(0)) == nullptr) {
          node_plan.action = NodeAction::kQuantized;  // on its input only
        } else {
          const bool shared = NewValuesOf(node).empty();
          node_plan.action = shared ? NodeAction::kShared : NodeAction::kQuantized;
        }
        continue;
      }
      const auto planned = [this](const std::string& tensor) {
        return plan_.Find(tensor) != nullptr;
      };
      if (std::any_of(node.input().begin(), node.input().end(), planned) ||
          std::any_of(node.output().begin(), node.output().end(), planned)) {
        node_plan.action = NodeAction::kQuantized;
      } else if (std::any_of(node.input().begin(), node.input().end(), [this](const auto& tensor) {
                   return IsDequantized(context_.view(), tensor);
                 })) {
        node_plan.reason = {FloatReasonCode::kAlreadyQuantized, "it reads quantized data already"};
      } else {
        node_plan.reason = {FloatReasonCode::kNotFloat, "it has no float tensors"};
      }
    }
  }

  const PlanContext& context_;
  const StaticQuantConfig& config_;
  QuantPlan plan_;
  QdqMarks marks_;
};

}  // namespace

QuantPlan PlanQdq(const PlanContext& context) { return QdqPlanner(context).Run(); }

}  // namespace ptq
