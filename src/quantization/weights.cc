#include "quantization/weights.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/error.h"
#include "model/tensor_builder.h"
#include "quantization/kernels.h"

namespace ptq {
namespace {

// A tensor seen as [outer, channels, inner] around the axis; per tensor: [1, 1, all].
struct ChannelLayout {
  uint64_t channels = 1;
  uint64_t inner = 1;
};

ChannelLayout LayoutOf(const onnx::TensorProto& tensor, std::optional<int64_t> axis) {
  if (!axis) return {1, std::max<uint64_t>(ElementCount(tensor), 1)};
  ChannelLayout layout{static_cast<uint64_t>(tensor.dims(static_cast<int>(*axis))), 1};
  for (int d = static_cast<int>(*axis) + 1; d < tensor.dims_size(); ++d) {
    layout.inner *= static_cast<uint64_t>(tensor.dims(d));
  }
  return layout;
}

// Splits a window that starts at element `first` into runs of one channel each:
// visit(channel, run).
template <typename Visit>
void ForEachRun(const ChannelLayout& layout, uint64_t first, std::span<const float> window,
                Visit visit) {
  size_t begin = 0;
  while (begin < window.size()) {
    const uint64_t position = first + begin;
    const uint64_t left = layout.inner - position % layout.inner;
    const size_t length = std::min<uint64_t>(left, window.size() - begin);
    visit(position / layout.inner % layout.channels, begin, window.subspan(begin, length));
    begin += length;
  }
}

std::vector<TensorRange> ChannelRanges(const TensorStore& tensors, const onnx::TensorProto& weight,
                                       const ChannelLayout& layout) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<TensorRange> ranges(layout.channels, {kInfinity, -kInfinity});
  tensors.VisitFloats(weight, [&](uint64_t first, std::span<const float> window) {
    ForEachRun(layout, first, window, [&](uint64_t channel, size_t, std::span<const float> run) {
      WidenRange(run, &ranges[channel]);
    });
  });
  return ranges;
}

std::vector<int64_t> ParameterDims(const QuantParams& params) {
  if (!params.per_channel()) return {};
  return {static_cast<int64_t>(params.scales.size())};
}

}  // namespace

FloatType FloatTypeOf(const onnx::TensorProto& tensor) {
  return tensor.data_type() == onnx::TensorProto::FLOAT16 ? FloatType::kFloat16 : FloatType::kFloat;
}

QuantParams FitWeight(const TensorStore& tensors, const onnx::TensorProto& weight, QuantType type,
                      std::optional<int64_t> axis, const FitOptions& options) {
  QuantParams params{type, FloatTypeOf(weight), axis, {}, {}};
  const uint64_t elements = ElementCount(weight);
  const ChannelLayout layout = LayoutOf(weight, axis);
  if (elements == 0) {
    params.scales.assign(layout.channels, 1.0f);
    params.zero_points.assign(layout.channels, 0);
    return params;
  }
  for (TensorRange range : ChannelRanges(tensors, weight, layout)) {
    try {
      const ScaleZeroPoint fit = FitScaleZeroPoint(range, type, params.scale_type, options);
      params.scales.push_back(fit.scale);
      params.zero_points.push_back(fit.zero_point);
    } catch (const Error& error) {
      throw Error(error.code(), "The initializer '" + weight.name() +
                                    "' holds infinite values, or nothing but NaN.")
          .WithTensor(weight.name())
          .WithHint("Mend the model's weights, or exclude the nodes that read it.");
    }
  }
  return params;
}

onnx::TensorProto QuantizeWeight(TensorStore* tensors, const onnx::TensorProto& weight,
                                 const std::string& name, const QuantParams& params) {
  onnx::TensorProto quantized =
      EmptyTensor(name, OnnxType(params.type),
                  std::vector<int64_t>(weight.dims().begin(), weight.dims().end()));
  const ChannelLayout layout = LayoutOf(weight, params.axis);
  const IntegerRange clip = FullRange(params.type);
  TensorStore::Writer writer = tensors->Begin(&quantized, ElementCount(weight));
  std::vector<uint8_t> bytes;
  tensors->VisitFloats(weight, [&](uint64_t first, std::span<const float> window) {
    bytes.resize(window.size());
    ForEachRun(layout, first, window,
               [&](uint64_t channel, size_t begin, std::span<const float> run) {
                 QuantizeValues(run, params.scales[channel], params.zero_points[channel], clip,
                                std::span(bytes).subspan(begin, run.size()));
               });
    writer.Append(bytes);
  });
  return quantized;
}

onnx::TensorProto ScaleTensor(const std::string& name, const QuantParams& params) {
  const auto type = params.scale_type == FloatType::kFloat16 ? onnx::TensorProto::FLOAT16
                                                             : onnx::TensorProto::FLOAT;
  return RealTensor(name, type, ParameterDims(params), params.scales);
}

onnx::TensorProto ZeroPointTensor(const std::string& name, const QuantParams& params) {
  return Int32FieldTensor(name, OnnxType(params.type), ParameterDims(params), params.zero_points);
}

}  // namespace ptq
