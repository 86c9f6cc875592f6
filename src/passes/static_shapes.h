// Shapes that follow from the graph's inputs and initializers alone: a file's own value_info may be
// out of date. Inferred when the first one is asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/graph_view.h"
#include "model/model.h"

namespace ptq {

// A dimension that is not a known number.
inline constexpr int64_t kUnknownDim = -1;

class StaticShapes {
 public:
  // Kept, not owned.
  explicit StaticShapes(const Model& model) : model_(model) {}

  // Nothing where the rank is not known.
  std::optional<std::vector<int64_t>> Of(const std::string& tensor);

 private:
  const Model& model_;
  std::optional<onnx::GraphProto> inferred_;
  std::optional<GraphView> view_;
};

}  // namespace ptq
