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

struct JoinResult {
  std::vector<Piece> model;
  uint64_t model_size = 0;
  std::vector<Piece> external;  // where data goes to an external file
  uint64_t external_size = 0;
};

// `serialized`: a ModelProto that protobuf wrote; the pieces point into it. Where
// `external_location` is empty, all data goes into the model; otherwise raw data of kInlineLimit
// bytes and more goes to the external file, which the model calls by that name.
JoinResult JoinModel(std::string_view serialized, const std::string& external_location);

}  // namespace ptq
