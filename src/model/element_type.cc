// Sizes of elements and tensors (onnx-ml.proto, TensorProto.DataType and raw_data).
#include "model/element_type.h"

#include "base/error.h"

namespace ptq {

using onnx::TensorProto;

std::string ElementTypeName(int32_t data_type) {
  return TensorProto::DataType_IsValid(data_type)
             ? TensorProto::DataType_Name(static_cast<TensorProto::DataType>(data_type))
             : "of unknown type " + std::to_string(data_type);
}

std::optional<int> FindElementBits(int32_t data_type) {
  switch (data_type) {
    case TensorProto::UINT2:
    case TensorProto::INT2:
      return 2;
    case TensorProto::UINT4:
    case TensorProto::INT4:
    case TensorProto::FLOAT4E2M1:
      return 4;
    case TensorProto::FLOAT6E2M3:
    case TensorProto::FLOAT6E3M2:
      return 6;
    case TensorProto::UINT8:
    case TensorProto::INT8:
    case TensorProto::BOOL:
    case TensorProto::FLOAT8E4M3FN:
    case TensorProto::FLOAT8E4M3FNUZ:
    case TensorProto::FLOAT8E5M2:
    case TensorProto::FLOAT8E5M2FNUZ:
    case TensorProto::FLOAT8E8M0:
      return 8;
    case TensorProto::UINT16:
    case TensorProto::INT16:
    case TensorProto::FLOAT16:
    case TensorProto::BFLOAT16:
      return 16;
    case TensorProto::FLOAT:
    case TensorProto::INT32:
    case TensorProto::UINT32:
      return 32;
    case TensorProto::DOUBLE:
    case TensorProto::INT64:
    case TensorProto::UINT64:
    case TensorProto::COMPLEX64:
      return 64;
    case TensorProto::COMPLEX128:
      return 128;
    default:
      return std::nullopt;
  }
}

int ElementBits(int32_t data_type) {
  if (const std::optional<int> bits = FindElementBits(data_type)) return *bits;
  throw Error(ErrorCode::kUnsupportedModel,
              Text("A tensor ") + ElementTypeName(data_type) + " has no elements of a fixed size.");
}

uint64_t ElementBytes(int32_t data_type) {
  const int bits = FindElementBits(data_type).value_or(0);
  return bits % 8 == 0 ? static_cast<uint64_t>(bits) / 8 : 0;
}

uint64_t ElementCount(const TensorProto& tensor) {
  const auto fail = [&](const char* what) {
    throw Error(ErrorCode::kInvalidModel,
                Text("The shape of tensor \"") + tensor.name() + "\" has " + what + ".")
        .WithTensor(tensor.name());
  };
  constexpr uint64_t kMostElements = uint64_t{1} << 53;  // counts stay exact in JavaScript
  bool empty = false;
  for (const int64_t dim : tensor.dims()) {
    if (dim < 0) fail("a negative dimension");
    empty |= dim == 0;
  }
  if (empty) return 0;
  uint64_t count = 1;
  for (const int64_t dim : tensor.dims()) {
    if (static_cast<uint64_t>(dim) > kMostElements / count) fail("too many elements");
    count *= static_cast<uint64_t>(dim);
  }
  return count;
}

}  // namespace ptq
