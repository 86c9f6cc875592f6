#include "quantization/quantize_static.h"

#include <algorithm>

#include "base/error.h"
#include "model/model_writer.h"
#include "model/topological_sort.h"
#include "passes/infer_shapes.h"
#include "passes/optimize_model.h"
#include "passes/upgrade_opset.h"
#include "quantization/plan_context.h"
#include "quantization/rewriter.h"

namespace ptq {
namespace {

constexpr int64_t kQuantizeLinearOpset = 10;
constexpr int64_t kReferenceOpset = 11;  // what the reference raises older models to
constexpr int64_t kAxisOpset = 13;
constexpr int64_t kFloat16Opset = 19;  // QuantizeLinear and DequantizeLinear with float16 scales

bool HasPerChannelWeight(const PlanContext& context, const onnx::NodeProto& node) {
  const OpRow* row = FindOp(node.op_type());
  if (row == nullptr) return false;
  switch (row->qdq) {
    case QdqRule::kConv:
    case QdqRule::kGemm:
    case QdqRule::kNormalization:
      return context.FloatInitializer(node.input(1)) != nullptr;
    case QdqRule::kMatMul:
      return context.FloatInitializer(node.input(0)) != nullptr ||
             context.FloatInitializer(node.input(1)) != nullptr;
    default:
      return false;
  }
}

bool HasFloat16(const PlanContext& context, const onnx::NodeProto& node) {
  const auto is_half = [&](const std::string& tensor) {
    return context.view().ElementType(tensor) == onnx::TensorProto::FLOAT16;
  };
  return std::any_of(node.input().begin(), node.input().end(), is_half) ||
         std::any_of(node.output().begin(), node.output().end(), is_half);
}

std::string NodeLabel(const onnx::NodeProto& node) {
  if (!node.name().empty() || node.output_size() == 0) return node.name();
  return node.output(0);
}

}  // namespace

int64_t RequiredOpset(const Model& model, const StaticQuantConfig& config) {
  const PlanContext context(model, config, {});
  const bool onnx_qdq = config.quant_format == QuantFormat::kQDQ && !config.use_qdq_contrib_ops;
  int64_t required = 0;
  for (const onnx::NodeProto& node : model.graph().node()) {
    if (!context.ReasonToSkip(node).empty() || config.use_qdq_contrib_ops) continue;
    if (model.Opset() < kQuantizeLinearOpset) required = std::max(required, kReferenceOpset);
    if (onnx_qdq && config.per_channel && HasPerChannelWeight(context, node)) {
      required = std::max(required, kAxisOpset);
    }
    if (onnx_qdq && HasFloat16(context, node)) required = std::max(required, kFloat16Opset);
  }
  return required;
}

StaticQuantizer::StaticQuantizer(Files* files) : model_(Model::Load(files)) {}

void StaticQuantizer::Configure(StaticQuantConfig config) {
  CheckConfig(config, model_);
  config_ = std::move(config);
}

PrepareReport StaticQuantizer::Prepare(int64_t min_opset) {
  PrepareReport report;
  report.nodes_before = model_.graph().node_size();
  report.opset_before = model_.Opset();
  prepared_.emplace(model_);
  // Planners and passes take nodes in topological order (ONNX IR specification); some files are
  // not.
  if (!IsTopologicallySorted(prepared_->graph())) TopologicalSort(&prepared_->graph());
  // Only other domains are imported: what is added below is of ai.onnx.
  if (prepared_->Opset() == 0) prepared_->SetOpset("", kAxisOpset);
  if (config_.optimize_model) {
    report.changes = OptimizeModel(*prepared_, report.diagnostics).changes;
  } else {
    InferShapes(*prepared_, &report.diagnostics);  // OptimizeModel and UpgradeOpset end with it
  }
  const int64_t wanted = std::max(RequiredOpset(*prepared_, config_), min_opset);
  if (prepared_->Opset() < wanted) UpgradeOpset(*prepared_, wanted, report.diagnostics);
  report.nodes_after = prepared_->graph().node_size();
  report.opset_after = prepared_->Opset();
  return report;
}

uint64_t StaticQuantizer::WritePrepared(const std::string& external_file) const {
  return WriteModel(*prepared_, {kOutputFile, external_file, external_file});
}

CalibrationModel StaticQuantizer::WriteCalibrationModel(const std::string& file) {
  CalibrationModel calibration = BuildCalibrationModel(*prepared_, config_);
  Model runnable = *prepared_;
  runnable.proto() = calibration.proto;
  WriteSkeleton(runnable, file);
  collector_.emplace(calibration.tensors);
  return calibration;
}

void StaticQuantizer::Observe(std::span<const float> values) {
  if (!collector_) throw Error(ErrorCode::kInternal, "Observe before WriteCalibrationModel.");
  collector_->Observe(values);
}

void StaticQuantizer::SetRanges(TensorRanges ranges) { ranges_ = std::move(ranges); }

TensorRanges StaticQuantizer::Ranges() const {
  if (ranges_) return *ranges_;
  // Nothing to observe (no node to quantize) needs no sample.
  if (collector_ && !collector_->empty())
    return collector_->Ranges(config_.calib_tensor_range_symmetric);
  return {};
}

QuantizeReport StaticQuantizer::Quantize(const std::string& external_file) {
  QuantizeReport report;
  Model quantized = *prepared_;
  QuantPlan plan;
  {
    const PlanContext context(*prepared_, config_, Ranges());
    plan = config_.quant_format == QuantFormat::kQDQ ? PlanQdq(context) : PlanQOperator(context);
  }
  report.diagnostics = std::move(plan.diagnostics);
  bool any = false;
  for (int i = 0; i < prepared_->graph().node_size(); ++i) {
    const onnx::NodeProto& node = prepared_->graph().node(i);
    const NodePlan& node_plan = plan.nodes[static_cast<size_t>(i)];
    any |= node_plan.action != NodeAction::kFloat;
    report.nodes.push_back({NodeLabel(node), node.op_type(), node_plan});
  }
  if (any) {
    const auto rewrite = config_.quant_format == QuantFormat::kQDQ ? RewriteQdq : RewriteQOperator;
    rewrite(plan, config_, &quantized, &report.diagnostics);
  }
  report.bytes_written = WriteModel(quantized, {kOutputFile, external_file, external_file});
  report.opset = quantized.Opset();
  report.tensors = std::move(plan.tensors);
  return report;
}

}  // namespace ptq
