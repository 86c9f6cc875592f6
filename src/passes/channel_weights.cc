#include "passes/channel_weights.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/float16.h"
#include "model/attributes.h"
#include "model/node_queries.h"
#include "model/tensor_builder.h"
#include "passes/graph_queries.h"

namespace ptq {
namespace {

uint64_t Product(const onnx::TensorProto& tensor, int from) {
  uint64_t product = 1;
  for (int i = from; i < tensor.dims_size(); ++i) product *= static_cast<uint64_t>(tensor.dims(i));
  return product;
}

// Values in the tensor's type, as raw bytes.
void AppendAs(int32_t type, std::span<const float> values, std::vector<uint8_t>* bytes) {
  bytes->clear();
  if (type == onnx::TensorProto::FLOAT) {
    const auto* raw = reinterpret_cast<const uint8_t*>(values.data());
    bytes->assign(raw, raw + values.size_bytes());
    return;
  }
  for (const float value : values) {
    const uint16_t half = FloatToHalf(value);
    bytes->push_back(static_cast<uint8_t>(half));
    bytes->push_back(static_cast<uint8_t>(half >> 8));
  }
}

bool FillLayout(const onnx::NodeProto& node, ChannelWeights* out) {
  const onnx::TensorProto& weight = *out->weight;
  if (ElementCount(weight) == 0) return false;
  out->group_size = Product(weight, 0);
  if (IsOp(node, "Conv")) {  // [channels, inputs / group, kernel…]
    if (weight.dims_size() < 3) return false;
    out->channels = weight.dims(0);
    out->inner = Product(weight, 1);
    out->period = static_cast<uint64_t>(out->channels);
    return true;
  }
  if (IsOp(node, "ConvTranspose")) {  // [inputs, channels / group, kernel…]
    const int64_t groups = IntAttribute(node, "group", 1);
    if (weight.dims_size() < 3 || groups < 1 || weight.dims(0) % groups != 0) return false;
    out->channels = weight.dims(1) * groups;
    out->inner = Product(weight, 2);
    out->period = static_cast<uint64_t>(weight.dims(1));
    out->group_size /= static_cast<uint64_t>(groups);
    return true;
  }
  // Gemm: [inputs, channels], or [channels, inputs] if transposed.
  if (weight.dims_size() != 2 || FloatAttribute(node, "beta", 1.0f) != 1.0f) return false;
  const bool transposed = IntAttribute(node, "transB", 0) != 0;
  out->channels = weight.dims(transposed ? 0 : 1);
  out->inner = transposed ? static_cast<uint64_t>(weight.dims(1)) : 1;
  out->period = static_cast<uint64_t>(out->channels);
  return true;
}

}  // namespace

std::optional<ChannelWeights> FindChannelWeights(const GraphView& view,
                                                 const onnx::NodeProto& node) {
  if (!IsOp(node, "Conv") && !IsOp(node, "ConvTranspose") && !IsOp(node, "Gemm")) {
    return std::nullopt;
  }
  ChannelWeights found{};
  found.weight = HasInput(node, 1) ? ConstantOf(view, node.input(1)) : nullptr;
  if (found.weight == nullptr) return std::nullopt;
  const int32_t type = found.weight->data_type();
  if (type != onnx::TensorProto::FLOAT && type != onnx::TensorProto::FLOAT16) return std::nullopt;
  if (!FillLayout(node, &found)) return std::nullopt;
  if (HasInput(node, 2)) {
    found.bias = ConstantOf(view, node.input(2));
    if (found.bias == nullptr || found.bias->data_type() != type || found.bias->dims_size() != 1 ||
        found.bias->dims(0) != found.channels) {
      return std::nullopt;
    }
  }
  return found;
}

void WeightScaler::Want(const ChannelWeights& weights, std::span<const float> scale) {
  Wish& wish = wishes_[weights.weight->name()];
  if (wish.count++ == 0) wish.scale.assign(scale.begin(), scale.end());
  wish.same &= std::equal(wish.scale.begin(), wish.scale.end(), scale.begin(), scale.end());
}

bool WeightScaler::MayScale(const ChannelWeights& weights) const {
  constexpr uint64_t kSmall = 256;  // elements
  const std::string& name = weights.weight->name();
  const Wish& wish = wishes_.at(name);
  const size_t readers = view_.Uses(name).size();
  const bool alone = readers == 1 || (wish.same && wish.count == readers);
  return alone || ElementCount(*weights.weight) < kSmall;
}

std::string WeightScaler::Scale(const ChannelWeights& weights, std::span<const float> scale,
                                const std::string& wanted, std::vector<onnx::TensorProto>* made) {
  Wish& wish = wishes_.at(weights.weight->name());
  if (wish.same && !wish.made.empty()) return wish.made;
  std::string name = names_.Make(wanted);
  made->push_back(Scaled(weights, scale, name));
  wish.made = name;
  return name;
}

bool StaysFinite(const Model& model, const ChannelWeights& weights, std::span<const float> scale,
                 std::span<const float> bias) {
  const bool half = weights.weight->data_type() == onnx::TensorProto::FLOAT16;
  const float most = half ? 65519.0f : std::numeric_limits<float>::max();  // rounds to 65504
  const auto fits = [&](float value) { return std::abs(value) <= most; };
  if (!std::all_of(bias.begin(), bias.end(), fits)) return false;
  constexpr float kHarmless = 1e8f;  // times any weight that is one
  if (!half && std::all_of(scale.begin(), scale.end(),
                           [](float factor) { return std::abs(factor) < kHarmless; })) {
    return true;
  }
  bool finite = true;
  model.tensors().VisitFloats(*weights.weight, [&](uint64_t first, std::span<const float> window) {
    for (size_t i = 0; i < window.size(); ++i) {
      finite &= !fits(window[i]) || fits(window[i] * scale[weights.ChannelOf(first + i)]);
    }
  });
  return finite;
}

onnx::TensorProto WeightScaler::Scaled(const ChannelWeights& weights, std::span<const float> scale,
                                       const std::string& name) {
  const onnx::TensorProto& weight = *weights.weight;
  const int32_t type = weight.data_type();
  onnx::TensorProto scaled =
      EmptyTensor(name, type, std::vector<int64_t>(weight.dims().begin(), weight.dims().end()));
  TensorStore& store = model_.tensors();
  TensorStore::Writer writer = store.Begin(&scaled, store.ByteSize(weight));
  std::vector<float> values;
  std::vector<uint8_t> bytes;
  store.VisitFloats(weight, [&](uint64_t first, std::span<const float> window) {
    values.assign(window.begin(), window.end());
    for (size_t i = 0; i < values.size();) {  // runs of one channel
      const uint64_t at = first + i;
      const uint64_t channel = weights.ChannelOf(at);
      const size_t end = std::min<uint64_t>(values.size(), i + weights.inner - at % weights.inner);
      for (; i < end; ++i) values[i] *= scale[channel];
    }
    AppendAs(type, values, &bytes);
    writer.Append(bytes);
  });
  return scaled;
}

onnx::TensorProto NewBias(Model& model, const ChannelWeights& weights,
                          std::span<const float> values, const std::string& name) {
  const int32_t type = weights.weight->data_type();
  onnx::TensorProto bias = EmptyTensor(name, type, std::vector<int64_t>{weights.channels});
  std::vector<uint8_t> bytes;
  AppendAs(type, values, &bytes);
  model.tensors().SetBytes(&bias, bytes);
  return bias;
}

int OnlyReader(const GraphView& view, std::string_view tensor) {
  const std::vector<Use>& uses = view.Uses(tensor);
  if (uses.size() != 1 || uses[0].input < 0 || view.IsGraphOutput(tensor)) return -1;
  return uses[0].node;
}

}  // namespace ptq
