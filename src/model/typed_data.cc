// Which field holds which type: the comments of TensorProto in onnx-ml.proto. An entry of
// int32_data is one element of 8 bits and more, or one byte of packed 4-bit or 2-bit elements.
#include "model/typed_data.h"

#include <cstring>

#include "base/error.h"
#include "model/tensor_store.h"

namespace ptq {
namespace {

using onnx::TensorProto;

// The low `width` bytes of each entry, in order.
template <typename Field>
void ReadEntries(const Field& field, uint64_t width, uint64_t offset, std::span<uint8_t> into) {
  using Entry = typename Field::value_type;
  if (width == sizeof(Entry)) {
    std::memcpy(into.data(), reinterpret_cast<const uint8_t*>(field.data()) + offset, into.size());
    return;
  }
  uint64_t index = offset / width, byte = offset % width;
  for (uint8_t& out : into) {
    const auto bits = static_cast<uint64_t>(field.data()[index]);
    out = static_cast<uint8_t>(bits >> (8 * byte));
    if (++byte == width) {
      byte = 0;
      ++index;
    }
  }
}

// Calls `use(field, bytes an entry)` with the field that holds the tensor's type.
template <typename Use>
auto WithField(const TensorProto& tensor, Use use) {
  switch (tensor.data_type()) {
    case TensorProto::FLOAT:
    case TensorProto::COMPLEX64:
      return use(tensor.float_data(), 4);
    case TensorProto::DOUBLE:
    case TensorProto::COMPLEX128:
      return use(tensor.double_data(), 8);
    case TensorProto::INT64:
      return use(tensor.int64_data(), 8);
    case TensorProto::UINT64:
      return use(tensor.uint64_data(), 8);
    case TensorProto::UINT32:
      return use(tensor.uint64_data(), 4);
    case TensorProto::FLOAT6E2M3:
    case TensorProto::FLOAT6E3M2:
      throw Error(
          ErrorCode::kUnsupportedModel,
          Text("Tensor \"") + tensor.name() + "\" holds 6-bit floats, which are not supported.")
          .WithTensor(tensor.name());
    default: {
      const int bits = ElementBits(tensor.data_type());
      return use(tensor.int32_data(), bits < 8 ? 1 : bits / 8);
    }
  }
}

}  // namespace

uint64_t TypedByteSize(const TensorProto& tensor) {
  return WithField(tensor, [](const auto& field, uint64_t width) {
    return static_cast<uint64_t>(field.size()) * width;
  });
}

void ReadTyped(const TensorProto& tensor, uint64_t offset, std::span<uint8_t> into) {
  if (into.empty()) return;
  WithField(tensor,
            [&](const auto& field, uint64_t width) { ReadEntries(field, width, offset, into); });
}

}  // namespace ptq
