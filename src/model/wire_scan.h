// Reads a model file without its weights.
#pragma once

#include <string>

#include "model/files.h"

namespace ptq {

// Serialized ModelProto of kModelFile in which every tensor's data of at least kInlineLimit bytes
// is a reference (external_data: location kModelFile, offset, length) instead. Lifted are raw_data
// and, from 1 MiB, packed float_data and double_data, whose bytes are the same as raw ones. Integer
// vectors of up to 64 KiB stay: see IsShapeLike. Everything else is kept, unknown fields included.
//
// Reads through windows of 4 to 64 KiB and skips what is lifted. Memory: the result and one window.
// Throws kInvalidModel where the bytes are no protobuf of this shape and kTruncatedModel where the
// file ends inside it.
std::string ScanModelFile(Files* files);

}  // namespace ptq
