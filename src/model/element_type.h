// Names of ONNX element types, for messages. Their sizes: ElementBits in tensor_store.h.
#pragma once

#include <cstdint>
#include <string>

namespace ptq {

// "FLOAT", or "of unknown type 99".
std::string ElementTypeName(int32_t data_type);

}  // namespace ptq
