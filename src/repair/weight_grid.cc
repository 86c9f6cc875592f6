#include "repair/weight_grid.h"

namespace ptq {

std::optional<WeightGrid> WeightGrid::Of(const LinearLayer& layer, const QuantParams& params) {
  if (params.blocked() || IsFloat8(params.type)) return std::nullopt;
  if (!params.axis) return WeightGrid(params, Axis::kNone);
  const int64_t output = layer.inputs_first ? 1 : 0;
  if (*params.axis == output) return WeightGrid(params, Axis::kOutput);
  if (*params.axis == 1 - output && layer.groups == 1) return WeightGrid(params, Axis::kInput);
  return std::nullopt;
}

const TensorPlan* QuantizedWeight(const QuantPlan& plan, const GraphView& view,
                                  const LinearLayer& layer) {
  const TensorPlan* weight = plan.Find(view.node(layer.node).input(1));
  const bool quantized = weight != nullptr && weight->role == TensorRole::kInitializer &&
                         plan.nodes[static_cast<size_t>(layer.node)].action != NodeAction::kFloat;
  return quantized ? weight : nullptr;
}

}  // namespace ptq
