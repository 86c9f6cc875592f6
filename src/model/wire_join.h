// The inverse of the scan: turns a serialized model with references into the pieces of the file
// that holds their bytes. Works on the wire format, so that tensors in attributes, subgraphs and
// functions need no code of their own and unknown fields survive.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/tensor_store.h"

namespace ptq {

// A part of a file to write, from one of three places.
struct Piece {
  std::string_view kept;  // bytes of the serialized model
  std::string made;       // new bytes
  std::string location;   // `length` bytes of this file from `offset`; empty: none
  uint64_t offset = 0;
  uint64_t length = 0;  // bytes of the piece, wherever they are
};

// Which tensors' raw data goes to files beside the model.
struct ExternalFiles {
  std::string location = {};  // what the model calls the file; empty: all stays in the model
  uint64_t threshold = kInlineLimit;  // bytes: smaller data stays, too
  bool file_per_tensor = false;       // "<location>.1", "<location>.2", … in place of one file
};

struct ExternalFile {
  std::string suffix;  // of the location: "", or ".1", ".2", …
  std::vector<Piece> pieces;
  uint64_t size = 0;
};

struct JoinResult {
  std::vector<Piece> model;
  uint64_t model_size = 0;
  std::vector<ExternalFile> external;
};

// `serialized`: a ModelProto that protobuf wrote; the pieces point into it.
JoinResult JoinModel(std::string_view serialized, const ExternalFiles& external);

}  // namespace ptq
