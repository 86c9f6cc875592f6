// The float model that is run on the samples: the prepared model plus, for every tensor whose range
// is wanted, ReduceMin and ReduceMax in the graph. All results leave as one small output, so that
// activations never do:
//
//   T -> ReduceMin -> Reshape [1] -.
//   T -> ReduceMax -> Reshape [1] -+-> Concat -> "ptq_ranges" [2 * tensors]: min, max, min, max, …
//
// With EnableSubgraph the tensors in bodies of If, Loop and Scan are observed too; their ranges
// come out of the node that holds the body (body_ranges.h).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "model/model.h"
#include "quantization/config.h"

namespace ptq {

struct CalibrationModel {
  std::vector<std::string> tensors;  // in the order of their ranges
  std::string output;                // "" where there is nothing to observe
  std::set<std::string> files;       // that the weights are in, Constant nodes' included
  onnx::ModelProto proto;            // weights by reference
};

// Float tensors that a node of a type to be quantized reads or writes, initializers apart (the
// reference's select_tensors_to_calibrate). Node names are not considered, so that a changed
// exclusion needs no new calibration.
std::vector<std::string> TensorsToCalibrate(const Model& model, const StaticQuantConfig& config);

CalibrationModel BuildCalibrationModel(const Model& model, const StaticQuantConfig& config);

}  // namespace ptq
