#include "model/external_data.h"

#include <charconv>

#include "base/error.h"

namespace ptq {
namespace {

uint64_t ParseNumber(const onnx::TensorProto& tensor, const std::string& key,
                     const std::string& text) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, value);
  if (status != std::errc() || stop != end) {
    throw Error(ErrorCode::kInvalidModel, Text("The external data of tensor \"") + tensor.name() +
                                              "\" has " + key + " \"" + text.substr(0, 40) +
                                              "\", which is not a non-negative number.")
        .WithTensor(tensor.name());
  }
  return value;
}

}  // namespace

ExternalRange ExternalRangeOf(const onnx::TensorProto& tensor) {
  ExternalRange range;
  bool has_location = false, has_offset = false;
  const auto once = [&](bool seen, const char* key) {
    if (!seen) return;
    throw Error(ErrorCode::kInvalidModel, Text("The external data of tensor \"") + tensor.name() +
                                              "\" gives " + key + " more than once.")
        .WithTensor(tensor.name());
  };
  for (const onnx::StringStringEntryProto& entry : tensor.external_data()) {
    if (entry.key() == "location") {
      once(has_location, "location");
      has_location = true;
      range.location = entry.value();
    } else if (entry.key() == "offset") {
      once(has_offset, "offset");
      has_offset = true;
      range.offset = ParseNumber(tensor, "offset", entry.value());
    } else if (entry.key() == "length") {
      once(range.length.has_value(), "length");
      range.length = ParseNumber(tensor, "length", entry.value());
    }
  }
  if (range.location.empty()) {
    throw Error(ErrorCode::kInvalidModel,
                Text("Tensor \"") + tensor.name() + "\" is stored externally but names no file.")
        .WithTensor(tensor.name());
  }
  return range;
}

void SetExternal(onnx::TensorProto* tensor, const std::string& location, uint64_t offset,
                 uint64_t length) {
  const auto add = [tensor](const char* key, const std::string& value) {
    onnx::StringStringEntryProto* entry = tensor->add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  };
  tensor->clear_external_data();
  add("location", location);
  add("offset", std::to_string(offset));
  add("length", std::to_string(length));
  tensor->set_data_location(onnx::TensorProto::EXTERNAL);
}

}  // namespace ptq
