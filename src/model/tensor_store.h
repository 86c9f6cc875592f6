// Where the bytes of a TensorProto are, and how to get at them. Three places, one interface: inline
// (raw_data or a typed field), in the model file or an external-data file (by reference: location,
// offset, length), or in the scratch file that large tensors made by the core go to. Nothing larger
// than a window is held in memory unless a caller asks for a whole tensor.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/element_type.h"
#include "model/files.h"
#include "onnx/onnx_pb.h"

namespace ptq {

// Tensors of fewer bytes stay inline (the ONNX convention for external data, and large enough for
// every shape constant that shape inference has to see).
inline constexpr uint64_t kInlineLimit = 1024;

class TensorStore {
 public:
  explicit TensorStore(Files* files) : files_(files) {}

  // Bytes of the tensor's raw (little-endian, packed) form, wherever it is stored.
  uint64_t ByteSize(const onnx::TensorProto& tensor) const;

  // Throws kInvalidModel where the stored data does not fit the tensor's shape and type.
  void CheckStored(const onnx::TensorProto& tensor) const;

  // Part of the raw form. Typed fields (float_data, int32_data, …) are presented as raw.
  // Checks as CheckStored does.
  void ReadBytes(const onnx::TensorProto& tensor, uint64_t offset, std::span<uint8_t> into) const;

  // Whole tensor as float: from FLOAT, FLOAT16, BFLOAT16 or DOUBLE (rounded). Throws
  // kUnsupportedModel for other types.
  std::vector<float> ReadFloats(const onnx::TensorProto& tensor) const;

  // Whole tensor as integers: from any integer type or BOOL. Throws kUnsupportedModel for others.
  std::vector<int64_t> ReadInts(const onnx::TensorProto& tensor) const;

  // Calls `visit(first_index, values)` over consecutive windows of at most 1 Mi elements.
  void VisitFloats(const onnx::TensorProto& tensor,
                   const std::function<void(uint64_t, std::span<const float>)>& visit) const;

  // The elements from `first` on; of packed integers `first` is a multiple of 8. Throw as the
  // above.
  void ReadFloats(const onnx::TensorProto& tensor, uint64_t first, std::span<float> into) const;
  void ReadInts(const onnx::TensorProto& tensor, uint64_t first, std::span<int64_t> into) const;

  // Makes `bytes` the tensor's data: inline raw_data below kInlineLimit (and for integer vectors,
  // which may be shapes, up to 64 KiB), else appended to scratch. Replaces whatever data the tensor
  // had; `bytes` must not point into it.
  void SetBytes(onnx::TensorProto* tensor, std::span<const uint8_t> bytes);

  // The same in pieces, for tensors that should not be in memory whole:
  //   auto out = store.Begin(&tensor, byte_size); out.Append(…); … the last Append completes it.
  // One at a time: the next Begin or SetBytes on the same Files comes after the last Append.
  class Writer {
   public:
    void Append(std::span<const uint8_t> bytes);

   private:
    friend class TensorStore;
    Writer(Files* files, onnx::TensorProto* inline_tensor)
        : files_(files), inline_tensor_(inline_tensor) {}
    Files* files_;
    onnx::TensorProto* inline_tensor_;  // null where the bytes go to scratch
  };
  Writer Begin(onnx::TensorProto* tensor, uint64_t byte_size);

  Files* files() const { return files_; }

 private:
  Files* files_;
};

// Drops raw_data, typed fields and external data, keeping name, type and dims.
void ClearTensorData(onnx::TensorProto* tensor);

}  // namespace ptq
