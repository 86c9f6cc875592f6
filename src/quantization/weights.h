// Initializers: their parameters, and their quantized copies. Both read the float data in windows,
// so that a tensor of any size needs a few MiB (float8, whose scale is a standard deviation, reads
// it whole).
#pragma once

#include <optional>
#include <string>

#include "model/tensor_store.h"
#include "onnx/onnx_pb.h"
#include "quantization/quant_params.h"
#include "quantization/tensor_overrides.h"

namespace ptq {

// How the parameters of an initializer are made.
struct WeightFit {
  QuantType type = QuantType::kInt8;
  std::optional<int64_t> axis;  // in [0, rank): per channel, or the axis of the blocks
  int64_t block_size = 0;
  FitOptions options;
  const TensorOverride* override = nullptr;  // its scales, zero points and range ends win
};

// Parameters for `weight` (FLOAT or FLOAT16), per tensor, per slice along the axis or per block of
// it. An empty tensor or slice gets scale 1, zero point 0.
// Throws kInvalidRange (with the tensor's name) where it holds NaN only or an infinity.
QuantParams FitWeight(const TensorStore& tensors, const onnx::TensorProto& weight,
                      const WeightFit& fit);

// `weight` quantized with `params`, under `name`, stored as raw data (large ones in scratch).
onnx::TensorProto QuantizeWeight(TensorStore* tensors, const onnx::TensorProto& weight,
                                 const std::string& name, const QuantParams& params);

// The scale and zero point tensors as the reference stores them: typed fields, with params.dims.
onnx::TensorProto ScaleTensor(const std::string& name, const QuantParams& params);
onnx::TensorProto ZeroPointTensor(const std::string& name, const QuantParams& params);

FloatType FloatTypeOf(const onnx::TensorProto& tensor);

}  // namespace ptq
