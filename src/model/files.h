// How bytes come in and go out. The core opens no file itself: the host (Node, a browser worker,
// a native test) implements these calls over fs, FileReaderSync or memory. All are synchronous.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace ptq {

// Names that a TensorProto's external_data location may hold besides the model's own data files.
// '~' keeps them apart from real ones; they are also the paths under which onnxruntime is given
// the same files for the calibration session.
inline constexpr char kModelFile[] = "~model";      // the .onnx that is read
inline constexpr char kScratchFile[] = "~scratch";  // large tensors that the core makes
inline constexpr char kOutputFile[] = "~output";    // the .onnx that is written

class Files {
 public:
  virtual ~Files() = default;

  // Size of `name` in bytes. Throws Error(kFileNotFound) where the host does not have it.
  virtual uint64_t Size(const std::string& name) = 0;

  // Fills all of `into` from `offset`. Throws Error(kTruncatedModel) past the end.
  virtual void Read(const std::string& name, uint64_t offset, std::span<uint8_t> into) = 0;

  // Appends to `name`, which starts empty. Only for kScratchFile and for outputs.
  virtual void Append(const std::string& name, std::span<const uint8_t> bytes) = 0;
};

}  // namespace ptq
