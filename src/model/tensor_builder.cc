// Field per type after onnx 1.23 (onnx/_mapping.py: storage types of make_tensor).
#include "model/tensor_builder.h"

#include "base/error.h"
#include "base/float16.h"

namespace ptq {

using onnx::TensorProto;

TensorProto EmptyTensor(const std::string& name, int32_t data_type, std::span<const int64_t> dims) {
  TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(data_type);
  for (const int64_t dim : dims) tensor.add_dims(dim);
  return tensor;
}

TensorProto FloatTensor(const std::string& name, std::span<const int64_t> dims,
                        std::span<const float> values) {
  TensorProto tensor = EmptyTensor(name, TensorProto::FLOAT, dims);
  tensor.mutable_float_data()->Add(values.begin(), values.end());
  return tensor;
}

TensorProto HalfTensor(const std::string& name, int32_t data_type, std::span<const int64_t> dims,
                       std::span<const float> values) {
  TensorProto tensor = EmptyTensor(name, data_type, dims);
  for (const float value : values) {
    tensor.add_int32_data(data_type == TensorProto::BFLOAT16 ? FloatToBFloat16(value)
                                                             : FloatToHalf(value));
  }
  return tensor;
}

TensorProto RealTensor(const std::string& name, int32_t data_type, std::span<const int64_t> dims,
                       std::span<const float> values) {
  switch (data_type) {
    case TensorProto::FLOAT:
      return FloatTensor(name, dims, values);
    case TensorProto::FLOAT16:
    case TensorProto::BFLOAT16:
      return HalfTensor(name, data_type, dims, values);
    case TensorProto::DOUBLE: {
      TensorProto tensor = EmptyTensor(name, data_type, dims);
      for (const float value : values) tensor.add_double_data(value);
      return tensor;
    }
    default:
      throw Error(ErrorCode::kInternal, Text("RealTensor of type ") + std::to_string(data_type))
          .WithTensor(name);
  }
}

TensorProto IntTensor(const std::string& name, int32_t data_type, std::span<const int64_t> dims,
                      std::span<const int64_t> values) {
  TensorProto tensor = EmptyTensor(name, data_type, dims);
  switch (data_type) {
    case TensorProto::INT64:
      for (const int64_t value : values) tensor.add_int64_data(value);
      break;
    case TensorProto::UINT32:
    case TensorProto::UINT64:
      for (const int64_t value : values) tensor.add_uint64_data(static_cast<uint64_t>(value));
      break;
    case TensorProto::INT4:
    case TensorProto::UINT4:
      for (const uint8_t pair : PackInt4(values)) tensor.add_int32_data(pair);
      break;
    default:
      for (const int64_t value : values) tensor.add_int32_data(static_cast<int32_t>(value));
  }
  return tensor;
}

TensorProto Int32FieldTensor(const std::string& name, int32_t data_type,
                             std::span<const int64_t> dims, std::span<const int32_t> values) {
  TensorProto tensor = EmptyTensor(name, data_type, dims);
  tensor.mutable_int32_data()->Add(values.begin(), values.end());
  return tensor;
}

TensorProto RawTensor(const std::string& name, int32_t data_type, std::span<const int64_t> dims,
                      std::span<const uint8_t> bytes) {
  TensorProto tensor = EmptyTensor(name, data_type, dims);
  tensor.set_raw_data(bytes.data(), bytes.size());
  return tensor;
}

std::vector<uint8_t> PackInt4(std::span<const int64_t> values) {
  std::vector<uint8_t> packed((values.size() + 1) / 2);
  for (size_t i = 0; i < values.size(); ++i) {
    packed[i / 2] |= static_cast<uint8_t>((values[i] & 0xF) << (i % 2 * 4));
  }
  return packed;
}

}  // namespace ptq
