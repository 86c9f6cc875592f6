#include "passes/affine_steps.h"

#include <algorithm>
#include <cmath>

#include "model/attributes.h"
#include "model/node_queries.h"
#include "passes/graph_queries.h"

namespace ptq {
namespace {

// Rounding a DOUBLE to single precision would be more than a reordering.
bool IsSingleOrLess(int32_t type) {
  return type == onnx::TensorProto::FLOAT || type == onnx::TensorProto::FLOAT16 ||
         type == onnx::TensorProto::BFLOAT16;
}

std::optional<AffineStep> ReadBatchNorm(const Model& model, const GraphView& view,
                                        const onnx::NodeProto& node, const ChannelAxis& axis) {
  const bool inference = IntAttribute(node, "training_mode", 0) == 0 &&
                         IntAttribute(node, "spatial", 1) == 1 && OutputsUnused(view, node, 1);
  if (!inference || node.input_size() != 5 || axis.rank - axis.behind != 2) return std::nullopt;
  std::vector<float> parameters[4];  // gamma, beta, mean, var
  for (int i = 0; i < 4; ++i) {
    const onnx::TensorProto* tensor = ConstantOf(view, node.input(i + 1));
    if (tensor == nullptr || !IsSingleOrLess(tensor->data_type()) || tensor->dims_size() != 1 ||
        tensor->dims(0) != axis.channels) {
      return std::nullopt;
    }
    parameters[i] = model.tensors().ReadFloats(*tensor);
  }
  const float epsilon = FloatAttribute(node, "epsilon", 1e-5f);
  for (size_t c = 0; c < parameters[0].size(); ++c) {
    parameters[0][c] /= std::sqrt(parameters[3][c] + epsilon);
    if (!std::isfinite(parameters[0][c])) return std::nullopt;
  }
  return AffineStep{std::move(parameters[2]), std::move(parameters[0]), std::move(parameters[1])};
}

// One number, or one number a channel along `axis`; of a rank that adds no axis to the data.
bool IsPerChannel(const onnx::TensorProto& tensor, const ChannelAxis& axis) {
  const int rank = tensor.dims_size();
  if (rank > (axis.rank == kUnknownRank ? axis.behind + 1 : axis.rank)) return false;
  for (int i = 0; i < rank; ++i) {
    const bool is_axis = rank - 1 - i == axis.behind;
    if (tensor.dims(i) != 1 && !(is_axis && tensor.dims(i) == axis.channels)) return false;
  }
  return true;
}

// Axes of dims in which the channels may be: as many of them, and as many values behind them.
std::optional<int> FindAxis(const std::vector<int64_t>& dims, int64_t channels,
                            int64_t values_behind) {
  int64_t product = 1;
  for (int behind = 0; behind < static_cast<int>(dims.size()); ++behind) {
    const int64_t dim = dims[dims.size() - 1 - static_cast<size_t>(behind)];
    if (product == values_behind && dim == channels) return behind;
    if (dim <= 0 || __builtin_mul_overflow(product, dim, &product)) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::optional<AffineStep> ReadAffineStep(const Model& model, const GraphView& view,
                                         const onnx::NodeProto& node, const std::string& data,
                                         const ChannelAxis& axis) {
  if (IsOp(node, "BatchNormalization")) {
    if (node.input(0) != data) return std::nullopt;
    return ReadBatchNorm(model, view, node, axis);
  }
  const bool adds = IsOp(node, "Add") || IsOp(node, "Sum");
  const bool subtracts = IsOp(node, "Sub");
  const bool multiplies = IsOp(node, "Mul");
  const bool divides = IsOp(node, "Div");
  if (!(adds || subtracts || multiplies || divides) || node.input_size() != 2 ||
      node.output_size() != 1) {
    return std::nullopt;
  }
  const bool data_first = node.input(0) == data;
  const onnx::TensorProto* operand = ConstantOf(view, node.input(data_first ? 1 : 0));
  if (operand == nullptr || !IsSingleOrLess(operand->data_type()) ||
      !IsPerChannel(*operand, axis)) {
    return std::nullopt;
  }
  std::vector<float> values = model.tensors().ReadFloats(*operand);
  // Not values.assign(n, values[0]): libc++ frees the elements before it reads its argument.
  const auto channels = static_cast<size_t>(axis.channels);
  if (values.size() != channels) values = std::vector<float>(channels, values.at(0));
  if (adds) return AffineStep{{}, {}, std::move(values)};
  if (multiplies) return AffineStep{{}, std::move(values), {}};
  if (divides) {
    if (!data_first) return std::nullopt;
    for (float& value : values) value = 1.0f / value;
    return AffineStep{{}, std::move(values), {}};
  }
  if (data_first) return AffineStep{std::move(values), {}, {}};
  return AffineStep{{}, std::vector<float>(channels, -1.0f), std::move(values)};
}

std::optional<ChannelAxis> MovedAxis(const onnx::NodeProto& node, const ChannelAxis& axis,
                                     StaticShapes* shapes) {
  if (IsOp(node, "Identity")) return axis;
  if (IsOp(node, "Transpose") && axis.rank != kUnknownRank) {
    const std::vector<int64_t> perm = IntsAttribute(node, "perm");
    const int from = axis.rank - 1 - axis.behind;
    if (perm.empty()) return ChannelAxis{axis.channels, from, axis.rank};
    const auto to = std::find(perm.begin(), perm.end(), from);
    if (static_cast<int>(perm.size()) != axis.rank || to == perm.end()) return std::nullopt;
    return ChannelAxis{axis.channels, static_cast<int>(perm.end() - to) - 1, axis.rank};
  }
  const auto before = shapes->Of(node.input(0));
  if (!before || axis.behind >= static_cast<int>(before->size())) return std::nullopt;
  if (IsOp(node, "Transpose")) {
    return MovedAxis(node, {axis.channels, axis.behind, static_cast<int>(before->size())}, shapes);
  }
  const auto after = shapes->Of(node.output(0));
  if (!after) return std::nullopt;
  int64_t behind = 1;
  for (int i = 0; i < axis.behind; ++i) {
    const int64_t dim = (*before)[before->size() - 1 - static_cast<size_t>(i)];
    if (dim <= 0 || __builtin_mul_overflow(behind, dim, &behind)) return std::nullopt;
  }
  const std::optional<int> found = FindAxis(*after, axis.channels, behind);
  if (!found) return std::nullopt;
  return ChannelAxis{axis.channels, *found, static_cast<int>(after->size())};
}

}  // namespace ptq
