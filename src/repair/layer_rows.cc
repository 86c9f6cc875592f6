#include "repair/layer_rows.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "model/attributes.h"

namespace ptq {
namespace {

constexpr int64_t kPadding = -1;

// `count` of the numbers below `all`, each once, spread evenly over any stretch of them: steps of
// the golden section.
class Spread {
 public:
  explicit Spread(uint64_t all) : all_(all), step_(std::max<uint64_t>(1, all * 40503 / 65536)) {
    while (std::gcd(step_, all_) != 1) ++step_;
  }
  uint64_t Next() {
    const uint64_t current = at_;
    at_ = (at_ + step_) % all_;
    return current;
  }

 private:
  uint64_t all_;
  uint64_t step_;
  uint64_t at_ = 0;
};

// How a Conv moves along one axis of its input.
struct AxisSteps {
  int64_t size = 0;  // of the input
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t begin = 0;   // padding
  int64_t places = 0;  // of the output
};

int64_t At(const std::vector<int64_t>& values, size_t i, int64_t otherwise) {
  return i < values.size() ? values[i] : otherwise;
}

// ONNX Conv. Empty where there is no output.
std::vector<AxisSteps> StepsOf(const onnx::NodeProto& node, const LinearLayer& layer,
                               std::span<const int64_t> dims) {
  const std::vector<int64_t> strides = IntsAttribute(node, "strides");
  const std::vector<int64_t> dilations = IntsAttribute(node, "dilations");
  const std::vector<int64_t> pads = IntsAttribute(node, "pads");
  const std::string auto_pad = StringAttribute(node, "auto_pad", "NOTSET");
  const size_t count = dims.size() - 2;
  std::vector<AxisSteps> axes(count);
  for (size_t i = 0; i < count; ++i) {
    AxisSteps& axis = axes[i];
    axis.size = dims[i + 2];
    axis.kernel = layer.weight->dims(static_cast<int>(i) + 2);
    axis.stride = At(strides, i, 1);
    axis.dilation = At(dilations, i, 1);
    if (axis.stride < 1 || axis.dilation < 1) return {};
    const int64_t reach = (axis.kernel - 1) * axis.dilation + 1;
    int64_t padding = 0;
    if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
      const int64_t places = (axis.size + axis.stride - 1) / axis.stride;
      padding = std::max<int64_t>(0, (places - 1) * axis.stride + reach - axis.size);
      axis.begin = auto_pad == "SAME_UPPER" ? padding / 2 : padding - padding / 2;
    } else if (auto_pad == "NOTSET") {
      axis.begin = At(pads, i, 0);
      padding = axis.begin + At(pads, i + count, 0);
    }
    const int64_t room = axis.size + padding - reach;
    axis.places = room < 0 ? 0 : room / axis.stride + 1;
    if (axis.places == 0) return {};
  }
  return axes;
}

}  // namespace

LayerRows::LayerRows(const onnx::NodeProto& node, const LinearLayer& layer,
                     std::span<const int64_t> dims, size_t most)
    : kernel_(static_cast<size_t>(layer.kernel)),
      channels_(static_cast<size_t>(layer.inputs / layer.groups)) {
  const bool fits = static_cast<int64_t>(dims.size()) == layer.rank &&
                    dims[static_cast<size_t>(layer.axis)] == layer.inputs &&
                    std::all_of(dims.begin(), dims.end(), [](int64_t dim) { return dim > 0; });
  if (!fits) return;
  if (node.op_type() == "Conv") {
    FindPlaces(node, layer, dims, most);
    return;
  }
  uint64_t all = 1;
  for (size_t i = 0; i + 1 < dims.size(); ++i) all *= static_cast<uint64_t>(dims[i]);
  Spread spread(all);
  for (uint64_t i = 0; i < std::min<uint64_t>(most, all); ++i) {
    offsets_.push_back(static_cast<int64_t>(spread.Next()) * layer.inputs);
  }
}

void LayerRows::FindPlaces(const onnx::NodeProto& node, const LinearLayer& layer,
                           std::span<const int64_t> dims, size_t most) {
  const std::vector<AxisSteps> axes = StepsOf(node, layer, dims);
  if (axes.empty()) return;
  int64_t area = 1;  // of a channel
  auto all = static_cast<uint64_t>(dims[0]);
  for (const AxisSteps& axis : axes) {
    area *= axis.size;
    all *= static_cast<uint64_t>(axis.places);
  }
  channel_stride_ = static_cast<size_t>(area);
  Spread spread(all);
  for (uint64_t i = 0; i < std::min<uint64_t>(most, all); ++i) {
    const uint64_t place = spread.Next();
    for (uint64_t k = 0; k < layer.kernel; ++k) {
      int64_t offset = 0;
      int64_t stride = 1;
      uint64_t rest = place;
      uint64_t kernel_rest = k;
      bool is_inside = true;
      for (size_t a = axes.size(); a-- > 0;) {
        const AxisSteps& axis = axes[a];
        const auto step = static_cast<int64_t>(rest % static_cast<uint64_t>(axis.places));
        const auto tap = static_cast<int64_t>(kernel_rest % static_cast<uint64_t>(axis.kernel));
        rest /= static_cast<uint64_t>(axis.places);
        kernel_rest /= static_cast<uint64_t>(axis.kernel);
        const int64_t at = step * axis.stride + tap * axis.dilation - axis.begin;
        is_inside = is_inside && at >= 0 && at < axis.size;
        offset += at * stride;
        stride *= axis.size;
      }
      offset += static_cast<int64_t>(rest) * layer.inputs * area;
      offsets_.push_back(is_inside ? offset : kPadding);
    }
  }
}

void LayerRows::Read(std::span<const float> values, size_t group, std::span<const double> means,
                     size_t width, std::vector<float>* rows) const {
  rows->assign(count() * width, 0);
  for (size_t row = 0; row < count(); ++row) {
    float* out = rows->data() + row * width;
    const int64_t* const offsets = offsets_.data() + row * kernel_;
    for (size_t c = 0; c < channels_; ++c) {
      const size_t channel = group * channels_ + c;
      const float mean = means.empty() ? 0 : static_cast<float>(means[channel]);
      const float* const plane = values.data() + channel * channel_stride_;
      for (size_t k = 0; k < kernel_; ++k) {
        const float value = offsets[k] == kPadding ? 0 : plane[offsets[k]];
        *out++ = std::isfinite(value) ? value - mean : 0;
      }
    }
  }
}

}  // namespace ptq
