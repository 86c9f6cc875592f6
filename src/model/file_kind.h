// Names a file that is no ONNX model by its first bytes, so that "not an ONNX model" can say what
// it is.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace ptq {

struct FileKind {
  std::string name;  // "a JPEG image"; empty where the bytes tell nothing
  std::string hint;  // what to do; may be empty
};

// `head`: the first bytes of the file, 64 are enough.
FileKind GuessFileKind(std::span<const uint8_t> head);

}  // namespace ptq
