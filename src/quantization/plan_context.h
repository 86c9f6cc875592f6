// What both planners ask: is this node to be quantized, what are this tensor's parameters, may this
// Relu go. The graph is not changed while planning.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "model/computed_weights.h"
#include "model/graph_view.h"
#include "model/model.h"
#include "ops/op_registry.h"
#include "quantization/config.h"
#include "quantization/left_float.h"
#include "quantization/quant_plan.h"

namespace ptq {

class PlanContext {
 public:
  // `ranges` are those of calibration; they are adjusted as the reference does (AdjustRanges).
  PlanContext(const Model& model, const StaticQuantConfig& config, TensorRanges ranges);

  const Model& model() const { return *model_; }
  const StaticQuantConfig& config() const { return *config_; }
  const GraphView& view() const { return view_; }
  // Nodes as the view lists them: with EnableSubgraph those of bodies too.
  const onnx::NodeProto& node(int index) const { return view_.node(index); }
  int node_count() const { return view_.node_count(); }
  int64_t opset() const { return opset_; }

  // Empty where `node` is to be quantized, else the reason why it is not: it is not among those
  // asked for, is part of a pattern (patterns/pattern.h), or makes or reads a tensor of
  // TensorsOfMasks.
  FloatReason ReasonToSkip(const onnx::NodeProto& node) const;

  bool IsFloat(const std::string& tensor) const;  // FLOAT or FLOAT16, initializers included
  // Whether no Q/DQ pair may be put on it: see left_float.h.
  bool IsLeftFloat(const std::string& tensor) const { return left_float_.tensors.contains(tensor); }
  const onnx::TensorProto* FloatInitializer(const std::string& tensor) const;  // null: none
  FloatType FloatTypeOfTensor(const std::string& tensor) const;

  // Parameters of an activation from its override and its range; nullopt where it has neither.
  // Throws kInvalidRange for a range that is not finite, kMissingRange where a float8 type needs
  // the standard deviation and the range has none.
  std::optional<QuantParams> ActivationParams(const std::string& tensor) const;
  // What its override converts it to; nullopt where it has none.
  std::optional<ConvertPlan> Conversion(const std::string& tensor) const;
  // [0, 1] over 256 values, for kernels that are made for it: scale 1/256, lowest zero point.
  // Softmax has it in both formats: onnxruntime-web makes a QLinearSoftmax of DQ -> Softmax -> Q
  // that gives wrong values at some smaller scales.
  QuantParams UnitIntervalParams(const std::string& tensor) const;
  const TensorRange* Range(const std::string& tensor) const;  // null: none
  // Observed in calibration, but empty or NaN every time.
  bool IsValueless(const std::string& tensor) const;

  // Whether the Relu or Clip `node` leaves every value alone that `params` can represent: the ends
  // of the representable range lie within its bounds, give or take one float rounding.
  bool ClipsNothing(const onnx::NodeProto& node, const QuantParams& params) const;

 private:
  void FillInMovedRanges();
  void FindMasks();
  void FindUnits();
  void FindDynamic(const onnx::NodeProto& node);
  void AdjustRanges();
  bool SawSliver(const std::string& tensor) const;
  FloatReason ReasonNotSelected(const onnx::NodeProto& node) const;
  // "'a', 'b'": the nodes that make or read the tensor.
  std::string NodesAt(const std::string& tensor) const;
  std::optional<QuantParams> ParamsOf(const std::string& tensor,
                                      const ParameterOverride* override) const;

  const Model* model_;
  const StaticQuantConfig* config_;
  GraphView view_;
  std::unordered_map<const onnx::NodeProto*, ComputedWeight> computed_weights_;
  std::unordered_map<const onnx::NodeProto*, std::string_view> units_;  // nodes of patterns
  LeftFloat left_float_;
  std::unordered_set<std::string> functions_;  // of the model: domain, line break, name
  TensorRanges ranges_;
  std::unordered_map<std::string, FloatReason> masks_;  // tensors that must stay float
  std::unordered_set<std::string> unit_intervals_;      // outputs that keep [0, 1]
  int64_t opset_;
};

inline bool IsFloatType(int32_t type) {
  return type == onnx::TensorProto::FLOAT || type == onnx::TensorProto::FLOAT16;
}

// The element type of `tensor`; extra option DefaultTensorType where it is unknown.
int32_t ElementTypeOrDefault(const GraphView& view, const std::string& tensor,
                             const StaticQuantConfig& config);

bool IsQuantizationNode(const onnx::NodeProto& node);  // QuantizeLinear, DequantizeLinear

// Whether a DequantizeLinear of the model as given makes `tensor`: of anything, of a constant.
bool IsDequantized(const GraphView& view, const std::string& tensor);
bool IsDequantizedConstant(const GraphView& view, const std::string& tensor);

// Whether all dilations are 1. AveragePool has some from opset 19 on, QLinearAveragePool has none.
bool HasUnitDilations(const onnx::NodeProto& node);

// Appends `tensor` to the plan, with its calibrated range where it has one. An empty name (an
// output that a node leaves out) is passed over.
void AddTensor(const PlanContext& context, TensorPlan tensor, QuantPlan* plan);

// Planners. Throw kMissingRange where a tensor that must be quantized has no range.
QuantPlan PlanQdq(const PlanContext& context);
QuantPlan PlanQOperator(const PlanContext& context);

// The scales with which `node` reads `tensor`: the plan's, or those of the DequantizeLinear that
// makes it in the model as given. nullopt where it is not quantized, or in blocks.
std::optional<std::vector<float>> ScalesOf(const PlanContext& context, const QuantPlan& plan,
                                           const std::string& tensor, const onnx::NodeProto& node);

// Whether a bias can take one scale a channel: its last axis repeats the channels a whole number of
// times (grouped ConvTranspose), or there is one scale only.
bool BiasFitsChannels(const onnx::TensorProto& bias, size_t channels);

// Raises weight scales for the int32 biases of `plan` (bias.h), of all integer types and whatever
// their zero points; both planners end with it.
void RaiseWeightScalesForBiases(const PlanContext& context, QuantPlan* plan);

}  // namespace ptq
