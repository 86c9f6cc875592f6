#include "calibration/expected_magnitude.h"

#include <algorithm>
#include <cmath>

#include "model/graph_view.h"
#include "model/node_queries.h"

namespace ptq {
namespace {

// A variance that is nothing beside epsilon: the output is (x - mean) / sqrt(epsilon), whatever x
// does outside training.
bool HasDeadChannel(const onnx::NodeProto& batch_norm, const std::vector<float>& variances) {
  float epsilon = 1e-5F;
  for (const onnx::AttributeProto& attribute : batch_norm.attribute()) {
    if (attribute.name() == "epsilon") epsilon = attribute.f();
  }
  return std::any_of(variances.begin(), variances.end(),
                     [epsilon](float variance) { return !(variance > epsilon); });
}

}  // namespace

std::optional<ExpectedMagnitude> FindExpectedMagnitude(const Model& model) {
  const GraphView view(model.graph());
  for (const onnx::NodeProto& node : model.graph().node()) {
    if (!IsOp(node, "BatchNormalization") || node.input_size() != 5 || node.output_size() < 1) {
      continue;
    }
    const onnx::TensorProto* gamma = view.Initializer(node.input(1));
    const onnx::TensorProto* beta = view.Initializer(node.input(2));
    const onnx::TensorProto* variance = view.Initializer(node.input(4));
    const auto is_float = [](const onnx::TensorProto* tensor) {
      return tensor != nullptr && tensor->data_type() == onnx::TensorProto::FLOAT;
    };
    if (!is_float(gamma) || !is_float(beta) || !is_float(variance)) continue;
    const std::vector<float> gammas = model.tensors().ReadFloats(*gamma);
    const std::vector<float> betas = model.tensors().ReadFloats(*beta);
    const std::vector<float> variances = model.tensors().ReadFloats(*variance);
    if (gammas.size() != betas.size() || HasDeadChannel(node, variances)) continue;
    ExpectedMagnitude expected{node.output(0), 0};
    for (size_t c = 0; c < gammas.size(); ++c) {
      const float magnitude = std::fabs(betas[c]) + 6 * std::fabs(gammas[c]);
      expected.largest = std::max(expected.largest, magnitude);
    }
    if (expected.largest > 0 && std::isfinite(expected.largest)) return expected;
  }
  return std::nullopt;
}

}  // namespace ptq
