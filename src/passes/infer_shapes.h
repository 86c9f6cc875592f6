// Types and shapes of intermediate tensors, by onnx's own inference.
#pragma once

#include <optional>
#include <string>

#include "base/diagnostic.h"
#include "model/graph_view.h"
#include "model/model.h"

namespace ptq {

// Which shapes inference starts from.
enum class KnownShapes {
  kAll,         // value_info and outputs as the file gives them, completed
  kInputsOnly,  // graph inputs and initializers: nothing that a stale value_info could have got
                // wrong
};

// Fills value_info and the types of graph outputs, of bodies too with `bodies` inside. Never fails:
// where inference does, what it found until then is kept and a SHAPE_INFERENCE_INCOMPLETE
// diagnostic is added (if `diagnostics` is given).
void InferShapes(Model& model, Diagnostics* diagnostics = nullptr,
                 Bodies bodies = Bodies::kOutside);

// The same on a copy: the graph's value_info and outputs as inferred. Nothing in `model` changes.
onnx::GraphProto InferredShapes(const Model& model, KnownShapes known, std::string* failure);

// InferredShapes from the inputs only, made when first asked for.
class InferredTypes {
 public:
  InferredTypes() = default;
  InferredTypes(const InferredTypes&) = delete;  // the view is of the graph beside it
  InferredTypes& operator=(const InferredTypes&) = delete;

  // Has the value_info that was inferred; its nodes are those of `model` when it was made.
  const GraphView& Of(const Model& model);
  void Forget();

 private:
  std::optional<onnx::GraphProto> graph_;
  std::optional<GraphView> view_;
};

}  // namespace ptq
