// What a call refuses, told part by part: code, message, hint, tensor.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "base/error.h"

namespace ptq {

// All of it; an absent tensor or hint is "".
struct Refusal {
  ErrorCode code;
  std::string message;
  std::string hint;
  std::string tensor;

  bool operator==(const Refusal&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const Refusal& refusal) {
  return out << ErrorCodeName(refusal.code) << "\n  " << refusal.message << "\n  " << refusal.hint
             << "\n  " << refusal.tensor;
}

// What `call` throws; a test that expects a refusal fails where it throws nothing.
template <typename Call>
Refusal RefusalOf(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return {error.code(), error.message(), error.hint(), error.tensor()};
  }
  return {ErrorCode::kInternal, "accepted", "", ""};
}

}  // namespace ptq
