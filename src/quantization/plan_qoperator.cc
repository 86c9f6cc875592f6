// Plans the QOperator format: nodes in file order, each either becomes its integer form or stays
// float. A node is decided only when everything that its integer form needs is there, so that
// nothing is half-quantized. Which values count as quantized at which node follows
// onnxruntime.quantization's ONNXQuantizer.

#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "model/attributes.h"
#include "quantization/may_be_empty.h"
#include "quantization/new_values.h"
#include "quantization/plan_context.h"
#include "quantization/weights.h"

namespace ptq {
namespace {

class QOperatorPlanner {
 public:
  explicit QOperatorPlanner(const PlanContext& context)
      : context_(context),
        config_(context.config()),
        may_be_empty_(TensorsThatMayBeEmpty(context.view())) {}

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
  // Decides node_; returns why it stays float, or nothing.
  FloatReason PlanNode(NodePlan* node_plan) {
    const onnx::NodeProto& node = *node_;
    const OpRow* row = FindOp(node.op_type());
    if (row == nullptr || row->qoperator == QOperatorRule::kNone) return NoIntegerForm();
    if (context_.opset() < row->traits.min_opset) return NeedsOpset(row->traits.min_opset);
    const bool data_first = row->qoperator != QOperatorRule::kWhere &&
                            row->qoperator != QOperatorRule::kEmbedLayerNormalization;
    if (data_first && !context_.IsFloat(Input(0))) {
      return NotFloat(Text("its input '") + Input(0) + "' is not float");
    }
    // QLinearConv and its kind take float32 scales only (ONNX operator specification).
    if (context_.FloatTypeOfTensor(node.output(0)) == FloatType::kFloat16) {
      return {FloatReasonCode::kUnsupportedType,
              "float16 has no integer form in the QOperator format; QDQ has one"};
    }
    if (row->traits.unit_dilations && !HasUnitDilations(node)) return LacksDilations();
    switch (row->qoperator) {
      case QOperatorRule::kConv:
        return PlanConv(row->traits.channel_axis, QuantType::kInt8, {});
      case QOperatorRule::kGemm:
        return PlanConv(IntAttribute(node, "transB", 0) > 0 ? 0 : 1, config_.weight_type,
                        {FloatAttribute(node, "alpha", 1), FloatAttribute(node, "beta", 1)});
      case QOperatorRule::kMatMul:
        return PlanMatMul();
      case QOperatorRule::kBinary:
        return PlanOperator({0, 1}, context_.ActivationParams(node.output(0)));
      case QOperatorRule::kUnary:
        return PlanOperator({0}, context_.ActivationParams(node.output(0)));
      case QOperatorRule::kSoftmax:  // QLinearSoftmax always writes [0, 1]
        if (may_be_empty_.contains(Input(0))) {
          return Unsupported("its input may be empty, at which QLinearSoftmax fails");
        }
        return PlanOperator({0}, context_.UnitIntervalParams(node.output(0)));
      case QOperatorRule::kGlobalAveragePool:
        return PlanGlobalAveragePool();
      case QOperatorRule::kConcat:
        return PlanConcat();
      case QOperatorRule::kWhere:
        if (!config_.force_quantize_no_input_check) {
          return {FloatReasonCode::kNotForced,
                  "Where is quantized only with ForceQuantizeNoInputCheck"};
        }
        return PlanOperator({1, 2}, context_.ActivationParams(node.output(0)));
      case QOperatorRule::kRemovable:
        return PlanRemovable(node_plan);
      case QOperatorRule::kSharedOutput:
        node_plan->action = NodeAction::kShared;
        if (const std::string_view why = NewValuesOf(node); !why.empty()) {
          return Unsupported(std::string(why));
        }
        if (!config_.force_quantize_no_input_check && !IsQuantized(Input(0))) {
          return InputNotQuantized();
        }
        return PlanShared(1);
      case QOperatorRule::kSplit:
        node_plan->action = NodeAction::kShared;
        return PlanShared(node.output_size());
      case QOperatorRule::kGather:
        node_plan->action = NodeAction::kShared;
        if (context_.FloatInitializer(Input(0)) == nullptr) {
          return NotConstant("its data is not an initializer");
        }
        return PlanShared(1);
      case QOperatorRule::kPad:
        node_plan->action = NodeAction::kShared;
        return PlanPad();
      case QOperatorRule::kArgMax:
        node_plan->action = NodeAction::kShared;
        return IsQuantized(Input(0)) ? CannotQuantize(Input(0)) : InputNotQuantized();
      case QOperatorRule::kEmbedLayerNormalization:
        return PlanEmbedLayerNormalization();
      case QOperatorRule::kNone:
        break;
    }
    return NoIntegerForm();
  }

  FloatReason PlanConv(int64_t channel_axis, QuantType per_channel_type, BiasFactors factors) {
    const onnx::NodeProto& node = *node_;
    const std::string& weight = Input(1);
    const bool constant = context_.FloatInitializer(weight) != nullptr;
    const std::optional<int64_t> axis = constant ? WeightAxis(weight, channel_axis) : std::nullopt;
    const bool per_channel = axis.has_value();
    const bool has_bias = node.input_size() > 2 && !node.input(2).empty();
    std::optional<QuantParams> output = context_.ActivationParams(node.output(0));
    if (FloatReason reason = CannotQuantize(Input(0)); !reason.empty()) return reason;
    if (FloatReason reason = CannotQuantize(weight, axis); !reason.empty()) return reason;
    if (!output) return NoRange(node.output(0));
    const QuantType weight_type =
        WeightType(weight, per_channel ? per_channel_type : config_.weight_type);
    const bool fresh = constant && !IsQuantized(weight);
    if (!KernelTakes(TypeOf(Input(0)), fresh ? weight_type : TypeOf(weight), output->type)) {
      return MixedTypes();
    }
    if (factors.alpha == 0) return Unsupported("its alpha is 0");
    if (has_bias && context_.FloatInitializer(node.input(2)) == nullptr) {
      return NotConstant(Text("its bias '") + node.input(2) + "' is not a float initializer");
    }
    if (has_bias && !BiasFitsChannels(*context_.view().Initializer(node.input(2)),
                                      Channels(weight, per_channel, channel_axis))) {
      return Unsupported("its bias does not have one value a channel");
    }
    if (has_bias && !BiasFits(factors, constant)) {
      return {FloatReasonCode::kBiasUnfit, Text("its bias '") + node.input(2) +
                                               "' does not fit int32 with the scales of its input "
                                               "and its weight"};
    }
    UseActivation(Input(0));
    if (constant) {
      UseWeight(weight, weight_type, axis);
    } else {
      UseActivation(weight);
    }
    if (has_bias) {
      plan_.biases.push_back(
          {node_index_, node.input(2), node.input(2), Input(0), weight, factors});
    }
    AddTensor({node.output(0), TensorRole::kActivation, *std::move(output)});
    return {};
  }

  // Whether the bias has an int32 form: the scale of a constant weight is raised for it
  // (RaiseWeightScalesForBiases), that of a computed one is not.
  bool BiasFits(BiasFactors factors, bool constant_weight) const {
    const onnx::TensorProto& initializer = *context_.view().Initializer(Input(2));
    const std::vector<float> bias = context_.model().tensors().ReadFloats(initializer);
    const QuantParams input = ActivationToBe(Input(0));
    QuantParams weight;
    if (constant_weight) {
      std::vector<float> added = bias;
      for (float& value : added) value *= factors.beta / factors.alpha;
      weight.scales = {std::numeric_limits<float>::min()};
      RaiseWeightScales(added, FloatTypeOf(initializer), input.scales[0], Raise::kWhereClipped,
                        &weight);
    } else {
      weight = ActivationToBe(Input(1));
    }
    return FitsInt32(bias, FloatTypeOf(initializer), input.scales[0], weight.scales, factors);
  }

  // The parameters that `tensor` has, or would get as an activation.
  QuantParams ActivationToBe(const std::string& tensor) const {
    if (const TensorPlan* planned = plan_.Find(tensor)) return planned->params;
    if (context_.view().Initializer(tensor) != nullptr) {
      return Fit(tensor, TypeOf(tensor), std::nullopt, false);
    }
    return *context_.ActivationParams(tensor);
  }

  size_t Channels(const std::string& weight, bool per_channel, int64_t axis) const {
    if (const TensorPlan* planned = plan_.Find(weight)) return planned->params.scales.size();
    if (!per_channel) return 1;
    return static_cast<size_t>(context_.view().Initializer(weight)->dims(static_cast<int>(axis)));
  }

  FloatReason PlanMatMul() {
    const onnx::NodeProto& node = *node_;
    const std::string& b = Input(1);
    const onnx::TensorProto* weight = context_.FloatInitializer(b);
    std::optional<QuantParams> output = context_.ActivationParams(node.output(0));
    // Per channel only at rank 2: QLinearMatMul takes no vector of scales at another.
    const std::optional<int64_t> axis =
        weight != nullptr && weight->dims_size() == 2 ? WeightAxis(b, 1) : std::nullopt;
    if (FloatReason reason = CannotQuantize(Input(0)); !reason.empty()) return reason;
    if (FloatReason reason = CannotQuantize(b, axis); !reason.empty()) return reason;
    if (!output) return NoRange(node.output(0));
    const QuantType weight_type = WeightType(b, config_.weight_type);
    const bool fresh = weight != nullptr && !IsQuantized(b);
    if (!KernelTakes(TypeOf(Input(0)), fresh ? weight_type : TypeOf(b), output->type)) {
      return MixedTypes();
    }
    UseActivation(Input(0));
    if (weight == nullptr) {
      UseActivation(b);
    } else {
      UseWeight(b, weight_type, axis);
    }
    AddTensor({node.output(0), TensorRole::kActivation, *std::move(output)});
    return {};
  }

  // Inputs as activations, output with parameters of its own.
  FloatReason PlanOperator(const std::vector<int>& inputs, std::optional<QuantParams> output) {
    for (int i : inputs) {
      if (FloatReason reason = CannotQuantize(Input(i)); !reason.empty()) return reason;
    }
    if (!output) return NoRange(node_->output(0));
    for (int i : inputs) {
      if (TypeOf(Input(i)) != output->type) return MixedTypes();
    }
    for (int i : inputs) UseActivation(Input(i));
    AddTensor({node_->output(0), TensorRole::kActivation, *std::move(output)});
    return {};
  }

  FloatReason PlanConcat() {
    std::vector<int> inputs(static_cast<size_t>(node_->input_size()));
    for (size_t i = 0; i < inputs.size(); ++i) inputs[i] = static_cast<int>(i);
    return PlanOperator(inputs, context_.ActivationParams(node_->output(0)));
  }

  FloatReason PlanGlobalAveragePool() {
    if (!IsQuantized(Input(0))) return InputNotQuantized();
    if (FloatReason reason = CannotQuantize(Input(0)); !reason.empty()) return reason;
    std::optional<QuantParams> output = context_.ActivationParams(node_->output(0));
    if (!output) return PlanShared(1);
    if (TypeOf(Input(0)) != output->type) return MixedTypes();
    AddTensor({node_->output(0), TensorRole::kActivation, *std::move(output)});
    return {};
  }

  FloatReason PlanRemovable(NodePlan* node_plan) {
    const TensorPlan* input = plan_.Find(Input(0));
    if (input == nullptr) return InputNotQuantized();
    if (config_.activation_symmetric || !context_.ClipsNothing(*node_, input->params)) {
      return {FloatReasonCode::kRangePastBounds, "the range of its input reaches past its bounds"};
    }
    node_plan->action = NodeAction::kRemoved;
    return PlanShared(1);
  }

  // The first `outputs` outputs take the parameters of input 0.
  FloatReason PlanShared(int outputs) {
    if (FloatReason reason = CannotQuantize(Input(0)); !reason.empty()) return reason;
    UseActivation(Input(0));
    const TensorPlan& input = *plan_.Find(Input(0));
    const QuantParams params = input.params;
    const std::string source = input.shares_with.empty() ? input.tensor : input.shares_with;
    for (int i = 0; i < outputs; ++i) {
      AddTensor({node_->output(i), TensorRole::kActivation, params, source});
    }
    return {};
  }

  FloatReason PlanPad() {
    const onnx::NodeProto& node = *node_;
    if (context_.opset() < 11) return NeedsOpset(11);
    if (!IsQuantized(Input(0))) return InputNotQuantized();
    const bool constant_mode = StringAttribute(node, "mode", "constant") == "constant";
    if (constant_mode && node.input_size() > 2 && !node.input(2).empty()) {
      if (!context_.IsFloat(node.input(2))) return NotFloat("its pad value is not float");
      const onnx::TensorProto* value = context_.view().Initializer(node.input(2));
      if (value != nullptr && ElementCount(*value) != 1) {
        return Unsupported("its pad value is not one number");
      }
      if (!HoldsPadValue(plan_.Find(Input(0))->params, node.input(2), value)) {
        return Unsupported("its pad value lies outside the range of its input");
      }
    }
    return PlanShared(1);
  }

  // Whether `params`, which the pad value will be quantized with, can represent it: `constant`, or
  // what calibration saw of the computed tensor `name`.
  bool HoldsPadValue(const QuantParams& params, const std::string& name,
                     const onnx::TensorProto* constant) const {
    if (params.per_channel()) return true;  // refused for that reason (CannotQuantize)
    TensorRange range;
    if (constant != nullptr) {
      range.lowest = range.highest = context_.model().tensors().ReadFloats(*constant)[0];
    } else if (const TensorRange* seen = context_.Range(name)) {
      range = *seen;
    }
    const IntegerRange q = FullRange(params.type);
    const auto quantized = [&](float value) {
      return std::nearbyint(value / params.scales[0]) + static_cast<float>(params.zero_points[0]);
    };
    return quantized(range.lowest) >= static_cast<float>(q.min) &&
           quantized(range.highest) <= static_cast<float>(q.max);
  }

  // Its tables are quantized; its outputs stay float.
  FloatReason PlanEmbedLayerNormalization() {
    if (node_->output_size() > 2) return Unsupported("it has three outputs, its integer form two");
    if (node_->input_size() < 7) return Unsupported("it has no table that could be quantized");
    for (int i = 2; i <= 6; ++i) {
      if (Input(i).empty()) continue;
      if (FloatReason reason = CannotQuantize(Input(i)); !reason.empty()) return reason;
    }
    for (int i = 2; i <= 6; ++i) {
      if (!Input(i).empty()) UseActivation(Input(i));
    }
    return {};
  }

  const std::string& Input(int index) const {
    static const std::string kNone;
    return index < node_->input_size() ? node_->input(index) : kNone;
  }

  bool IsQuantized(const std::string& tensor) const { return plan_.Find(tensor) != nullptr; }

  static FloatReason MixedTypes() {
    return {FloatReasonCode::kOverrideUnfit,
            "TensorQuantOverrides give its tensors types that no kernel takes together"};
  }

  static FloatReason NotFloat(Text text) { return {FloatReasonCode::kNotFloat, std::move(text)}; }

  static FloatReason NotConstant(Text text) {
    return {FloatReasonCode::kInputNotConstant, std::move(text)};
  }

  static FloatReason Unsupported(Text text) {
    return {FloatReasonCode::kUnsupportedForm, std::move(text)};
  }

  FloatReason NoIntegerForm() const {
    return {FloatReasonCode::kNoIntegerForm,
            Text("op type ") + node_->op_type() + " has no integer form in the QOperator format"};
  }

  static FloatReason NoRange(const std::string& tensor) {
    return {FloatReasonCode::kNoRange, Text("tensor '") + tensor + "' has no tensor range"};
  }

  // Why the integer form cannot read `tensor`. `axis`: the channel axis of a weight, nothing for an
  // activation; a tensor that is per channel along another axis does not fit.
  FloatReason CannotQuantize(const std::string& tensor,
                             std::optional<int64_t> axis = std::nullopt) const {
    if (const TensorPlan* planned = plan_.Find(tensor)) {
      if (!planned->params.per_channel() || planned->params.axis == axis) return {};
      return {FloatReasonCode::kPerChannelUnfit,
              Text("its input '") + tensor + "' is quantized per channel for another node"};
    }
    if (!context_.IsFloat(tensor)) return NotFloat(Text("its input '") + tensor + "' is not float");
    if (IsDequantizedConstant(context_.view(), tensor)) {
      return {FloatReasonCode::kAlreadyQuantized,
              Text("its input '") + tensor + "' is quantized already"};
    }
    if (const TensorOverride* override = config_.Override(tensor); override && override->axis) {
      const int64_t rank = context_.view().Initializer(tensor)->dims_size();
      if (axis != (*override->axis + rank) % rank) {
        return {FloatReasonCode::kOverrideUnfit,
                Text("TensorQuantOverrides give its input '") + tensor +
                    "' an axis that its integer form does not have"};
      }
    }
    if (context_.view().Initializer(tensor) != nullptr) return {};
    return context_.ActivationParams(tensor) ? FloatReason{} : NoRange(tensor);
  }

  // The channel axis of a weight: `channel_axis` where it is quantized per channel, by the option
  // or by an override along that axis.
  std::optional<int64_t> WeightAxis(const std::string& weight, int64_t channel_axis) const {
    const TensorOverride* override = config_.Override(weight);
    if (override == nullptr) {
      return config_.per_channel ? std::optional<int64_t>(channel_axis) : std::nullopt;
    }
    if (!override->axis) return std::nullopt;
    const int64_t axis = *override->axis;
    return axis < 0 ? axis + context_.view().Initializer(weight)->dims_size() : axis;
  }

  QuantType WeightType(const std::string& weight, QuantType otherwise) const {
    const TensorOverride* override = config_.Override(weight);
    return override == nullptr ? otherwise : override->first().quant_type.value_or(otherwise);
  }

  // The type that `tensor` has, or will have as an activation.
  QuantType TypeOf(const std::string& tensor) const {
    const TensorPlan* planned = plan_.Find(tensor);
    return planned != nullptr ? planned->params.type : WeightType(tensor, config_.activation_type);
  }

  // What the kernels of QLinearConv, QLinearMatMul and QGemm take: input and output of one type,
  // and signed weights with signed activations.
  static bool KernelTakes(QuantType input, QuantType weight, QuantType output) {
    return input == output && (input != QuantType::kInt8 || weight == QuantType::kInt8);
  }

  void UseActivation(const std::string& tensor) {
    if (IsQuantized(tensor)) return;
    if (context_.view().Initializer(tensor) != nullptr) {
      FitInitializer(tensor, TypeOf(tensor), std::nullopt, false);
    } else {
      AddTensor({tensor, TensorRole::kActivation, *context_.ActivationParams(tensor)});
    }
  }

  void UseWeight(const std::string& tensor, QuantType type, std::optional<int64_t> axis) {
    if (!IsQuantized(tensor)) FitInitializer(tensor, type, axis, config_.reduce_range);
  }

  void FitInitializer(const std::string& tensor, QuantType type, std::optional<int64_t> axis,
                      bool reduce_range) {
    AddTensor({tensor, TensorRole::kInitializer, Fit(tensor, type, axis, reduce_range)});
  }

  QuantParams Fit(const std::string& tensor, QuantType type, std::optional<int64_t> axis,
                  bool reduce_range) const {
    static const ParameterOverride kNone;
    WeightFit fit;
    fit.type = type;
    fit.axis = axis;
    fit.override = config_.Override(tensor);
    const ParameterOverride& given = fit.override == nullptr ? kNone : fit.override->first();
    // Constants of the weights' type follow the weights' symmetry, others the activations' (the
    // reference compares types only).
    fit.options.symmetric = given.symmetric.value_or(axis || type == config_.weight_type
                                                         ? config_.WeightSymmetric(type)
                                                         : config_.activation_symmetric);
    fit.options.reduce_range = given.reduce_range.value_or(reduce_range);
    fit.options.min_real_range = config_.minimum_real_range;
    return FitWeight(context_.model().tensors(), *context_.view().Initializer(tensor), fit);
  }

  void AddTensor(TensorPlan tensor) { ptq::AddTensor(context_, std::move(tensor), &plan_); }

  const PlanContext& context_;
  const StaticQuantConfig& config_;
  const std::unordered_set<std::string> may_be_empty_;
  QuantPlan plan_;
  const onnx::NodeProto* node_ = nullptr;
  int node_index_ = 0;
};

}  // namespace

QuantPlan PlanQOperator(const PlanContext& context) { return QOperatorPlanner(context).Run(); }

}  // namespace ptq
