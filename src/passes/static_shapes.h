// Shapes that follow from the graph's inputs and initializers alone: a file's own value_info may be
// out of date.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "passes/pass.h"

namespace ptq {

// A dimension that is not a known number.
inline constexpr int64_t kUnknownDim = -1;

class StaticShapes {
 public:
  // Kept, not owned.
  explicit StaticShapes(PassContext& context) : context_(context) {}

  // Nothing where the rank is not known.
  std::optional<std::vector<int64_t>> Of(const std::string& tensor);

 private:
  PassContext& context_;
};

}  // namespace ptq
