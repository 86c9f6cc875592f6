// Whether bytes are UTF-8, which ONNX wants names to be.
#pragma once

#include <string_view>

namespace ptq {

// As Unicode has it (RFC 3629): shortest forms only, no surrogates, nothing past U+10FFFF.
bool IsUtf8(std::string_view text);

}  // namespace ptq
