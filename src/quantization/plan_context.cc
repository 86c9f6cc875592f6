#include "quantization/plan_context.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "model/attributes.h"
#include "model/domains.h"
#include "model/node_queries.h"
#include "patterns/pattern.h"
#include "quantization/clip_bounds.h"
#include "quantization/layer_io.h"
#include "quantization/masks.h"
#include "quantization/quantized_already.h"
#include "quantization/weights.h"

namespace ptq {
namespace {

bool IsKnownDomain(const std::string& domain) {
  return IsOnnxDomain(domain) || domain == kMicrosoftDomain;
}

}  // namespace

int32_t ElementTypeOrDefault(const GraphView& view, const std::string& tensor,
                             const StaticQuantConfig& config) {
  const int32_t type = view.ElementType(tensor);
  return type == onnx::TensorProto::UNDEFINED && !tensor.empty() ? config.default_tensor_type
                                                                 : type;
}

bool IsQuantizationNode(const onnx::NodeProto& node) {
  return node.op_type() == "QuantizeLinear" || node.op_type() == "DequantizeLinear";
}

bool IsDequantized(const GraphView& view, const std::string& tensor) {
  const int producer = view.Producer(tensor);
  return producer >= 0 && view.node(producer).op_type() == "DequantizeLinear";
}

bool IsDequantizedConstant(const GraphView& view, const std::string& tensor) {
  return IsDequantized(view, tensor) &&
         view.Initializer(view.node(view.Producer(tensor)).input(0)) != nullptr;
}

bool HasUnitDilations(const onnx::NodeProto& node) {
  const std::vector<int64_t> dilations = IntsAttribute(node, "dilations");
  return std::all_of(dilations.begin(), dilations.end(), [](int64_t d) { return d == 1; });
}

PlanContext::PlanContext(const Model& model, const StaticQuantConfig& config, TensorRanges ranges)
    : model_(&model),
      config_(&config),
      view_(model.graph(), config.bodies()),
      computed_weights_(FindComputedWeights(view_)),
      left_float_(
          FindLeftFloat(view_, config.left_float, config.quant_format == QuantFormat::kQOperator)),
      ranges_(std::move(ranges)),
      opset_(model.Opset()) {
  for (const onnx::FunctionProto& function : model.proto().functions()) {
    functions_.insert(function.domain() + '\n' + function.name());
  }
  FindUnits();
  FillInMovedRanges();
  FindMasks();
  AdjustRanges();
}

// The reference knows no patterns: a model that is taken as it is gets what the reference gives it.
// The products of Swish and HardSwish do survive 8 bits (docs/preparing.md).
void PlanContext::FindUnits() {
  if (!config_->optimize_model || config_->disabled_passes.contains("fuse_patterns")) return;
  for (const Pattern& pattern : FindPatterns(*model_, view_, view_)) {
    if (pattern.op_type == "Swish" || pattern.op_type == "HardSwish") continue;
    for (const int index : pattern.nodes) units_.emplace(&node(index), pattern.op_type);
  }
}

// Without ranges nothing is left out: this context only asks which opset may be needed.
void PlanContext::FindMasks() {
  if (ranges_.empty()) return;
  masks_ = TensorsOfMasks(*model_, view_, ranges_);
  for (int i = 0; i < node_count(); ++i) FindDynamic(node(i));
  for (const auto& [tensor, override] : config_->tensor_overrides) {
    const ParameterOverride& given = override.first();
    if (given.scale || (given.rmin && given.rmax)) masks_.erase(tensor);
  }
}

// An operator that only moves values has the same range before and after it. Where one of the two
// is missing, it is copied from the other: a cache may have been made before the opset was raised,
// which adds such operators (Softmax becomes Flatten, Softmax, Reshape).
void PlanContext::FillInMovedRanges() {
  if (ranges_.empty()) return;
  const auto copy = [this](const std::string& from, const std::string& to) {
    const auto known = ranges_.find(from);
    if (known == ranges_.end() || ranges_.contains(to)) return;
    const TensorRange range = known->second;
    ranges_.emplace(to, range);
  };
  for (int i = 0; i < node_count(); ++i) {
    if (MovesValues(node(i))) copy(node(i).input(0), node(i).output(0));
  }
  for (int i = node_count() - 1; i >= 0; --i) {
    if (MovesValues(node(i))) copy(node(i).output(0), node(i).input(0));
  }
}

// Dynamic quantization: x -> DynamicQuantizeLinear -> MatMulInteger -> Cast -> Mul by both scales.
// What goes in, the scale, and the product before it is scaled stay as they are.
void PlanContext::FindDynamic(const onnx::NodeProto& node) {
  const auto keep = [this](const std::string& tensor) {
    if (!IsFloat(tensor)) return;
    masks_[tensor] = {
        FloatReasonCode::kAlreadyQuantized,
        Text("its tensor '") + tensor + "' is part of what the model quantizes at run time"};
  };
  if (QuantizesAtRunTime(node)) {
    keep(node.input(0));
    if (node.op_type() == "DynamicQuantizeLinear") keep(node.output(1));
  } else if (MakesInt32(node)) {
    for (const Use& use : view_.Uses(node.output(0))) {
      if (this->node(use.node).op_type() == "Cast") keep(this->node(use.node).output(0));
    }
  }
}

bool PlanContext::SawSliver(const std::string& tensor) const {
  const TensorRange* range = Range(tensor);
  return range != nullptr && range->highest < 1.0f / 16;
}

// BaseQuantizer.adjust_tensor_ranges: what feeds only a Relu or Clip takes the range of its output
// (so that the clip costs no resolution), and Softmax writes [0, 1]; so does a Sigmoid of which the
// samples reached less than a sixteenth: what it will say of others is unknown, not small. A tensor
// that is also a graph output keeps its own range: it is read unclipped too.
void PlanContext::AdjustRanges() {
  for (int i = 0; i < node_count(); ++i) {
    const onnx::NodeProto& node = this->node(i);
    if (node.op_type() == "Softmax" || (node.op_type() == "Sigmoid" && SawSliver(node.output(0)))) {
      if (!ReasonNotSelected(node).empty()) continue;
      unit_intervals_.insert(node.output(0));
      TensorRange& range = ranges_[node.output(0)];
      range.lowest = 0;  // the standard deviation, for float8, stays that of the data
      range.highest = 1;
      continue;
    }
    if (node.op_type() != "Clip" && node.op_type() != "Relu") continue;
    if (!ReasonToSkip(node).empty()) continue;
    const std::string& input = node.input(0);
    if (view_.Uses(input).size() != 1 || view_.IsGraphOutput(input)) continue;
    const auto from = ranges_.find(node.output(0));
    const auto to = ranges_.find(input);
    if (from != ranges_.end() && to != ranges_.end()) to->second = from->second;
  }
}

FloatReason PlanContext::ReasonToSkip(const onnx::NodeProto& node) const {
  FloatReason reason = ReasonNotSelected(node);
  if (!reason.empty() || masks_.empty()) return reason;
  for (const auto* tensors : {&node.input(), &node.output()}) {
    for (const std::string& tensor : *tensors) {
      const auto mask = masks_.find(tensor);
      if (mask == masks_.end()) continue;
      if (mask->second.code == FloatReasonCode::kRangeOfMask) return mask->second;
      reason = mask->second;
    }
  }
  return reason;
}

FloatReason PlanContext::ReasonNotSelected(const onnx::NodeProto& node) const {
  using enum FloatReasonCode;
  if (IsQuantizationOp(node)) return {kAlreadyQuantized, "it is already quantized"};
  if (functions_.contains(node.domain() + '\n' + node.op_type())) {
    return {kOtherDomain, Text("it calls the model's own function '") + node.op_type() + "'"};
  }
  if (!IsKnownDomain(node.domain())) {
    return {kOtherDomain, Text("its domain '") + node.domain() + "' is not ONNX's"};
  }
  const auto& types = config_->op_types_to_quantize;
  if (types.empty() && FindOp(node.op_type()) == nullptr) {
    return {kOpTypeNotSelected, Text("op type ") + node.op_type() + " is not quantized by default"};
  }
  if (!types.empty() && !types.contains(node.op_type())) {
    return {kOpTypeNotSelected,
            Text("op type ") + node.op_type() + " is not in op_types_to_quantize"};
  }
  if (!config_->nodes_to_quantize.empty() && !config_->nodes_to_quantize.contains(node.name())) {
    return {kNodeNotSelected, "it is not in nodes_to_quantize"};
  }
  if (config_->nodes_to_exclude.contains(node.name())) {
    return {kNodeExcluded, "it is in nodes_to_exclude"};
  }
  if (config_->layer_io && !IsOfLayer(view_, node)) {
    return {kBetweenLayers, "effort leaves float what is no layer with constant weights"};
  }
  if (config_->layer_io && IsLightHead(view_, node)) {
    return {kLeftByEffort, "effort leaves it float: its few weights cost nothing"};
  }
  if (left_float_.nodes.contains(&node)) {
    return {kLeftByEffort, "effort leaves it float: 8 bits would lose too much there"};
  }
  if (!config_->only.empty() && !config_->only.contains(NodeLabel(node))) {
    return {kNodeNotSelected, "it is not asked about"};
  }
  if (config_->matmul_const_b_only && node.op_type() == "MatMul" &&
      view_.Initializer(node.input(1)) == nullptr) {
    return {kInputNotConstant, "its second input is not constant (MatMulConstBOnly)"};
  }
  const auto unit = units_.find(&node);
  if (unit != units_.end() && !config_->nodes_to_quantize.contains(node.name())) {
    return {kPartOfPattern,
            Text("it is part of a ") + unit->second + " in several nodes, which stays whole"};
  }
  const auto computed = computed_weights_.find(&node);
  if (computed != computed_weights_.end()) {
    const ComputedWeight& weight = computed->second;
    return {kWeightComputed, Text("its weight '") + weight.tensor +
                                 "' is computed at run time, by " + weight.producer};
  }
  return {};
}

bool PlanContext::IsFloat(const std::string& tensor) const {
  return IsFloatType(ElementTypeOrDefault(view_, tensor, *config_));
}

const onnx::TensorProto* PlanContext::FloatInitializer(const std::string& tensor) const {
  const onnx::TensorProto* initializer = view_.Initializer(tensor);
  return initializer != nullptr && IsFloat(tensor) ? initializer : nullptr;
}

FloatType PlanContext::FloatTypeOfTensor(const std::string& tensor) const {
  return view_.ElementType(tensor) == onnx::TensorProto::FLOAT16 ? FloatType::kFloat16
                                                                 : FloatType::kFloat;
}

const TensorRange* PlanContext::Range(const std::string& tensor) const {
  const auto found = ranges_.find(tensor);
  return found == ranges_.end() || found->second.is_empty() ? nullptr : &found->second;
}

bool PlanContext::IsValueless(const std::string& tensor) const {
  const auto found = ranges_.find(tensor);
  return found != ranges_.end() && found->second.is_empty();
}

std::optional<QuantParams> PlanContext::ActivationParams(const std::string& tensor) const {
  const TensorOverride* override = config_->Override(tensor);
  const int producer = view_.Producer(tensor);
  if (override == nullptr && config_->sigmoid_nnapi && producer >= 0 &&
      node(producer).op_type() == "Sigmoid" && ReasonToSkip(node(producer)).empty()) {
    return UnitIntervalParams(tensor);
  }
  if (override == nullptr && unit_intervals_.contains(tensor) && !config_->activation_symmetric &&
      !IsFloat8(config_->activation_type) && config_->minimum_real_range.value_or(0) <= 1) {
    return UnitIntervalParams(tensor);
  }
  return ParamsOf(tensor, override == nullptr ? nullptr : &override->first());
}

std::optional<ConvertPlan> PlanContext::Conversion(const std::string& tensor) const {
  const TensorOverride* override = config_->Override(tensor);
  if (override == nullptr || !override->convert) return std::nullopt;
  std::optional<QuantParams> params = ParamsOf(tensor, &override->convert->parameters);
  if (!params) return std::nullopt;
  return ConvertPlan{*std::move(params), override->convert->recv_nodes};
}

QuantParams PlanContext::UnitIntervalParams(const std::string& tensor) const {
  QuantParams params;
  params.type = config_->activation_type;
  params.scale_type = FloatTypeOfTensor(tensor);
  const IntegerRange q = FullRange(params.type);
  params.scales = {RoundTo(params.scale_type, 1.0 / (q.max - q.min + 1))};
  params.zero_points = {q.min};
  return params;
}

std::optional<QuantParams> PlanContext::ParamsOf(const std::string& tensor,
                                                 const ParameterOverride* override) const {
  static const ParameterOverride kNone;
  const ParameterOverride& given = override == nullptr ? kNone : *override;
  QuantParams params;
  params.type = given.quant_type.value_or(config_->activation_type);
  params.scale_type = FloatTypeOfTensor(tensor);
  const TensorRange* observed = Range(tensor);
  if (given.scale) {
    params.scales = {RoundTo(params.scale_type, *given.scale)};
    params.zero_points = {static_cast<int32_t>(*given.zero_point)};
    return params;
  }
  if (observed == nullptr && !(given.rmin && given.rmax)) return std::nullopt;
  TensorRange range = observed == nullptr ? TensorRange{} : *observed;
  if (given.rmin) range.lowest = RoundTo(params.scale_type, *given.rmin);
  if (given.rmax) range.highest = RoundTo(params.scale_type, *given.rmax);
  const FitOptions options{given.symmetric.value_or(config_->activation_symmetric), false,
                           config_->minimum_real_range};
  ScaleZeroPoint fit;
  try {
    if (IsFloat8(params.type)) {
      if (!range.deviation) {
        throw Error(ErrorCode::kMissingRange,
                    Text("Tensor '") + tensor + "' has no standard deviation.")
            .WithTensor(tensor)
            .WithHint("QFLOAT8E4M3FN needs calibrate_method Distribution.");
      }
      fit = FitFloat8(*range.deviation, params.scale_type);
    } else {
      const bool restricted = config_->activation_restricted_asymmetric && !options.symmetric &&
                              params.type == QuantType::kUInt8;
      fit = restricted ? FitRestrictedAsymmetric(range, options)
                       : FitScaleZeroPoint(range, params.type, params.scale_type, options);
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalidRange) throw;
    throw Error(error.code(), "The range of tensor '" + tensor + "' is not finite.")
        .WithTensor(tensor)
        .WithHint(Text("Look for the sample that makes it, or exclude what makes and reads it: ") +
                  NodesAt(tensor) + ".");
  }
  params.scales = {fit.scale};
  params.zero_points = {fit.zero_point};
  return params;
}

std::string PlanContext::NodesAt(const std::string& tensor) const {
  std::string names;
  const auto add = [&](int index) {
    if (!names.empty()) names += ", ";
    names += "'" + node(index).name() + "'";
  };
  if (const int producer = view_.Producer(tensor); producer >= 0) add(producer);
  for (const Use& use : view_.Uses(tensor)) add(use.node);
  return names;
}

bool PlanContext::ClipsNothing(const onnx::NodeProto& node, const QuantParams& params) const {
  const std::optional<ClipBounds> bounds = FindClipBounds(node, *model_, view_);
  if (!bounds || params.per_channel()) return false;
  const IntegerRange q = FullRange(params.type);
  const float scale = params.scales[0];
  const auto zero = static_cast<float>(params.zero_points[0]);
  const float low = (static_cast<float>(q.min) - zero) * scale;
  const float high = (static_cast<float>(q.max) - zero) * scale;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  return std::nextafter(low, kInfinity) >= bounds->low &&
         std::nextafter(high, -kInfinity) <= bounds->high;
}

void AddTensor(const PlanContext& context, TensorPlan tensor, QuantPlan* plan) {
  if (tensor.tensor.empty()) return;
  if (const TensorRange* range = context.Range(tensor.tensor)) {
    tensor.has_range = true;
    tensor.range = *range;
  }
  plan->tensor_index.emplace(tensor.tensor, plan->tensors.size());
  plan->tensors.push_back(std::move(tensor));
}

std::optional<std::vector<float>> ScalesOf(const PlanContext& context, const QuantPlan& plan,
                                           const std::string& tensor, const onnx::NodeProto& node) {
  if (const TensorPlan* planned = plan.Find(tensor)) {
    const QuantParams& params = planned->ParamsFor(node.name());
    if (params.blocked()) return std::nullopt;
    return params.scales;
  }
  const int producer = context.view().Producer(tensor);
  if (producer < 0 || context.node(producer).op_type() != "DequantizeLinear") return std::nullopt;
  const onnx::NodeProto& dequantize = context.node(producer);
  if (IntAttribute(dequantize, "block_size", 0) > 0) return std::nullopt;
  const onnx::TensorProto* scale = context.view().Initializer(dequantize.input(1));
  if (scale == nullptr || ElementCount(*scale) == 0) return std::nullopt;
  return context.model().tensors().ReadFloats(*scale);
}

bool BiasFitsChannels(const onnx::TensorProto& bias, size_t channels) {
  if (channels == 1) return true;
  const int rank = bias.dims_size();
  return rank > 0 && bias.dims(rank - 1) > 0 &&
         static_cast<uint64_t>(bias.dims(rank - 1)) % channels == 0;
}

void RaiseWeightScalesForBiases(const PlanContext& context, QuantPlan* plan) {
  for (const BiasPlan& bias : plan->biases) {
    const onnx::NodeProto& node = context.node(bias.node);
    const std::optional<std::vector<float>> input = ScalesOf(context, *plan, bias.input, node);
    const auto weight = plan->tensor_index.find(bias.weight);
    if (!input || weight == plan->tensor_index.end()) continue;
    TensorPlan& weight_plan = plan->tensors[weight->second];
    QuantParams& params = weight_plan.params;
    if (weight_plan.role != TensorRole::kInitializer || params.blocked() || IsFloat8(params.type)) {
      continue;
    }
    // The reference raises signed types with zero point 0 only, and none with QuantizeBias off. In
    // QOperator it asks weight_type, although per-channel weights are signed there whatever that
    // is.
    const QuantType type = context.config().quant_format == QuantFormat::kQDQ
                               ? params.type
                               : context.config().weight_type;
    const bool as_reference = context.config().quantize_bias && plan->Find(bias.input) != nullptr &&
                              (type == QuantType::kInt8 || type == QuantType::kInt16) &&
                              std::all_of(params.zero_points.begin(), params.zero_points.end(),
                                          [](int32_t zero_point) { return zero_point == 0; });
    const onnx::TensorProto& initializer = *context.view().Initializer(bias.bias);
    std::vector<float> values = context.model().tensors().ReadFloats(initializer);
    float factor = bias.factors.beta / bias.factors.alpha;
    // The sums of products that are added to the bias need room, too: a quarter of the range of
    // int32 is the bias's. Fused kernels would wrap around in silence.
    constexpr float kRoom = 4;
    if (context.config().bias_room) factor *= kRoom;
    if (factor != 1) {
      for (float& value : values) value *= factor;
    }
    RaiseWeightScales(values, FloatTypeOf(initializer), (*input)[0],
                      as_reference ? Raise::kBelowSmallestValid : Raise::kWhereClipped, &params);
  }
}

}  // namespace ptq
