#include "quantization/weights.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/extremes_kernels.h"
#include "model/tensor_builder.h"
#include "quantization/kernels.h"

namespace ptq {
namespace {

// A tensor seen as [outer, axis, inner]. The axis is cut into pieces of `piece` indices that share
// parameters: blocks of block_size, or 1 per channel. Per tensor, one piece holds everything.
struct ParameterLayout {
  uint64_t axis = 1;
  uint64_t inner = 1;
  uint64_t piece = 1;
  uint64_t pieces = 1;     // along the axis
  bool per_inner = false;  // blocks: each inner position has parameters of its own
  std::vector<int64_t> dims;

  uint64_t count() const {
    uint64_t product = 1;
    for (const int64_t dim : dims) product *= static_cast<uint64_t>(dim);
    return product;
  }
};

ParameterLayout LayoutOf(const onnx::TensorProto& tensor, std::optional<int64_t> axis,
                         int64_t block_size) {
  ParameterLayout layout;
  if (!axis) {
    layout.inner = std::max<uint64_t>(ElementCount(tensor), 1);
    return layout;
  }
  const int at = static_cast<int>(*axis);
  layout.axis = static_cast<uint64_t>(tensor.dims(at));
  for (int d = at + 1; d < tensor.dims_size(); ++d) {
    layout.inner *= static_cast<uint64_t>(tensor.dims(d));
  }
  layout.per_inner = block_size > 0;
  if (block_size > 0) layout.piece = static_cast<uint64_t>(block_size);
  layout.pieces = (layout.axis + layout.piece - 1) / layout.piece;
  if (block_size > 0) {
    layout.dims.assign(tensor.dims().begin(), tensor.dims().end());
    layout.dims[static_cast<size_t>(at)] = static_cast<int64_t>(layout.pieces);
  } else {
    layout.dims = {static_cast<int64_t>(layout.axis)};
  }
  return layout;
}

// Splits a window that starts at element `first` into runs whose elements lie side by side at one
// position of the axis: visit(parameter of the first element, run). In blocks each element of a run
// has the next parameter; else all have the same.
template <typename Visit>
void ForEachRun(const ParameterLayout& layout, uint64_t first, std::span<const float> window,
                Visit visit) {
  size_t begin = 0;
  while (begin < window.size()) {
    const uint64_t position = first + begin;
    const uint64_t inner = position % layout.inner;
    const uint64_t at = position / layout.inner % layout.axis;
    const size_t length = std::min<uint64_t>(layout.inner - inner, window.size() - begin);
    uint64_t parameter = at / layout.piece;
    if (layout.per_inner) {
      const uint64_t outer = position / layout.inner / layout.axis;
      parameter = (outer * layout.pieces + parameter) * layout.inner + inner;
    }
    visit(parameter, begin, window.subspan(begin, length));
    begin += length;
  }
}

std::vector<TensorRange> ParameterRanges(const TensorStore& tensors,
                                         const onnx::TensorProto& weight,
                                         const ParameterLayout& layout) {
  std::vector<Extremes> extremes(layout.count());
  tensors.VisitFloats(weight, [&](uint64_t first, std::span<const float> window) {
    ForEachRun(layout, first, window, [&](uint64_t parameter, size_t, std::span<const float> run) {
      if (!layout.per_inner) {
        extremes[parameter].Widen(FindExtremes(run, Values::kSigned));
        return;
      }
      for (size_t i = 0; i < run.size(); ++i) extremes[parameter + i].Widen(run[i]);
    });
  });
  std::vector<TensorRange> ranges;
  for (const Extremes& found : extremes) ranges.push_back({found.lowest, found.highest});
  return ranges;
}

// Standard deviations per tensor or channel.
std::vector<TensorRange> Deviations(const TensorStore& tensors, const onnx::TensorProto& weight,
                                    const ParameterLayout& layout) {
  std::vector<std::vector<float>> channels(layout.count());
  const std::vector<float> values = tensors.ReadFloats(weight);
  ForEachRun(layout, 0, values, [&](uint64_t channel, size_t, std::span<const float> run) {
    channels[channel].insert(channels[channel].end(), run.begin(), run.end());
  });
  std::vector<TensorRange> result;
  for (const std::vector<float>& channel : channels) {
    const bool half = FloatTypeOf(weight) == FloatType::kFloat16;
    result.push_back({0, 0, StandardDeviation(channel, half)});
  }
  return result;
}

ScaleZeroPoint FitOne(TensorRange range, const WeightFit& fit, FloatType scale_type,
                      const ParameterOverride* override) {
  if (override != nullptr && override->scale) {
    return {RoundTo(scale_type, *override->scale), static_cast<int32_t>(*override->zero_point)};
  }
  if (override != nullptr && override->rmin) range.lowest = RoundTo(scale_type, *override->rmin);
  if (override != nullptr && override->rmax) range.highest = RoundTo(scale_type, *override->rmax);
  if (range.deviation) return FitFloat8(*range.deviation, scale_type);
  return fit.block_size > 0 ? FitBlock(range, fit.type, scale_type, fit.options)
                            : FitScaleZeroPoint(range, fit.type, scale_type, fit.options);
}

// Collects elements of 4, 8 or 16 bits as ONNX stores them: 4-bit ones in pairs, the first low.
class ElementWriter {
 public:
  ElementWriter(TensorStore::Writer writer, uint64_t elements) : writer_(writer), left_(elements) {}

  void Append(std::span<const uint8_t> values) { writer_.Append(values); }

  void Append(std::span<const uint16_t> values) {
    bytes_.clear();
    for (const uint16_t value : values) {
      bytes_.push_back(static_cast<uint8_t>(value));
      bytes_.push_back(static_cast<uint8_t>(value >> 8));
    }
    writer_.Append(bytes_);
  }

  void AppendPairs(std::span<const uint8_t> values) {
    bytes_.clear();
    for (const uint8_t value : values) {
      --left_;
      if (has_low_) {
        bytes_.push_back(static_cast<uint8_t>(low_ | (value & 0xF) << 4));
      } else {
        low_ = value & 0xF;
      }
      has_low_ = !has_low_;
    }
    if (left_ == 0 && has_low_) bytes_.push_back(low_);
    writer_.Append(bytes_);
  }

 private:
  TensorStore::Writer writer_;
  uint64_t left_;
  std::vector<uint8_t> bytes_;
  uint8_t low_ = 0;
  bool has_low_ = false;
};

template <typename Element>
void QuantizeWindow(const ParameterLayout& layout, const QuantParams& params, uint64_t first,
                    std::span<const float> window, std::span<Element> out) {
  const IntegerRange clip = FullRange(params.type);
  const auto quantize = [&](std::span<const float> run, uint64_t parameter, std::span<Element> to) {
    if constexpr (sizeof(Element) == 1) {
      if (IsFloat8(params.type)) {
        QuantizeFloat8(run, params.scales[parameter], params.scale_type == FloatType::kFloat16, to);
        return;
      }
    }
    QuantizeValues(run, params.scales[parameter], params.zero_points[parameter], clip, to);
  };
  ForEachRun(layout, first, window,
             [&](uint64_t parameter, size_t begin, std::span<const float> run) {
               const std::span<Element> to = out.subspan(begin, run.size());
               if (!layout.per_inner) {
                 quantize(run, parameter, to);
                 return;
               }
               for (size_t i = 0; i < run.size(); ++i) {
                 quantize(run.subspan(i, 1), parameter + i, to.subspan(i, 1));
               }
             });
}

}  // namespace

FloatType FloatTypeOf(const onnx::TensorProto& tensor) {
  return tensor.data_type() == onnx::TensorProto::FLOAT16 ? FloatType::kFloat16 : FloatType::kFloat;
}

QuantParams FitWeight(const TensorStore& tensors, const onnx::TensorProto& weight,
                      const WeightFit& fit) {
  const ParameterLayout layout = LayoutOf(weight, fit.axis, fit.block_size);
  QuantParams params{fit.type, FloatTypeOf(weight), fit.axis, fit.block_size, layout.dims, {}, {}};
  const bool given = fit.override != nullptr && fit.override->has_scale();
  if (ElementCount(weight) == 0 && !given) {
    params.scales.assign(layout.count(), 1.0f);
    params.zero_points.assign(layout.count(), 0);
    return params;
  }
  std::vector<TensorRange> ranges;
  if (given) {
    ranges.resize(layout.count());
  } else if (IsFloat8(fit.type)) {
    ranges = Deviations(tensors, weight, layout);
  } else {
    ranges = ParameterRanges(tensors, weight, layout);
  }
  for (size_t i = 0; i < ranges.size(); ++i) {
    const ParameterOverride* override =
        fit.override == nullptr || layout.per_inner ? nullptr : &fit.override->channel(i);
    try {
      const ScaleZeroPoint one = FitOne(ranges[i], fit, params.scale_type, override);
      params.scales.push_back(one.scale);
      params.zero_points.push_back(one.zero_point);
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
  const ParameterLayout layout = LayoutOf(weight, params.axis, params.block_size);
  const uint64_t elements = ElementCount(weight);
  const int bits = Bits(params.type);
  const uint64_t bytes = (elements * static_cast<uint64_t>(bits) + 7) / 8;
  ElementWriter writer(tensors->Begin(&quantized, bytes), elements);
  std::vector<uint8_t> narrow;
  std::vector<uint16_t> wide;
  tensors->VisitFloats(weight, [&](uint64_t first, std::span<const float> window) {
    if (bits == 16) {
      wide.resize(window.size());
      QuantizeWindow(layout, params, first, window, std::span(wide));
      writer.Append(std::span<const uint16_t>(wide));
      return;
    }
    narrow.resize(window.size());
    QuantizeWindow(layout, params, first, window, std::span(narrow));
    if (bits == 4) {
      writer.AppendPairs(narrow);
    } else {
      writer.Append(std::span<const uint8_t>(narrow));
    }
  });
  return quantized;
}

onnx::TensorProto ScaleTensor(const std::string& name, const QuantParams& params) {
  const auto type = params.scale_type == FloatType::kFloat16 ? onnx::TensorProto::FLOAT16
                                                             : onnx::TensorProto::FLOAT;
  return RealTensor(name, type, params.dims, params.scales);
}

onnx::TensorProto ZeroPointTensor(const std::string& name, const QuantParams& params) {
  const std::vector<int64_t> values(params.zero_points.begin(), params.zero_points.end());
  return IntTensor(name, OnnxType(params.type), params.dims, values);
}

}  // namespace ptq
