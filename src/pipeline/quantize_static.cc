#include "pipeline/quantize_static.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/error.h"
#include "model/node_queries.h"
#include "model/topological_sort.h"
#include "passes/fix_dims.h"
#include "passes/infer_shapes.h"
#include "passes/ir_version.h"
#include "passes/optimize_model.h"
#include "passes/uniquify_names.h"
#include "passes/upgrade_opset.h"
#include "pipeline/pass_dump.h"
#include "quantization/check_on_model.h"
#include "quantization/left_float.h"
#include "quantization/mark_qdq.h"
#include "quantization/plan_context.h"
#include "quantization/quantized_already.h"
#include "quantization/rewriter.h"
#include "repair/correct_biases.h"
#include "repair/equalize.h"
#include "repair/smooth.h"

namespace ptq {
namespace {

constexpr int64_t kQuantizeLinearOpset = 10;
constexpr int64_t kReferenceOpset = 11;  // the reference converts older models to this one
constexpr int64_t kAxisOpset = 13;
// The first opsets whose QuantizeLinear and DequantizeLinear take float16 scales and float8 (19),
// and 16-bit types, 4-bit types and blocks (21).
constexpr int64_t kFloat16Opset = 19;
constexpr int64_t kBlockOpset = 21;

// Whether a DequantizeLinear will have an axis.
bool HasAxis(const PlanContext& context) {
  QuantPlan plan;
  const QdqMarks marks = MarkQdq(context, &plan);
  return std::any_of(marks.marks.begin(), marks.marks.end(), [&](const QdqMark& mark) {
    const TensorOverride* override = context.config().Override(mark.tensor);
    return mark.axis || (override != nullptr && override->axis);
  });
}

bool HasFloat16(const PlanContext& context, const onnx::NodeProto& node) {
  const auto is_half = [&](const std::string& tensor) {
    return context.view().ElementType(tensor) == onnx::TensorProto::FLOAT16;
  };
  return std::any_of(node.input().begin(), node.input().end(), is_half) ||
         std::any_of(node.output().begin(), node.output().end(), is_half);
}

bool IsOf16Or4Bits(QuantType type) { return Bits(type) != 8; }

// The IR version in which the types that `config` asks for were introduced (ONNX versioning).
int64_t RequiredIrVersion(const StaticQuantConfig& config) {
  if (config.AnyType([](QuantType type) { return Bits(type) == 4; })) return 10;
  return config.AnyType(IsFloat8) ? 9 : 0;
}

// Warns about every override that changed nothing: no setting may be ignored in silence.
void ReportUnusedOverrides(const QuantPlan& plan, const StaticQuantConfig& config,
                           Diagnostics* diagnostics) {
  std::map<std::string, Text> unused;
  for (const auto& [tensor, override] : config.tensor_overrides) {
    const TensorPlan* planned = plan.Find(tensor);
    if (planned == nullptr) {
      unused.emplace(tensor, "the tensor is not quantized");
    } else if (!planned->shares_with.empty() && !override.convert) {
      unused.emplace(tensor, Text("it takes the parameters of '") + planned->shares_with + "'");
    }
  }
  for (const auto& [tensor, why] : unused) {
    diagnostics->push_back(
        {Severity::kWarning, "OVERRIDE_UNUSED",
         Text("TensorQuantOverrides of '") + tensor + "' has no effect: " + why + ".", "", tensor,
         ""});
  }
}

// Says so where the model as given has been quantized, wholly or in part.
void ReportQuantizedAlready(const onnx::GraphProto& graph, Diagnostics* diagnostics) {
  const auto count = std::count_if(graph.node().begin(), graph.node().end(), IsQuantizationOp);
  if (count == 0) return;
  diagnostics->push_back({Severity::kWarning, "ALREADY_QUANTIZED",
                          Text("The model is quantized already, at least in part: ") + count +
                              " of its " + graph.node_size() +
                              " nodes are quantization operators. They stay as they are, and so "
                              "does what reads their integers.",
                          "", "", "Quantize the float model instead, if there is one."});
}

// onnxruntime's CPU kernels move and cast bfloat16, and compute nothing in it; what it says of such
// a model is that some node has no implementation.
void CheckComputesInKnownTypes(const Model& model) {
  static constexpr std::array kComputing = {
      "Add", "Conv", "ConvTranspose", "Gemm",    "MatMul",
      "Mul", "Relu", "Sigmoid",       "Softmax", "LayerNormalization"};
  const GraphView view(model.graph());
  for (int i = 0; i < view.node_count(); ++i) {
    const onnx::NodeProto& node = view.node(i);
    const bool computes = std::any_of(kComputing.begin(), kComputing.end(),
                                      [&](const char* op_type) { return IsOp(node, op_type); });
    if (!computes || node.input_size() == 0 || node.output_size() == 0) continue;
    if (view.ElementType(node.input(0)) != onnx::TensorProto::BFLOAT16) continue;
    if (view.ElementType(node.output(0)) != onnx::TensorProto::BFLOAT16) continue;
    throw Error(ErrorCode::kUnsupportedModel, Text("The ") + node.op_type() + " node \"" +
                                                  NodeLabel(node) +
                                                  "\" computes in bfloat16, "
                                                  "for which onnxruntime has no kernels.")
        .WithNode(node.name())
        .WithHint(
            "Export the model in float32; weights may be bfloat16, cast where they are read.");
  }
}

// Whether the tensors that `plan` has are quantized alike by `next`.
bool HaveSameScales(const QuantPlan& plan, const QuantPlan& next) {
  return std::all_of(plan.tensors.begin(), plan.tensors.end(), [&](const TensorPlan& tensor) {
    const TensorPlan* other = next.Find(tensor.tensor);
    return other != nullptr && other->params.scales == tensor.params.scales;
  });
}

// What scales and zero points take in the file, and in QDQ the pairs of nodes, roughly: their names
// have that of the tensor in them.
uint64_t AddedBytes(const QuantPlan& plan, QuantFormat format) {
  const uint64_t names = format == QuantFormat::kQDQ ? 10 : 4;
  const uint64_t rest = format == QuantFormat::kQDQ ? 260 : 80;
  uint64_t bytes = 0;
  for (const TensorPlan& tensor : plan.tensors) {
    bytes += names * tensor.tensor.size() + rest + 5 * tensor.params.scales.size();
  }
  return bytes;
}

CalibrationModel WriteRunnable(CalibrationModel calibration, const Model& prepared,
                               const std::string& file) {
  CheckComputesInKnownTypes(prepared);
  Model runnable = prepared;
  runnable.proto() = calibration.proto;
  WriteSkeleton(runnable, file);
  return calibration;
}

std::vector<QuantizedNode> NodesOf(const GraphView& view, const QuantPlan& plan) {
  std::vector<QuantizedNode> nodes;
  WeightForms weights(view, plan);
  for (int i = 0; i < view.node_count(); ++i) {
    const onnx::NodeProto& node = view.node(i);
    const NodePlan& node_plan = plan.nodes[static_cast<size_t>(i)];
    nodes.push_back({NodeLabel(node), node.op_type(), node_plan, weights.Of(node)});
  }
  return nodes;
}

}  // namespace

int64_t RequiredOpset(const Model& model, const StaticQuantConfig& config) {
  const PlanContext context(model, config, {});
  const bool onnx_qdq = config.quant_format == QuantFormat::kQDQ;
  int64_t by_types = 0;
  if (config.block_size > 0 || config.AnyType(IsOf16Or4Bits)) {
    by_types = kBlockOpset;
  } else if (config.AnyType(IsFloat8)) {
    by_types = kFloat16Opset;
  }
  int64_t required = 0;
  for (int i = 0; i < context.node_count(); ++i) {
    const onnx::NodeProto& node = context.node(i);
    if (!context.ReasonToSkip(node).empty() || config.use_qdq_contrib_ops) continue;
    // onnxruntime quantizes a float bias itself, with Round, which opset 11 introduced.
    const bool makes_round = onnx_qdq && !config.quantize_bias && node.input_size() > 2;
    if (model.Opset() < kQuantizeLinearOpset || makes_round) {
      required = std::max(required, kReferenceOpset);
    }
    if (!onnx_qdq) continue;
    required = std::max(required, by_types);
    if (HasFloat16(context, node)) required = std::max(required, kFloat16Opset);
  }
  const bool may_have_axis = onnx_qdq && !config.use_qdq_contrib_ops && required < kAxisOpset;
  if (may_have_axis && HasAxis(context)) required = kAxisOpset;
  return required;
}

StaticQuantizer::StaticQuantizer(Files* files) : model_(Model::Load(files)) {}

void StaticQuantizer::Configure(StaticQuantConfig config) {
  CheckPassNames(config.disabled_passes);
  if (config.target_opset != 0) CheckTargetOpset(config.target_opset, model_);
  CheckFixDims(config.fix_dim, model_.graph());
  CheckConfig(config, model_);
  config_ = std::move(config);
  moments_.reset();
  rounder_.reset();
  NameInlinedNodes();
}

// Where a call of a function is named, the nodes that it became are.
void StaticQuantizer::NameInlinedNodes() {
  for (const auto& [call, nodes] : inlined_) {
    for (auto* const names : {&config_.nodes_to_exclude, &config_.nodes_to_quantize}) {
      if (names->contains(call)) names->insert(nodes.begin(), nodes.end());
    }
  }
}

PrepareReport StaticQuantizer::Prepare(int64_t min_opset, Files* dump) {
  PrepareReport report;
  report.nodes_before = model_.graph().node_size();
  report.opset_before = model_.Opset();
  ReportQuantizedAlready(model_.graph(), &report.diagnostics);
  moments_.reset();
  rounder_.reset();
  prepared_.emplace(model_);
  FixDims(config_.fix_dim, &prepared_->graph());
  // Planners and passes rely on topological order, which ONNX requires (IR specification), but some
  // files are not sorted.
  const std::vector<onnx::GraphProto*> graphs = GraphsOf(&prepared_->graph(), config_.bodies());
  for (auto graph = graphs.rbegin(); graph != graphs.rend(); ++graph) {
    if (!IsTopologicallySorted(**graph)) TopologicalSort(*graph);
  }
  if (config_.enable_subgraph) UniquifyNames(*prepared_);
  // The model imports other domains only, and the nodes added below belong to ai.onnx.
  if (prepared_->Opset() == 0) prepared_->SetOpset("", kAxisOpset);
  std::optional<PassDump> dumped;
  if (dump != nullptr) dumped.emplace(*prepared_, dump);
  const int64_t asked = std::max(min_opset, config_.target_opset);
  if (config_.optimize_model) {
    OptimizeOptions options = {config_.bodies(), asked, config_.disabled_passes, {}};
    if (dumped) {
      options.on_change = [&](const Pass& pass, int round, int changes) {
        dumped->Write(pass.name, round, changes);
      };
    }
    PrepareResult result = OptimizeModel(*prepared_, report.diagnostics, options);
    report.changes = std::move(result.changes);
    inlined_ = std::move(result.inlined);
    NameInlinedNodes();
  } else {
    inlined_.clear();
    InferShapes(*prepared_, &report.diagnostics);  // OptimizeModel and UpgradeOpset end with it
  }
  if (config_.enable_subgraph) InferShapes(*prepared_, nullptr, Bodies::kInside);
  optimized_ = prepared_;
  optimized_report_ = report;
  types_.clear();
  asked_opset_ = asked;
  const int64_t before = prepared_->Opset();
  RaiseOpset(asked, &report.diagnostics);
  if (dumped && prepared_->Opset() != before) dumped->Write("upgrade_opset", 1, 1);
  report.nodes_after = prepared_->graph().node_size();
  report.opset_after = prepared_->Opset();
  return report;
}

PrepareReport StaticQuantizer::Reconfigure(StaticQuantConfig config) {
  Configure(std::move(config));
  prepared_ = optimized_;
  PrepareReport report = optimized_report_;
  RaiseOpset(asked_opset_, &report.diagnostics);
  if (!types_.empty()) TakeTypes(&report.diagnostics);
  report.nodes_after = prepared_->graph().node_size();
  report.opset_after = prepared_->Opset();
  return report;
}

// As far as the output needs and `asked`.
void StaticQuantizer::RaiseOpset(int64_t asked, Diagnostics* diagnostics) {
  const int64_t required = RequiredOpset(*prepared_, config_);
  if (config_.target_opset != 0 && required > std::max(config_.target_opset, prepared_->Opset())) {
    throw Error(ErrorCode::kUnsupportedOption,
                Text("target_opset ") + std::to_string(config_.target_opset) +
                    ": what was asked for needs opset " + std::to_string(required))
        .WithHint(Text("leave target_opset out, or ask for ") + std::to_string(required) +
                  " or more");
  }
  const int64_t wanted = std::max(required, asked);
  if (prepared_->Opset() >= wanted) return;
  UpgradeOpset(*prepared_, wanted, *diagnostics);
  if (config_.enable_subgraph) InferShapes(*prepared_, nullptr, Bodies::kInside);
}

std::vector<std::string> StaticQuantizer::UntypedTensors() const {
  const GraphView view(prepared_->graph());
  std::vector<std::string> tensors;
  for (const onnx::NodeProto& node : prepared_->graph().node()) {
    for (const std::string& output : node.output()) {
      if (output.empty() || view.ElementType(output) != 0 || view.IsGraphOutput(output)) continue;
      const onnx::ValueInfoProto* info = view.ValueInfo(output);
      const bool is_tensor = info == nullptr || !info->has_type() || info->type().has_tensor_type();
      if (is_tensor && !view.Uses(output).empty()) tensors.push_back(output);
    }
  }
  return tensors;
}

CalibrationModel StaticQuantizer::WriteTypeModel(const std::string& file) const {
  return WriteRunnable(BuildTypeModel(*prepared_, UntypedTensors()), *prepared_, file);
}

Diagnostics StaticQuantizer::LearnTypes(std::map<std::string, ObservedType> types) {
  types_ = std::move(types);
  Diagnostics diagnostics;
  TakeTypes(&diagnostics);
  return diagnostics;
}

void StaticQuantizer::TakeTypes(Diagnostics* diagnostics) {
  onnx::GraphProto& graph = prepared_->graph();
  google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> kept;
  for (onnx::ValueInfoProto& info : *graph.mutable_value_info()) {
    if (!types_.contains(info.name())) kept.Add(std::move(info));
  }
  graph.mutable_value_info()->Swap(&kept);
  for (const auto& [name, type] : types_) {
    onnx::ValueInfoProto* info = graph.add_value_info();
    info->set_name(name);
    auto* tensor = info->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(type.element_type);
    // Sizes may be those of one sample; the rank is that of all.
    for (int64_t i = 0; i < type.rank; ++i) tensor->mutable_shape()->add_dim();
  }
  InferShapes(*prepared_, nullptr, config_.bodies());
  RaiseOpset(0, diagnostics);
}

uint64_t StaticQuantizer::WritePrepared(const WriteOptions& options, bool inferred_types) const {
  if (inferred_types) return WriteModel(*prepared_, options);
  Model written = *prepared_;
  const GraphView given(model_.graph());
  auto* const infos = written.graph().mutable_value_info();
  google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> kept;
  for (const onnx::ValueInfoProto& info : *infos) {
    if (const onnx::ValueInfoProto* known = given.ValueInfo(info.name())) *kept.Add() = *known;
  }
  infos->Swap(&kept);
  *written.graph().mutable_output() = model_.graph().output();
  return WriteModel(written, options);
}

std::vector<CalibratedTensor> StaticQuantizer::TensorsToCalibrate() const {
  return ptq::TensorsToCalibrate(*prepared_, config_);
}

MemoryEstimate StaticQuantizer::EstimateMemory(
    const std::map<std::string, std::vector<int64_t>>& input_shapes) const {
  std::vector<std::string> names;
  for (const CalibratedTensor& tensor : TensorsToCalibrate()) names.push_back(tensor.name);
  return ptq::EstimateMemory(*prepared_, names, input_shapes);
}

CalibrationModel StaticQuantizer::WriteReductionModel(const std::string& file, bool for_repairs,
                                                      Sums sums) const {
  return WriteRunnable(BuildReductionModel(*prepared_, config_, for_repairs, sums), *prepared_,
                       file);
}

CalibrationModel StaticQuantizer::WriteTensorModel(const std::vector<std::string>& tensors,
                                                   const std::string& file) const {
  const Model& model = prepared_ ? *prepared_ : model_;
  return WriteRunnable(BuildTensorModel(model, tensors), model, file);
}

ProbeModel StaticQuantizer::WriteProbeModel(const ProbeRequest& request,
                                            const std::string& file) const {
  ProbeModel probe = BuildProbeModel(model_, request);
  probe.model = WriteRunnable(std::move(probe.model), model_, file);
  return probe;
}

void StaticQuantizer::SetRanges(TensorRanges ranges) { ranges_ = std::move(ranges); }

void StaticQuantizer::SetStatistics(TensorStatistics statistics) {
  statistics_ = std::move(statistics);
}

const SecondMoments& StaticQuantizer::BeginMoments(size_t samples) {
  moments_.emplace(PlanContext(*prepared_, config_, ranges_), statistics_, samples);
  rounder_.emplace(&*moments_);
  return *moments_;
}

void StaticQuantizer::ObserveMoments(const std::string& tensor, std::span<const int64_t> dims,
                                     std::span<const float> values) {
  if (moments_) moments_->Observe(tensor, dims, values);
}

QuantPlan StaticQuantizer::Plan(const Model& model, const StaticQuantConfig& config,
                                const TensorRanges& ranges) const {
  const PlanContext context(model, config, ranges);
  return config.quant_format == QuantFormat::kQDQ ? PlanQdq(context) : PlanQOperator(context);
}

// Inside of what Relu, Clip and their like let through, so that they go where they usually go.
TensorRanges StaticQuantizer::AssumedRanges() const {
  TensorRanges assumed;
  for (const CalibratedTensor& tensor : TensorsToCalibrate()) assumed[tensor.name] = {0, 1, {}, 0};
  return assumed;
}

std::vector<QuantizedNode> StaticQuantizer::Forecast() const {
  const GraphView view(prepared_->graph(), config_.bodies());
  return NodesOf(view, Plan(*prepared_, config_, AssumedRanges()));
}

PlanReport StaticQuantizer::PlanOnly() const {
  PlanReport report;
  report.with_ranges = !ranges_.empty();
  QuantPlan plan = Plan(*prepared_, config_, report.with_ranges ? ranges_ : AssumedRanges());
  const GraphView view(prepared_->graph(), config_.bodies());
  report.nodes = NodesOf(view, plan);
  const PlannedWeights weights = PlanWeights(view, plan, config_);
  report.weights = FindFloatWeights(view, plan, config_, weights.left);
  report.given_weights = FloatWeightBytes(model_.graph());
  report.integer_weights = weights.integer_bytes;
  const uint64_t without_weights =
      prepared_->proto().ByteSizeLong() - InlineWeightBytes(prepared_->graph());
  report.bytes = without_weights + weights.integer_bytes + report.weights.float_bytes +
                 AddedBytes(plan, config_.quant_format);
  report.opset = prepared_->Opset();
  report.diagnostics = std::move(plan.diagnostics);
  ReportUnusedOverrides(plan, config_, &report.diagnostics);
  return report;
}

std::vector<Unit> StaticQuantizer::Units(const Repairs& repairs) const {
  StaticQuantConfig config = config_;
  config.layer_io = repairs.layer_io;
  const GraphView view(prepared_->graph(), config_.bodies());
  return FindUnits(view, Plan(*prepared_, config, ranges_));
}

struct StaticQuantizer::Repaired {
  StaticQuantConfig config;
  Model uncorrected;
  Model model;  // with corrected biases
  TensorStatistics statistics;
  TensorRanges ranges;
  QuantPlan plan;
  RepairCounts counts;
};

// All but adaptive rounding.
StaticQuantizer::Repaired StaticQuantizer::Repair(const Repairs& repairs) const {
  StaticQuantConfig config = config_;
  config.bias_room = repairs.any();
  config.layer_io = repairs.layer_io;
  CheckNodes("floatNodes", repairs.float_nodes, *prepared_);
  config.left_float = {repairs.float_nodes.begin(), repairs.float_nodes.end()};
  config.only = {repairs.only.begin(), repairs.only.end()};
  Model model = *prepared_;
  TensorRanges ranges = ranges_;
  TensorStatistics statistics = statistics_;
  RepairCounts counts;
  if (repairs.equalize) {
    counts.equalized = EqualizeLayers(config, &model, &ranges, &statistics);
  }
  if (repairs.smooth > 0) {
    counts.smoothed = SmoothInputs(config, repairs.smooth, &model, &ranges, &statistics);
  }
  QuantPlan plan = Plan(model, config, ranges);
  // A corrected bias may raise the scale of its weight, whose rounding then is another one.
  constexpr int kMostRounds = 3;
  Model uncorrected = model;
  const bool corrects = repairs.correct_biases || repairs.round;
  for (int round = 0; corrects && round < kMostRounds; ++round) {
    model = uncorrected;
    counts.corrected = CorrectBiases(plan, statistics, {}, &model);
    QuantPlan next = Plan(model, config, ranges);
    const bool same = HaveSameScales(plan, next);
    plan = std::move(next);
    if (same) break;
  }
  return {std::move(config),
          std::move(uncorrected),
          std::move(model),
          std::move(statistics),
          std::move(ranges),
          std::move(plan),
          counts};
}

void StaticQuantizer::BeginRounding(const Repairs& repairs) {
  if (!repairs.round || !rounder_) return;
  Repaired repaired = Repair(repairs);
  rounder_->Begin(repaired.plan, repaired.statistics, std::move(repaired.uncorrected));
}

bool StaticQuantizer::ContinueRounding() {
  constexpr double kPart = 2e8;
  return rounder_ && rounder_->Continue(kPart);
}

QuantizeReport StaticQuantizer::Quantize(const std::string& external_file, const Repairs& repairs) {
  QuantizeReport report;
  auto [config, uncorrected, model, statistics, ranges, plan, counts] = Repair(repairs);
  report.repaired = counts;
  RoundedWeights rounded;
  if (repairs.round && rounder_) {
    model = uncorrected;
    rounded = rounder_->Round(plan, statistics, &model);
    report.repaired.corrected = CorrectBiases(plan, statistics, rounded, &model);
    QuantPlan next = Plan(model, config, ranges);
    // The values are on these grids; what the biases have grown by is within their room.
    for (const auto& [name, values] : rounded) {
      next.tensors[next.tensor_index.at(name)].params = plan.Find(name)->params;
    }
    plan = std::move(next);
  }
  report.diagnostics = std::move(plan.diagnostics);
  ReportUnusedOverrides(plan, config_, &report.diagnostics);
  Model quantized = model;
  for (onnx::TensorProto& initializer : *quantized.graph().mutable_initializer()) {
    const auto values = rounded.find(initializer.name());
    if (values != rounded.end()) initializer = values->second;
  }
  report.repaired.rounded = static_cast<int>(rounded.size());
  const GraphView view(model.graph(), config_.bodies());
  report.nodes = NodesOf(view, plan);
  bool any = !plan.biases.empty();  // also of nodes that were quantized before
  for (const QuantizedNode& node : report.nodes) {
    any |= node.plan.action != NodeAction::kFloat;
    if (node.plan.reason.code == FloatReasonCode::kRangeNotFinite) {
      report.diagnostics.push_back({Severity::kWarning, "TENSOR_NOT_FINITE",
                                    Text("The node stays float: ") + node.plan.reason.text + ".",
                                    node.name, "", ""});
    }
  }
  if (any) {
    const auto rewrite = config_.quant_format == QuantFormat::kQDQ ? RewriteQdq : RewriteQOperator;
    rewrite(plan, config, &quantized);
    RaiseIrVersion(quantized, RequiredIrVersion(config_));
  }
  report.weights = FindFloatWeights(view, plan, config_, FloatWeightsOf(quantized.graph()));
  if (any) ReportFloatWeights(report.weights, config_, &report.diagnostics);
  WriteOptions output;
  output.external_file = output.external_location = external_file;
  report.bytes_written = WriteModel(quantized, output);
  report.opset = quantized.Opset();
  report.tensors = std::move(plan.tensors);
  return report;
}

}  // namespace ptq
