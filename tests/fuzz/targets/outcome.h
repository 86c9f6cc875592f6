// How work on arbitrary bytes may end: well, or in an error that says what is wrong with them.
#pragma once

#include <exception>
#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/error.h"

namespace ptq::fuzz {

// Runs `work`; whether it ended well. An error that names a bug of ours (kInternal) goes on, as
// does any other type.
template <typename Work>
bool EndsWell(Work work) {
  try {
    work();
    return true;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInternal) throw;
    return false;
  }
}

// The same for work on a model: onnx and protobuf have exceptions of their own for what they find
// wrong (bindings/wasm/throw_error.h). An index or a length that is out of range is a bug wherever
// it comes from.
template <typename Work>
bool EndsWellOnModel(Work work) {
  try {
    return EndsWell(work);
  } catch (const Error&) {
    throw;
  } catch (const std::logic_error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const nlohmann::json::exception&) {
    throw;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace ptq::fuzz
