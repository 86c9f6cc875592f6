// The protobuf wire format, as much of it as the scan and the writer need, and which fields of ONNX
// lead to tensors. Sources: protobuf.dev "Encoding"; onnx-ml.proto of onnx 1.23.
#pragma once

#include <cstdint>
#include <string>

namespace ptq::wire {

enum WireType : uint32_t {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,
  kStartGroup = 3,
  kEndGroup = 4,
  kFixed32 = 5,
};

// The deepest nesting that protobuf's own parser accepts.
inline constexpr int kMaxDepth = 100;

// Fields of TensorProto that this layer rewrites.
inline constexpr uint32_t kDims = 1;
inline constexpr uint32_t kDataType = 2;
inline constexpr uint32_t kFloatData = 4;
inline constexpr uint32_t kRawData = 9;
inline constexpr uint32_t kDoubleData = 10;
inline constexpr uint32_t kExternalData = 13;
inline constexpr uint32_t kDataLocation = 14;

// Messages on the way from a model to its tensors.
enum class Message { kOther, kModel, kGraph, kFunction, kNode, kAttribute, kSparseTensor, kTensor };

struct Child {
  Message message = Message::kOther;  // kOther: nothing below it concerns us
  const char* name = "";
};

// What field `field` of `parent` holds. Training info is left out on purpose: it is no part of
// inference and stays as it is.
constexpr Child ChildOf(Message parent, uint32_t field) {
  switch (parent) {
    case Message::kModel:
      if (field == 7) return {Message::kGraph, "graph"};
      if (field == 25) return {Message::kFunction, "functions"};
      break;
    case Message::kGraph:
      if (field == 1) return {Message::kNode, "node"};
      if (field == 5) return {Message::kTensor, "initializer"};
      if (field == 15) return {Message::kSparseTensor, "sparse_initializer"};
      break;
    case Message::kFunction:
      if (field == 7) return {Message::kNode, "node"};
      if (field == 11) return {Message::kAttribute, "attribute_proto"};
      break;
    case Message::kNode:
      if (field == 5) return {Message::kAttribute, "attribute"};
      break;
    case Message::kAttribute:
      if (field == 5) return {Message::kTensor, "t"};
      if (field == 6) return {Message::kGraph, "g"};
      if (field == 10) return {Message::kTensor, "tensors"};
      if (field == 11) return {Message::kGraph, "graphs"};
      if (field == 22) return {Message::kSparseTensor, "sparse_tensor"};
      if (field == 23) return {Message::kSparseTensor, "sparse_tensors"};
      break;
    case Message::kSparseTensor:
      if (field == 1) return {Message::kTensor, "values"};
      if (field == 2) return {Message::kTensor, "indices"};
      break;
    default:
      break;
  }
  return {};
}

constexpr uint64_t Tag(uint32_t field, WireType type) { return uint64_t{field} << 3 | type; }

inline void AppendVarint(std::string* out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}

// Tag and length; the bytes follow.
inline void AppendBytesHeader(std::string* out, uint32_t field, uint64_t length) {
  AppendVarint(out, Tag(field, kBytes));
  AppendVarint(out, length);
}

inline void AppendBytes(std::string* out, uint32_t field, const std::string& bytes) {
  AppendBytesHeader(out, field, bytes.size());
  out->append(bytes);
}

// TensorProto.external_data entries and data_location = EXTERNAL, as onnx's own tools write them.
inline void AppendExternal(std::string* out, const std::string& location, uint64_t offset,
                           uint64_t length) {
  const auto entry = [out](const char* key, const std::string& value) {
    std::string pair;
    AppendBytes(&pair, 1, key);
    AppendBytes(&pair, 2, value);
    AppendBytes(out, kExternalData, pair);
  };
  entry("location", location);
  entry("offset", std::to_string(offset));
  entry("length", std::to_string(length));
  AppendVarint(out, Tag(kDataLocation, kVarint));
  AppendVarint(out, 1);
}

}  // namespace ptq::wire
