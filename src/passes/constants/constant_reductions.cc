// ReduceSum, ReduceMean, ReduceSumSquare, ReduceL2, ReduceMax: what weight normalization consists
// of. Sums are kept in double precision.
#include <algorithm>
#include <cmath>

#include "model/attributes.h"
#include "passes/constants/constant_kernels.h"

namespace ptq {
namespace {

// Axes are an attribute up to opset 12 (ReduceSum) or 17 (the others), and an input from then on.
std::optional<std::vector<int64_t>> GivenAxes(const onnx::NodeProto& node, ConstantInputs inputs) {
  if (inputs.size() < 2 || inputs[1] == nullptr) return IntsAttribute(node, "axes");
  return IntsOf(inputs[1]);
}

}  // namespace

std::optional<std::vector<bool>> ReducedAxes(const onnx::NodeProto& node, ConstantInputs inputs,
                                             size_t rank) {
  const std::optional<std::vector<int64_t>> axes = GivenAxes(node, inputs);
  if (!axes) return std::nullopt;
  const bool none = axes->empty() && IntAttribute(node, "noop_with_empty_axes", 0) != 0;
  std::vector<bool> reduced(rank, axes->empty() && !none);
  for (const int64_t axis : *axes) {
    const std::optional<int64_t> normal = NormalAxis(axis, rank);
    if (!normal) return std::nullopt;
    reduced[static_cast<size_t>(*normal)] = true;
  }
  return reduced;
}

EvaluationResult EvaluateReduce(const onnx::NodeProto& node, ConstantInputs inputs,
                                const EvaluationContext& context) {
  const ConstantTensor* data = InputAt(inputs, 0);
  if (data == nullptr || !IsFloatElement(data->type)) return std::nullopt;
  const auto reduced = ReducedAxes(node, inputs, data->dims.size());
  if (!reduced || std::count(reduced->begin(), reduced->end(), true) == 0) return std::nullopt;
  const bool keeps = IntAttribute(node, "keepdims", 1) != 0;
  std::vector<int64_t> kept = data->dims;  // with ones
  std::vector<int64_t> dims;
  uint64_t each = 1;
  for (size_t i = 0; i < kept.size(); ++i) {
    if ((*reduced)[i]) {
      each *= static_cast<uint64_t>(kept[i]);
      kept[i] = 1;
    }
    if (keeps || !(*reduced)[i]) dims.push_back(kept[i]);
  }
  EvaluationResult out = NewTensor(data->type, dims, context);
  if (!out || each == 0) return std::nullopt;
  const std::string& op = node.op_type();
  const bool largest = op == "ReduceMax";
  const bool squares = op == "ReduceL2" || op == "ReduceSumSquare";
  std::vector<double> sums(out->bytes.size() / ElementBytes(out->type), largest ? -HUGE_VAL : 0.0);
  const std::vector<double> values = *FloatsOf(data);
  const std::vector<uint64_t> targets = BroadcastIndices(kept, data->dims);
  for (size_t i = 0; i < values.size(); ++i) {
    double& sum = sums[targets[i]];
    if (largest) {
      sum = std::isnan(values[i]) || values[i] > sum ? values[i] : sum;
    } else {
      sum += squares ? values[i] * values[i] : values[i];
    }
  }
  for (double& sum : sums) {
    if (op == "ReduceL2") sum = std::sqrt(sum);
    if (op == "ReduceMean") sum /= static_cast<double>(each);
  }
  StoreFloats(sums, &*out);
  return out;
}

}  // namespace ptq
