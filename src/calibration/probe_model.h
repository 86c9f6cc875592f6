// A model of which parts are run by themselves, to find where a quantized model goes wrong: tensors
// are fed in place of those that the graph makes, something is added to a tensor, and any tensor is
// brought out, before or after it is quantized.
//
//   x -> Q -> DQ -> Conv -> y -> Q -> DQ      fed x, y observed after: the rounding of one layer
#pragma once

#include <string>
#include <vector>

#include "calibration/calibration_model.h"
#include "model/model.h"

namespace ptq {

struct ProbeRequest {
  struct Output {
    std::string tensor;
    bool after = false;  // as DequantizeLinear makes it of the integers, where there are any
  };
  std::vector<Output> outputs;
  // Readers get the value of a new float32 input; what the graph makes can still be observed.
  std::vector<std::string> fed;
  // Readers get the tensor plus a new float32 input, which may be a scalar 0.
  std::vector<std::string> added;
  bool sizes = false;  // numbers of elements are brought out, not the tensors
};

struct ProbeModel {
  CalibrationModel model;           // `outputs` in the order of the request, float32 (sizes: int64)
  std::vector<std::string> inputs;  // of the model as given that are still read
  std::vector<std::string> fed;    // names of the inputs for request.fed, "" where nothing reads it
  std::vector<std::string> added;  // the same for request.added
};

// Tensors are named as in the graph, or as the float tensor that integers stand for
// (quantization/quantized_tensors.h). Throws kInvalidOption for one that there is not.
ProbeModel BuildProbeModel(const Model& model, const ProbeRequest& request);

}  // namespace ptq
