// The external_data entries of a TensorProto as one value. References to the model file and to
// scratch are written in the same way as ONNX external data, so that onnxruntime understands them
// too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "onnx/onnx_pb.h"

namespace ptq {

struct ExternalRange {
  std::string location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;  // absent: as long as the tensor's shape and type say
};

inline bool IsExternal(const onnx::TensorProto& tensor) {
  return tensor.data_location() == onnx::TensorProto::EXTERNAL;
}

// Throws kInvalidModel where location is missing, a key is repeated, or offset or length is no
// number.
ExternalRange ExternalRangeOf(const onnx::TensorProto& tensor);

// Replaces the entries. The tensor's inline data is not touched.
void SetExternal(onnx::TensorProto* tensor, const std::string& location, uint64_t offset,
                 uint64_t length);

// Up to this size, integer vectors stay in the graph: they are shapes, axes, pads and the like,
// which shape inference has to see (it throws on external ones).
inline constexpr uint64_t kShapeInlineLimit = 64 * 1024;

constexpr bool IsShapeLike(int32_t data_type, int rank) {
  return rank <= 1 &&
         (data_type == onnx::TensorProto::INT64 || data_type == onnx::TensorProto::INT32);
}

}  // namespace ptq
