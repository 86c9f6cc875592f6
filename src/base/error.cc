#include "base/error.h"

namespace ptq {

std::string_view ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidModel:
      return "INVALID_MODEL";
    case ErrorCode::kTruncatedModel:
      return "TRUNCATED_MODEL";
    case ErrorCode::kFileNotFound:
      return "FILE_NOT_FOUND";
    case ErrorCode::kUnsupportedModel:
      return "UNSUPPORTED_MODEL";
    case ErrorCode::kUnsupportedOpset:
      return "UNSUPPORTED_OPSET";
    case ErrorCode::kInvalidOption:
      return "INVALID_OPTION";
    case ErrorCode::kUnsupportedOption:
      return "UNSUPPORTED_OPTION";
    case ErrorCode::kMissingRange:
      return "MISSING_RANGE";
    case ErrorCode::kInvalidRange:
      return "INVALID_RANGE";
    case ErrorCode::kInvalidData:
      return "INVALID_DATA";
    case ErrorCode::kInvalidCalibrationState:
      return "INVALID_CALIBRATION_STATE";
    case ErrorCode::kOutOfMemory:
      return "OUT_OF_MEMORY";
    case ErrorCode::kInternal:
      return "INTERNAL";
  }
  return "INTERNAL";
}

Error&& Error::WithNode(std::string node) && {
  node_ = std::move(node);
  return std::move(*this);
}

Error&& Error::WithTensor(std::string tensor) && {
  tensor_ = std::move(tensor);
  return std::move(*this);
}

Error&& Error::WithHint(Text hint) && {
  hint_ = std::move(hint);
  return std::move(*this);
}

}  // namespace ptq
