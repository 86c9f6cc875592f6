// Plans the QOperator format: nodes in file order, each either becomes its integer form or stays
// float. A node is decided only when everything that its integer form needs is there, so that
// nothing is half-quantized. Which values count as quantized at which node follows
// onnxruntime.quantization's ONNXQuantizer.

#include <string>
#include <unordered_set>
#include <vector>

#include "model/attributes.h"
#include "quantization/plan_context.h"
#include "quantization/weights.h"

namespace ptq {
namespace {

class QOperatorPlanner {
 public:
  explicit QOperatorPlanner(const PlanContext& context)
      : context_(context), config_(context.config()) {}

  QuantPlan Run() {
    plan_.nodes.resize(static_cast<size_t>(context_.node_count()));
    for (int i = 0; i < context_.node_count(); ++i) {
      NodePlan& node_plan = plan_.nodes[static_cast<size_t>(i)];
      node_plan.reason = context_.ReasonToSkip(context_.node(i));
      node_plan.selected = node_plan.reason.empty();
      if (!node_plan.selected) continue;
      node_ = &context_.node(i);
      node_index_ = i;
      node_plan.action = NodeAction::kQuantized;
      node_plan.reason = PlanNode(&node_plan);
      if (!node_plan.reason.empty()) node_plan.action = NodeAction::kFloat;
    }
    RaiseWeightScalesForBiases(context_, &plan_);
    return std::move(plan_);
  }

 private:
  // Decides node_; returns why it stays float, or "".
  std::string PlanNode(NodePlan* node_plan) {
    const onnx::NodeProto& node = *node_;
    const OpRow* row = FindOp(node.op_type());
    if (row == nullptr || row->qoperator == QOperatorRule::kNone) {
      return "op type " + node.op_type() + " has no integer form in the QOperator format";
    }
    if (context_.opset() < row->min_opset) {
      return "its integer form needs opset " + std::to_string(row->min_opset) + " or newer";
    }
    if (row->qoperator != QOperatorRule::kWhere && !context_.IsFloat(Input(0))) {
      return "its input '" + Input(0) + "' is not float";
    }
    // QLinearConv and its kind take float32 scales only (ONNX operator specification).
    if (context_.FloatTypeOfTensor(node.output(0)) == FloatType::kFloat16) {
      return "float16 has no integer form in the QOperator format; QDQ has one";
    }
    switch (row->qoperator) {
      case QOperatorRule::kConv:
        return PlanConv(0, QuantType::kInt8, {});
      case QOperatorRule::kGemm:
        return PlanConv(IntAttribute(node, "transB", 0) > 0 ? 0 : 1, config_.weight_type,
                        {FloatAttribute(node, "alpha", 1), FloatAttribute(node, "beta", 1)});
      case QOperatorRule::kMatMul:
        return PlanMatMul();
      case QOperatorRule::kBinary:
        return PlanOperator({0, 1}, context_.ActivationParams(node.output(0)));
      case QOperatorRule::kUnary:
        if (!HasUnitDilations(*node_)) return "it has dilations, which its integer form lacks";
        return PlanOperator({0}, UnaryOutput());
      case QOperatorRule::kSoftmax:
        return PlanOperator({0}, FixedOutput(IsSigned(config_.activation_type) ? -128 : 0));
      case QOperatorRule::kGlobalAveragePool:
        return PlanGlobalAveragePool();
      case QOperatorRule::kConcat:
        return PlanConcat();
      case QOperatorRule::kWhere:
        if (!config_.force_quantize_no_input_check) {
          return "Where is quantized only with ForceQuantizeNoInputCheck";
        }
        return PlanOperator({1, 2}, context_.ActivationParams(node.output(0)));
      case QOperatorRule::kRemovable:
        return PlanRemovable(node_plan);
      case QOperatorRule::kSharedOutput:
        node_plan->action = NodeAction::kShared;
        if (!config_.force_quantize_no_input_check && !IsQuantized(Input(0))) {
          return "its input is not quantized";
        }
        return PlanShared(1);
      case QOperatorRule::kSplit:
        node_plan->action = NodeAction::kShared;
        return PlanShared(node.output_size());
      case QOperatorRule::kGather:
        node_plan->action = NodeAction::kShared;
        if (context_.FloatInitializer(Input(0)) == nullptr) return "its data is not an initializer";
        return PlanShared(1);
      case QOperatorRule::kPad:
        node_plan->action = NodeAction::kShared;
        return PlanPad();
      case QOperatorRule::kArgMax:
        node_plan->action = NodeAction::kShared;
        return IsQuantized(Input(0)) ? CannotQuantize(Input(0)) : "its input is not quantized";
      case QOperatorRule::kNone:
        break;
    }
    return "it has no integer form";
  }

  std::string PlanConv(int64_t channel_axis, QuantType per_channel_type, BiasFactors factors) {
    const onnx::NodeProto& node = *node_;
    const std::string& weight = Input(1);
    const bool constant = context_.FloatInitializer(weight) != nullptr;
    const bool per_channel = constant && config_.per_channel;
    const std::optional<int64_t> axis =
        per_channel ? std::optional<int64_t>(channel_axis) : std::nullopt;
    const bool has_bias = node.input_size() > 2 && !node.input(2).empty();
    std::optional<QuantParams> output = context_.ActivationParams(node.output(0));
    if (std::string reason = CannotQuantize(Input(0)); !reason.empty()) return reason;
    if (std::string reason = CannotQuantize(weight, axis); !reason.empty()) return reason;
    if (!output) return NoRange(node.output(0));
    if (factors.alpha == 0) return "its alpha is 0";
    if (has_bias && context_.FloatInitializer(node.input(2)) == nullptr) {
      return "its bias '" + node.input(2) + "' is not a float initializer";
    }
    if (has_bias && !BiasFitsChannels(*context_.view().Initializer(node.input(2)),
                                      Channels(weight, per_channel, channel_axis))) {
      return "its bias does not have one value a channel";
    }
    UseActivation(Input(0));
    if (constant) {
      UseWeight(weight, per_channel ? per_channel_type : config_.weight_type, axis);
    } else {
      UseActivation(weight);
    }
    if (has_bias) {
      plan_.biases.push_back(
          {node_index_, 2, node.input(2), node.input(2), Input(0), weight, factors});
    }
    AddTensor({node.output(0), TensorRole::kActivation, *std::move(output)});
    return "";
  }

  size_t Channels(const std::string& weight, bool per_channel, int64_t axis) const {
    if (const TensorPlan* planned = plan_.Find(weight)) return planned->params.scales.size();
    if (!per_channel) return 1;
    return static_cast<size_t>(context_.view().Initializer(weight)->dims(static_cast<int>(axis)));
  }

  std::string PlanMatMul() {
    const onnx::NodeProto& node = *node_;
    const std::string& b = Input(1);
    const onnx::TensorProto* weight = context_.FloatInitializer(b);
    if (config_.matmul_const_b_only && weight == nullptr) return "its second input is not constant";
    std::optional<QuantParams> output = context_.ActivationParams(node.output(0));
    // Per channel only at rank 2: QLinearMatMul takes no vector of scales at another.
    const std::optional<int64_t> axis =
        weight != nullptr && config_.per_channel && weight->dims_size() == 2
            ? std::optional<int64_t>(1)
            : std::nullopt;
    if (std::string reason = CannotQuantize(Input(0)); !reason.empty()) return reason;
    if (std::string reason = CannotQuantize(b, axis); !reason.empty()) return reason;
    if (!output) return NoRange(node.output(0));
    UseActivation(Input(0));
    if (weight == nullptr) {
      UseActivation(b);
    } else {
      UseWeight(b, config_.weight_type, axis);
    }
    AddTensor({node.output(0), TensorRole::kActivation, *std::move(output)});
    return "";
  }

  // Inputs as activations, output with parameters of its own.
  std::string PlanOperator(const std::vector<int>& inputs, std::optional<QuantParams> output) {
    for (int i : inputs) {
      if (std::string reason = CannotQuantize(Input(i)); !reason.empty()) return reason;
    }
    if (!output) return NoRange(node_->output(0));
    for (int i : inputs) UseActivation(Input(i));
    AddTensor({node_->output(0), TensorRole::kActivation, *std::move(output)});
    return "";
  }

  std::string PlanConcat() {
    std::vector<int> inputs(static_cast<size_t>(node_->input_size()));
    for (size_t i = 0; i < inputs.size(); ++i) inputs[i] = static_cast<int>(i);
    return PlanOperator(inputs, context_.ActivationParams(node_->output(0)));
  }

  std::string PlanGlobalAveragePool() {
    if (!IsQuantized(Input(0))) return "its input is not quantized";
    if (std::string reason = CannotQuantize(Input(0)); !reason.empty()) return reason;
    std::optional<QuantParams> output = context_.ActivationParams(node_->output(0));
    if (!output) return PlanShared(1);
    AddTensor({node_->output(0), TensorRole::kActivation, *std::move(output)});
    return "";
  }

  std::string PlanRemovable(NodePlan* node_plan) {
    const TensorPlan* input = plan_.Find(Input(0));
    if (input == nullptr) return "its input is not quantized";
    if (config_.activation_symmetric || !context_.ClipsNothing(*node_, input->params)) {
      return "the range of its input reaches past its bounds";
    }
    node_plan->action = NodeAction::kRemoved;
    return PlanShared(1);
  }

  // The first `outputs` outputs take the parameters of input 0.
  std::string PlanShared(int outputs) {
    if (std::string reason = CannotQuantize(Input(0)); !reason.empty()) return reason;
    UseActivation(Input(0));
    const TensorPlan& input = *plan_.Find(Input(0));
    const QuantParams params = input.params;
    const std::string source = input.shares_with.empty() ? input.tensor : input.shares_with;
    for (int i = 0; i < outputs; ++i) {
      AddTensor({node_->output(i), TensorRole::kActivation, params, source});
    }
    return "";
  }

  std::string PlanPad() {
    const onnx::NodeProto& node = *node_;
    if (context_.opset() < 11) return "its integer form needs opset 11 or newer";
    if (!IsQuantized(Input(0))) return "its input is not quantized";
    const bool constant_mode = StringAttribute(node, "mode", "constant") == "constant";
    if (constant_mode && node.input_size() > 2 && !node.input(2).empty()) {
      if (!context_.IsFloat(node.input(2))) return "its pad value is not float";
      const onnx::TensorProto* value = context_.view().Initializer(node.input(2));
      if (value != nullptr && ElementCount(*value) != 1) return "its pad value is not one number";
    }
    return PlanShared(1);
  }

  std::optional<QuantParams> UnaryOutput() const {
    if (node_->op_type() == "Sigmoid" && config_.sigmoid_nnapi) return FixedOutput(0);
    return context_.ActivationParams(node_->output(0));
  }

  // [0, 1] over 256 values: what the QLinearSoftmax kernels (and NNAPI's Sigmoid) expect.
  QuantParams FixedOutput(int32_t zero_point) const {
    QuantParams params;
    params.type = config_.activation_type;
    params.scale_type = context_.FloatTypeOfTensor(node_->output(0));
    params.scales = {1.0f / 256.0f};
    params.zero_points = {zero_point};
    return params;
  }

  const std::string& Input(int index) const {
    static const std::string kNone;
    return index < node_->input_size() ? node_->input(index) : kNone;
  }

  bool IsQuantized(const std::string& tensor) const { return plan_.Find(tensor) != nullptr; }

  static std::string NoRange(const std::string& tensor) {
    return "tensor '" + tensor + "' has no tensor range";
  }

  // `axis`: the channel axis that the node wants for a weight; what is per channel along another
  // axis, or is read as data, does not fit.
  std::string CannotQuantize(const std::string& tensor,
                             std::optional<int64_t> axis = std::nullopt) const {
    if (const TensorPlan* planned = plan_.Find(tensor)) {
      if (!planned->params.per_channel() || planned->params.axis == axis) return "";
      return "its input '" + tensor + "' is quantized per channel for another node";
    }
    if (!context_.IsFloat(tensor)) return "its input '" + tensor + "' is not float";
    if (context_.view().Initializer(tensor) != nullptr) return "";
    return context_.Range(tensor) == nullptr ? NoRange(tensor) : "";
  }

  void UseActivation(const std::string& tensor) {
    if (IsQuantized(tensor)) return;
    const onnx::TensorProto* initializer = context_.view().Initializer(tensor);
    if (initializer == nullptr) {
      AddTensor({tensor, TensorRole::kActivation, *context_.ActivationParams(tensor)});
      return;
    }
    const QuantType type = config_.activation_type;
    FitOptions options;
    // Constants of the weights' type follow the weights' symmetry (the reference compares types
    // only).
    options.symmetric =
        type == config_.weight_type ? config_.WeightSymmetric(type) : config_.activation_symmetric;
    options.min_real_range = config_.minimum_real_range;
    AddTensor({tensor, TensorRole::kInitializer,
               FitWeight(context_.model().tensors(), *initializer, type, std::nullopt, options)});
  }

  void UseWeight(const std::string& tensor, QuantType type, std::optional<int64_t> axis) {
    if (IsQuantized(tensor)) return;
    const FitOptions options{config_.WeightSymmetric(type), config_.reduce_range,
                             config_.minimum_real_range};
    AddTensor({tensor, TensorRole::kInitializer,
               FitWeight(context_.model().tensors(), *context_.view().Initializer(tensor), type,
                         axis, options)});
  }

  void AddTensor(TensorPlan tensor) { ptq::AddTensor(context_, std::move(tensor), &plan_); }

  const PlanContext& context_;
  const StaticQuantConfig& config_;
  QuantPlan plan_;
  const onnx::NodeProto* node_ = nullptr;
  int node_index_ = 0;
};

}  // namespace

QuantPlan PlanQOperator(const PlanContext& context) { return QOperatorPlanner(context).Run(); }

}  // namespace ptq
