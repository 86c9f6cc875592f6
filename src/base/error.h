// The one error type of the core. Everything that can go wrong throws ptq::Error with a stable
// code; the binding (bindings/wasm) turns it into the JavaScript QuantizeError of the same fields.
// Exceptions, not status values: onnx and protobuf throw anyway, and a straight pipeline reads
// better without a check after every call.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace ptq {

enum class ErrorCode {
  kInvalidModel,             // the bytes are not an ONNX model, or break the ONNX spec
  kTruncatedModel,           // the file ends inside the model
  kFileNotFound,             // an external-data file was not given
  kUnsupportedModel,         // a valid model with something this tool cannot handle (named)
  kUnsupportedOpset,         // opset or IR version out of the supported range
  kInvalidOption,            // an option, op type, node or tensor name is unknown or malformed
  kUnsupportedOption,        // a known option that has no meaning in the chosen combination
  kMissingRange,             // a tensor has no calibration range
  kInvalidRange,             // a calibration range is NaN, infinite or reversed
  kInvalidData,              // a calibration sample does not fit the model's inputs
  kInvalidCalibrationState,  // of another model, method or version, or damaged
  kOutOfMemory,              // the memory that the core may use is full
  kInternal,                 // a broken invariant: a bug in this tool
};

// "INVALID_MODEL" and so on: the stable spelling that crosses to JavaScript.
std::string_view ErrorCodeName(ErrorCode code);

class Error : public std::exception {
 public:
  Error(ErrorCode code, Text message) : code_(code), message_(std::move(message)) {}

  // Fluent: throw Error(kMissingRange, "…").WithNode(n).WithTensor(t).WithHint("…");
  Error&& WithNode(std::string node) &&;
  Error&& WithTensor(std::string tensor) &&;
  Error&& WithHint(Text hint) &&;

  ErrorCode code() const { return code_; }
  const Text& message() const { return message_; }
  const std::string& node() const { return node_; }
  const std::string& tensor() const { return tensor_; }
  const Text& hint() const { return hint_; }
  const char* what() const noexcept override { return message_.str().c_str(); }

 private:
  ErrorCode code_;
  Text message_;
  std::string node_;
  std::string tensor_;
  Text hint_;
};

}  // namespace ptq
