// Initializers: their parameters, and their quantized copies. Both read the float data in windows,
// so that a tensor of any size needs a few MiB.
#pragma once

#include <optional>
#include <string>

#include "model/tensor_store.h"
#include "onnx/onnx_pb.h"
#include "quantization/quant_params.h"

namespace ptq {

// Parameters for `weight` (FLOAT or FLOAT16), per tensor, or per slice along `axis` in [0, rank).
// An empty tensor or slice gets scale 1, zero point 0.
// Throws kInvalidRange (with the tensor's name) where it holds NaN only or an infinity.
QuantParams FitWeight(const TensorStore& tensors, const onnx::TensorProto& weight, QuantType type,
                      std::optional<int64_t> axis, const FitOptions& options);

// `weight` quantized with `params`, under `name`, stored as raw data (large ones in scratch).
onnx::TensorProto QuantizeWeight(TensorStore* tensors, const onnx::TensorProto& weight,
                                 const std::string& name, const QuantParams& params);

// The scale and zero point tensors as the reference stores them: typed fields, dims [] per tensor,
// [C] per channel.
onnx::TensorProto ScaleTensor(const std::string& name, const QuantParams& params);
onnx::TensorProto ZeroPointTensor(const std::string& name, const QuantParams& params);

FloatType FloatTypeOf(const onnx::TensorProto& tensor);

}  // namespace ptq
