// The operator domains that are known here (ONNX IR specification, onnx/docs/IR.md).
#pragma once

#include <string_view>

namespace ptq {

// onnxruntime's own operators, also the integer forms that ONNX lacks.
inline constexpr char kMicrosoftDomain[] = "com.microsoft";

// ONNX's own domain, which has two spellings.
inline bool IsOnnxDomain(std::string_view domain) { return domain.empty() || domain == "ai.onnx"; }

}  // namespace ptq
