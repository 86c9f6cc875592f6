// Serializes a Model through Files::Append, tensor by tensor: what is in memory at a time is the
// graph without weights plus one window of one tensor.
#pragma once

#include <string>

#include "model/model.h"

namespace ptq {

struct WriteOptions {
  std::string file = kOutputFile;
  // Where set, raw data of at least `threshold` bytes goes to the file of this name, that of
  // attributes and subgraphs included (as the reference's use_external_data_format does), and the
  // model refers to it by `external_location`. With `file_per_tensor` there are several, "….1",
  // "….2" and so on in place of both names. Tensors of 64 KiB and more start at multiples of
  // 4096, as onnx-ml.proto asks for the sake of mmap; smaller ones at multiples of 16. Where no
  // tensor is that large, nothing is appended to the file.
  std::string external_file;
  std::string external_location;
  uint64_t threshold = kInlineLimit;
  bool file_per_tensor = false;
};

// Writes `model`, pulling referenced weights in from wherever they are. All lengths are known
// before the first byte is written. Throws kUnsupportedModel where the protobuf would exceed 2 GiB
// - 1 (hint: use external data). Returns the number of bytes appended to all files together.
uint64_t WriteModel(const Model& model, const WriteOptions& options);

// The model with references kept as external data (location kModelFile, kScratchFile or the model's
// own data files), except inside subgraphs, where onnxruntime takes none: small, for its
// `externalData`. Written to `file`.
uint64_t WriteSkeleton(const Model& model, const std::string& file);

}  // namespace ptq
