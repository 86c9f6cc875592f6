// The float model that is run on the samples: the prepared model plus outputs that show the values
// of the tensors to calibrate. There are two kinds, for the two kinds of passes (calibration.h):
//
// Reductions in the graph, which leave it as one small output; activations stay inside:
//
//   T -> ReduceMin -.
//   T -> ReduceMax -+-> Concats -> "ptq_ranges" [3 * tensors]: min, max, sum, min, …
//   T -> ReduceSum -'
//
// The sum tells NaN. Tensors whose NaN another one shows (nan_witnesses.h) have the max in its
// place; a sample that made NaN is run again in the model with the sums of all.
//
// Or the tensors themselves as outputs (float16 ones as float32), for histograms.
//
// With EnableSubgraph the tensors in bodies of If, Loop and Scan are observed too; their ranges
// (min and max only) come out of the node that holds the body (body_ranges.h).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "calibration/calibration.h"
#include "model/model.h"
#include "quantization/config.h"

namespace ptq {

struct CalibrationModel {
  std::vector<std::string> outputs;  // what to fetch: one vector, or one tensor each
  std::set<std::string> files;       // that the weights are in, Constant nodes' included
  onnx::ModelProto proto;            // weights by reference
  bool lacks_sums = false;           // of tensors whose NaN other sums tell
};

// The model as it is, in an IR version that onnxruntime loads.
CalibrationModel AsRunnable(const Model& model);

// Float tensors that a node of a type to be quantized reads or writes, initializers apart (the
// reference's select_tensors_to_calibrate), in the order in which reductions are brought out. Node
// names are not considered, so that a changed exclusion needs no new calibration.
std::vector<CalibratedTensor> TensorsToCalibrate(const Model& model,
                                                 const StaticQuantConfig& config);

enum class Sums { kOfAll, kOfWitnesses };

// With reductions of TensorsToCalibrate(); no output where there is none. `for_repairs`: by channel
// of what linear layers read, where there is an effort.
CalibrationModel BuildReductionModel(const Model& model, const StaticQuantConfig& config,
                                     bool for_repairs = true, Sums sums = Sums::kOfAll);

// With `tensors` as outputs, in their order.
CalibrationModel BuildTensorModel(const Model& model, const std::vector<std::string>& tensors);

// The model as it is with these tensors as further outputs, of no type: whoever loads it says what
// they are.
CalibrationModel BuildTypeModel(const Model& model, const std::vector<std::string>& tensors);

}  // namespace ptq
