#include "model/tensor_store.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <new>

#include "base/error.h"
#include "base/float16.h"
#include "model/external_data.h"
#include "model/typed_data.h"

namespace ptq {
namespace {

using onnx::TensorProto;

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

constexpr uint64_t kWindowElements = 1 << 20;
constexpr size_t kIntWindowElements = 1 << 17;

[[noreturn]] void FailType(const TensorProto& tensor, const char* wanted) {
  throw Error(ErrorCode::kUnsupportedModel, Text("Tensor \"") + tensor.name() + "\" is " +
                                                ElementTypeName(tensor.data_type()) + " where " +
                                                wanted + " are needed.")
      .WithTensor(tensor.name());
}

bool IsReal(int32_t type) {
  return type == TensorProto::FLOAT || type == TensorProto::FLOAT16 ||
         type == TensorProto::BFLOAT16 || type == TensorProto::DOUBLE;
}

template <typename T>
T Load(const uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

// Raw bytes of consecutive elements to float.
void ToFloats(int32_t type, const uint8_t* bytes, std::span<float> out) {
  switch (type) {
    case TensorProto::FLOAT16:
      for (size_t i = 0; i < out.size(); ++i) out[i] = HalfToFloat(Load<uint16_t>(bytes + 2 * i));
      break;
    case TensorProto::BFLOAT16:
      for (size_t i = 0; i < out.size(); ++i) {
        out[i] = BFloat16ToFloat(Load<uint16_t>(bytes + 2 * i));
      }
      break;
    case TensorProto::DOUBLE:
      for (size_t i = 0; i < out.size(); ++i) {
        out[i] = static_cast<float>(Load<double>(bytes + 8 * i));
      }
      break;
    default:
      std::memcpy(out.data(), bytes, out.size() * sizeof(float));
  }
}

// Element `i` of packed 4-bit or 2-bit ones: the first is in the lowest bits (onnx-ml.proto).
int64_t Packed(const uint8_t* bytes, uint64_t i, int bits, bool is_signed) {
  const uint64_t per_byte = 8 / bits;
  const int value = bytes[i / per_byte] >> (i % per_byte * bits) & ((1 << bits) - 1);
  return is_signed && value >= 1 << (bits - 1) ? value - (1 << bits) : value;
}

template <typename T>
void Widen(const uint8_t* bytes, std::span<int64_t> out) {
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<int64_t>(Load<T>(bytes + sizeof(T) * i));
  }
}

// false: of no integer type.
bool ToInts(int32_t type, const uint8_t* raw, std::span<int64_t> values) {
  switch (type) {
    case TensorProto::INT64:
    case TensorProto::UINT64:
      Widen<int64_t>(raw, values);
      return true;
    case TensorProto::INT32:
      Widen<int32_t>(raw, values);
      return true;
    case TensorProto::UINT32:
      Widen<uint32_t>(raw, values);
      return true;
    case TensorProto::INT16:
      Widen<int16_t>(raw, values);
      return true;
    case TensorProto::UINT16:
      Widen<uint16_t>(raw, values);
      return true;
    case TensorProto::INT8:
      Widen<int8_t>(raw, values);
      return true;
    case TensorProto::UINT8:
    case TensorProto::BOOL:
      Widen<uint8_t>(raw, values);
      return true;
    case TensorProto::INT4:
    case TensorProto::UINT4:
    case TensorProto::INT2:
    case TensorProto::UINT2: {
      const bool is_signed = type == TensorProto::INT4 || type == TensorProto::INT2;
      const int bits = ElementBits(type);
      for (size_t i = 0; i < values.size(); ++i) values[i] = Packed(raw, i, bits, is_signed);
      return true;
    }
    default:
      return false;
  }
}

// `count` elements. What addresses cannot reach (in wasm 4 GiB) is out of memory, not a count with
// its upper bits cut off.
template <typename T>
std::vector<T> Room(uint64_t count) {
  if (count > std::vector<T>().max_size()) throw std::bad_alloc();
  return std::vector<T>(static_cast<size_t>(count));
}

uint64_t StoredByteSize(const TensorProto& tensor, uint64_t expected) {
  if (IsExternal(tensor)) return ExternalRangeOf(tensor).length.value_or(expected);
  return tensor.has_raw_data() ? tensor.raw_data().size() : TypedByteSize(tensor);
}

}  // namespace

uint64_t TensorStore::ByteSize(const TensorProto& tensor) const {
  return PackedBytes(ElementCount(tensor), ElementBits(tensor.data_type()));
}

void TensorStore::CheckStored(const TensorProto& tensor) const {
  const uint64_t expected = ByteSize(tensor);
  const uint64_t stored = StoredByteSize(tensor, expected);
  if (stored == expected) return;
  std::string shape;
  for (const int64_t dim : tensor.dims()) {
    shape += (shape.empty() ? "" : ",") + std::to_string(dim);
  }
  throw Error(ErrorCode::kInvalidModel, Text("Tensor \"") + tensor.name() + "\" holds " +
                                            std::to_string(stored) + " bytes of data where " +
                                            ElementTypeName(tensor.data_type()) + "[" + shape +
                                            "] needs " + std::to_string(expected) + ".")
      .WithTensor(tensor.name());
}

void TensorStore::ReadBytes(const TensorProto& tensor, uint64_t offset,
                            std::span<uint8_t> into) const {
  CheckStored(tensor);
  const uint64_t size = ByteSize(tensor);
  if (offset > size || into.size() > size - offset) {
    throw Error(ErrorCode::kInternal,
                Text("Read past the end of tensor \"") + tensor.name() + "\".")
        .WithTensor(tensor.name());
  }
  if (into.empty()) return;
  if (IsExternal(tensor)) {
    const ExternalRange range = ExternalRangeOf(tensor);
    files_->Read(range.location, range.offset + offset, into);
  } else if (tensor.has_raw_data()) {
    std::memcpy(into.data(), tensor.raw_data().data() + offset, into.size());
  } else {
    ReadTyped(tensor, offset, into);
  }
}

std::vector<float> TensorStore::ReadFloats(const TensorProto& tensor) const {
  ReadFloats(tensor, 0, {});  // checks it before there is room for it
  std::vector<float> values = Room<float>(ElementCount(tensor));
  ReadFloats(tensor, 0, values);
  return values;
}

std::vector<int64_t> TensorStore::ReadInts(const TensorProto& tensor) const {
  CheckStored(tensor);
  std::vector<int64_t> values = Room<int64_t>(ElementCount(tensor));
  ReadInts(tensor, 0, values);
  return values;
}

void TensorStore::ReadInts(const TensorProto& tensor, uint64_t first,
                           std::span<int64_t> into) const {
  const int32_t type = tensor.data_type();
  if (!ToInts(type, nullptr, {})) FailType(tensor, "integers");
  CheckStored(tensor);
  const int bits = ElementBits(type);
  const size_t most = std::min(into.size(), kIntWindowElements);
  std::vector<uint8_t> raw(static_cast<size_t>(PackedBytes(most, bits)));
  for (size_t done = 0; done < into.size(); done += kIntWindowElements) {
    const std::span<int64_t> part =
        into.subspan(done, std::min(kIntWindowElements, into.size() - done));
    ReadBytes(tensor, PackedBytes(first + done, bits),
              std::span(raw).first(static_cast<size_t>(PackedBytes(part.size(), bits))));
    ToInts(type, raw.data(), part);
  }
}

void TensorStore::VisitFloats(
    const TensorProto& tensor,
    const std::function<void(uint64_t, std::span<const float>)>& visit) const {
  ReadFloats(tensor, 0, {});  // checks it before there is room for it
  const uint64_t count = ElementCount(tensor);
  const uint64_t most = std::min(count, kWindowElements);
  const auto floats = std::make_unique_for_overwrite<float[]>(static_cast<size_t>(most));
  for (uint64_t first = 0; first < count; first += kWindowElements) {
    const std::span<float> part(floats.get(),
                                static_cast<size_t>(std::min(kWindowElements, count - first)));
    ReadFloats(tensor, first, part);
    visit(first, part);
  }
}

void TensorStore::ReadFloats(const TensorProto& tensor, uint64_t first,
                             std::span<float> into) const {
  const int32_t type = tensor.data_type();
  if (!IsReal(type)) FailType(tensor, "floats");
  CheckStored(tensor);
  const uint64_t width = ElementBits(type) / 8;
  if (type == TensorProto::FLOAT) {
    ReadBytes(tensor, first * width,
              {reinterpret_cast<uint8_t*>(into.data()), into.size() * sizeof(float)});
    return;
  }
  const size_t most = std::min<size_t>(into.size(), kWindowElements);
  std::vector<uint8_t> raw(static_cast<size_t>(most * width));
  for (size_t done = 0; done < into.size(); done += kWindowElements) {
    const std::span<float> part =
        into.subspan(done, std::min<size_t>(kWindowElements, into.size() - done));
    ReadBytes(tensor, (first + done) * width,
              std::span(raw).first(static_cast<size_t>(part.size() * width)));
    ToFloats(type, raw.data(), part);
  }
}

void TensorStore::SetBytes(TensorProto* tensor, std::span<const uint8_t> bytes) {
  Begin(tensor, bytes.size()).Append(bytes);
}

TensorStore::Writer TensorStore::Begin(TensorProto* tensor, uint64_t byte_size) {
  ClearTensorData(tensor);
  const bool shape_like =
      byte_size <= kShapeInlineLimit && IsShapeLike(tensor->data_type(), tensor->dims_size());
  if (byte_size < kInlineLimit || shape_like) {
    tensor->mutable_raw_data()->reserve(byte_size);
    return Writer(files_, tensor);
  }
  uint64_t scratch_size = 0;
  try {
    scratch_size = files_->Size(kScratchFile);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kFileNotFound) throw;  // the first tensor starts the file
  }
  SetExternal(tensor, kScratchFile, scratch_size, byte_size);
  return Writer(files_, nullptr);
}

void TensorStore::Writer::Append(std::span<const uint8_t> bytes) {
  if (inline_tensor_ == nullptr) {
    files_->Append(kScratchFile, bytes);
  } else {
    inline_tensor_->mutable_raw_data()->append(reinterpret_cast<const char*>(bytes.data()),
                                               bytes.size());
  }
}

void ClearTensorData(TensorProto* tensor) {
  tensor->clear_raw_data();
  tensor->clear_float_data();
  tensor->clear_int32_data();
  tensor->clear_string_data();
  tensor->clear_int64_data();
  tensor->clear_double_data();
  tensor->clear_uint64_data();
  tensor->clear_external_data();
  tensor->clear_data_location();
}

}  // namespace ptq
