// The whole job for one model, in the order in which it happens; read this file first.
//
//   Open -> Configure -> Prepare -> TensorsToCalibrate -> [a Calibration] -> SetRanges -> Quantize
//             Reconfigure ----------------------------------------------------> PlanOnly, Quantize
//
// A Calibration (calibration/calibration.h) says which runs over the samples it needs; the host
// writes a model for each (WriteReductionModel, WriteTensorModel), runs it, and hands over what
// comes out. Ranges may come from a cache instead. Reconfigure, PlanOnly and Quantize may be
// repeated with other settings on the same prepared model.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "calibration/calibration_model.h"
#include "calibration/expected_magnitude.h"
#include "calibration/input_facts.h"
#include "calibration/memory_estimate.h"
#include "calibration/probe_model.h"
#include "model/model.h"
#include "model/model_writer.h"
#include "quantization/config.h"
#include "quantization/float_weights.h"
#include "quantization/quant_plan.h"
#include "quantization/weight_form.h"
#include "repair/channel_statistics.h"
#include "repair/repairs.h"
#include "repair/round_weights.h"
#include "repair/second_moments.h"
#include "repair/units.h"

namespace ptq {

struct PrepareReport {
  int nodes_before = 0;
  int nodes_after = 0;
  int64_t opset_before = 0;
  int64_t opset_after = 0;
  std::vector<std::pair<std::string, int>> changes;  // pass, places changed
  Diagnostics diagnostics;
};

// Of a tensor, as a runtime reports it.
struct ObservedType {
  int32_t element_type = 0;  // onnx::TensorProto's
  int64_t rank = 0;          // 0: not known
};

struct QuantizedNode {
  std::string name;  // or its first output, where it has no name
  std::string op_type;
  NodePlan plan;
  WeightForm weight = WeightForm::kNone;
};

// What a quantization will make of the model, without having made it.
struct PlanReport {
  std::vector<QuantizedNode> nodes;
  FloatWeights weights;
  uint64_t given_weights = 0;    // bytes: of the model as given; what is not in `weights` is folded
  uint64_t integer_weights = 0;  // bytes that those which become integers will take
  uint64_t bytes = 0;            // of the output, estimated
  int64_t opset = 0;
  bool with_ranges = false;  // those that were set, not assumed ones
  Diagnostics diagnostics;
};

struct QuantizeReport {
  std::vector<QuantizedNode> nodes;
  std::vector<TensorPlan> tensors;
  FloatWeights weights;
  int64_t opset = 0;
  uint64_t bytes_written = 0;
  RepairCounts repaired;
  Diagnostics diagnostics;
};

class StaticQuantizer {
 public:
  // Reads kModelFile. `files` must outlive this. Throws as Model::Load.
  explicit StaticQuantizer(Files* files);

  const Model& model() const { return model_; }  // as given
  // After Prepare; null before.
  const Model* prepared() const { return prepared_ ? &*prepared_ : nullptr; }

  // Throws kInvalidOption for names that the model as given does not have.
  void Configure(StaticQuantConfig config);
  const StaticQuantConfig& config() const { return config_; }

  // optimize_model, then the opset that the output needs, then types and shapes.
  // `min_opset` raises it further (the preprocess command, which does not know the format yet).
  // `dump`: the model after each step that changed it, see pass_dump.h.
  PrepareReport Prepare(int64_t min_opset = 0, Files* dump = nullptr);

  // The same report for another config that prepares the model in the same way: only the opset that
  // the output needs is settled anew. Throws as Configure and Prepare.
  PrepareReport Reconfigure(StaticQuantConfig config);

  // The prepared float model. `inferred_types`: with the types and shapes that were inferred, else
  // with those only that the model as given has.
  uint64_t WritePrepared(const WriteOptions& options, bool inferred_types = true) const;

  // What Quantize would do with each node, with ranges that are assumed: nothing has to be run.
  std::vector<QuantizedNode> Forecast() const;
  // The same with what it means for the size, and with the ranges that were set, where there are.
  PlanReport PlanOnly() const;

  // What inference gave no type, bodies aside: tensors behind operators of other domains. The model
  // to `file` has them as outputs, so that a runtime, which knows these operators, can tell.
  std::vector<std::string> UntypedTensors() const;
  CalibrationModel WriteTypeModel(const std::string& file) const;
  // Takes what it told, infers what follows, and raises the opset where more can be quantized now.
  Diagnostics LearnTypes(std::map<std::string, ObservedType> types);

  std::vector<CalibratedTensor> TensorsToCalibrate() const;
  // What the model as given tells about the data it was trained on; see expected_magnitude.h.
  std::optional<ExpectedMagnitude> Expected() const { return FindExpectedMagnitude(model_); }

  InputFacts FactsOf(const std::string& input) const { return FindInputFacts(model_, input); }
  // What running the float model takes, for samples of these shapes.
  MemoryEstimate EstimateMemory(
      const std::map<std::string, std::vector<int64_t>>& input_shapes) const;
  // The models to run on the samples, to `file`; see calibration_model.h.
  CalibrationModel WriteReductionModel(const std::string& file, bool for_repairs = true,
                                       Sums sums = Sums::kOfAll) const;
  CalibrationModel WriteTensorModel(const std::vector<std::string>& tensors,
                                    const std::string& file) const;

  // Parts of the model as given, see probe_model.h.
  ProbeModel WriteProbeModel(const ProbeRequest& request, const std::string& file) const;

  void SetRanges(TensorRanges ranges);
  // What Calibration::Statistics() gave: with an effort, what repairs are made from.
  void SetStatistics(TensorStatistics statistics);

  // What adaptive rounding knows of the inputs of layers: begun after SetRanges and SetStatistics,
  // for `samples` samples of the tensors Inputs(); it holds until the model is prepared anew.
  const SecondMoments& BeginMoments(size_t samples);
  void ObserveMoments(const std::string& tensor, std::span<const int64_t> dims,
                      std::span<const float> values);

  // What takes longest of Quantize with these repairs, adaptive rounding, in parts of a tenth of a
  // second or so: Quantize itself finds it done then. ContinueRounding: false when it is.
  void BeginRounding(const Repairs& repairs);
  bool ContinueRounding();

  // What Quantize would quantize, in parts that may stay float: see repair/units.h.
  std::vector<Unit> Units(const Repairs& repairs) const;

  // Plans, rewrites and writes kOutputFile, with repairs where asked for. Throws kMissingRange,
  // kInvalidRange, kUnsupportedModel, kInvalidOption for nodes that the prepared model lacks.
  QuantizeReport Quantize(const std::string& external_file, const Repairs& repairs = {});

 private:
  // A float model with some repairs, and the plan that is made of it.
  struct Repaired;

  Repaired Repair(const Repairs& repairs) const;
  void NameInlinedNodes();
  void RaiseOpset(int64_t asked, Diagnostics* diagnostics);
  void TakeTypes(Diagnostics* diagnostics);
  TensorRanges AssumedRanges() const;
  QuantPlan Plan(const Model& model, const StaticQuantConfig& config,
                 const TensorRanges& ranges) const;

  Model model_;
  std::optional<Model> prepared_;
  std::optional<Model> optimized_;  // what prepared_ was before its opset was raised
  PrepareReport optimized_report_;
  std::map<std::string, ObservedType> types_;  // those that were learned
  int64_t asked_opset_ = 0;
  StaticQuantConfig config_;
  std::map<std::string, std::vector<std::string>> inlined_;  // calls of functions, by name
  TensorRanges ranges_;
  TensorStatistics statistics_;
  std::optional<SecondMoments> moments_;
  std::optional<WeightRounder> rounder_;
};

// The lowest opset that the output of `config` can have: 11 for QuantizeLinear and the QLinear
// operators, 13 for DequantizeLinear with an axis, 19 for float16 scales (ONNX operator
// specification). 0 where nothing in the model is quantized.
int64_t RequiredOpset(const Model& model, const StaticQuantConfig& config);

}  // namespace ptq
