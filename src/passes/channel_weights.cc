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

// [channels], or what Gemm and Add broadcast to it: [1, channels] up to `highest_rank`, one value.
bool IsBias(const onnx::TensorProto& tensor, const onnx::TensorProto& weight, int64_t channels,
            int highest_rank) {
  if (tensor.data_type() != weight.data_type() || tensor.dims_size() > highest_rank) return false;
  const uint64_t count = ElementCount(tensor);
  const int rank = tensor.dims_size();
  return count == 1 || (rank > 0 && tensor.dims(rank - 1) == channels &&
                        count == static_cast<uint64_t>(channels));
}

bool FillConv(const onnx::NodeProto& node, ChannelWeights* out) {
  const onnx::TensorProto& weight = *out->weight;
  const int64_t groups = IntAttribute(node, "group", 1);
  const bool transposed = IsOp(node, "ConvTranspose");
  if (weight.dims_size() < 3 || groups < 1 || weight.dims(0) % groups != 0) return false;
  const uint64_t size = Product(weight, 0);
  const ChannelLayout first = {weight.dims(0), Product(weight, 1),
                               static_cast<uint64_t>(weight.dims(0)), size};
  const ChannelLayout second = {weight.dims(1) * groups, Product(weight, 2),
                                static_cast<uint64_t>(weight.dims(1)),
                                size / static_cast<uint64_t>(groups)};
  out->outputs = transposed ? second : first;  // [inputs, outputs / group, kernel…]
  out->inputs = transposed ? first : second;   // [outputs, inputs / group, kernel…]
  return true;
}

bool FillMatrix(const onnx::NodeProto& node, ChannelWeights* out) {
  const onnx::TensorProto& weight = *out->weight;
  if (weight.dims_size() != 2 || FloatAttribute(node, "beta", 1.0f) != 1.0f) return false;
  const bool transposed = IntAttribute(node, "transB", 0) != 0;
  const uint64_t size = Product(weight, 0);
  const ChannelLayout rows = {weight.dims(0), Product(weight, 1),
                              static_cast<uint64_t>(weight.dims(0)), size};
  const ChannelLayout columns = {weight.dims(1), 1, static_cast<uint64_t>(weight.dims(1)), size};
  out->outputs = transposed ? rows : columns;
  out->inputs = transposed ? columns : rows;
  return true;
}

// A MatMul has its bias in an Add behind it.
void FindAdder(const GraphView& view, const onnx::NodeProto& node, ChannelWeights* out) {
  const int reader = OnlyReader(view, node.output(0));
  if (reader < 0 || !IsOp(view.node(reader), "Add")) return;
  const onnx::NodeProto& add = view.node(reader);
  const onnx::TensorProto* bias = ConstantOf(view, add.input(add.input(0) == node.output(0)));
  // Of rank 1, so that it lies along the channels whatever the rank of the product.
  if (bias == nullptr || !IsBias(*bias, *out->weight, out->outputs.channels, 1)) return;
  out->bias = bias;
  out->adder = reader;
}

}  // namespace

std::optional<ChannelWeights> FindChannelWeights(const GraphView& view,
                                                 const onnx::NodeProto& node) {
  const bool convolves = IsOp(node, "Conv") || IsOp(node, "ConvTranspose");
  const bool multiplies = IsOp(node, "MatMul");
  if (!convolves && !multiplies && !IsOp(node, "Gemm")) return std::nullopt;
  ChannelWeights found{};
  found.weight = HasInput(node, 1) ? ConstantOf(view, node.input(1)) : nullptr;
  if (found.weight == nullptr || node.output_size() != 1) return std::nullopt;
  const int32_t type = found.weight->data_type();
  if (type != onnx::TensorProto::FLOAT && type != onnx::TensorProto::FLOAT16) return std::nullopt;
  if (ElementCount(*found.weight) == 0) return std::nullopt;
  if (!(convolves ? FillConv(node, &found) : FillMatrix(node, &found))) return std::nullopt;
  if (multiplies) {
    FindAdder(view, node, &found);
  } else if (HasInput(node, 2)) {
    found.bias = ConstantOf(view, node.input(2));
    const int64_t channels = found.outputs.channels;
    if (found.bias == nullptr || !IsBias(*found.bias, *found.weight, channels, 2)) {
      return std::nullopt;
    }
    if (convolves && (found.bias->dims_size() != 1 || found.bias->dims(0) != channels)) {
      return std::nullopt;
    }
  }
  return found;
}

std::vector<float> ReadBias(const Model& model, const ChannelWeights& weights) {
  std::vector<float> values = model.tensors().ReadFloats(*weights.bias);
  // Not values.assign(n, values[0]): libc++ frees the elements before it reads its argument.
  if (values.size() != 1) return values;
  return std::vector<float>(static_cast<size_t>(weights.outputs.channels), values[0]);
}

void WeightScaler::Want(const onnx::TensorProto& weight, const ChannelLayout& layout,
                        std::span<const float> scale) {
  Wish& wish = wishes_[weight.name()];
  if (wish.count++ == 0) {
    wish.layout = layout;
    wish.scale.assign(scale.begin(), scale.end());
  }
  wish.same &= wish.layout == layout &&
               std::equal(wish.scale.begin(), wish.scale.end(), scale.begin(), scale.end());
}

bool WeightScaler::MayScale(const onnx::TensorProto& weight) const {
  const Wish& wish = wishes_.at(weight.name());
  return IsFree(weight) || (wish.same && wish.count == view_.Uses(weight.name()).size());
}

bool WeightScaler::IsFree(const onnx::TensorProto& weight) const {
  constexpr uint64_t kSmall = 256;  // elements
  return view_.Uses(weight.name()).size() == 1 || ElementCount(weight) < kSmall;
}

std::string WeightScaler::Scale(const onnx::TensorProto& weight, const ChannelLayout& layout,
                                std::span<const float> scale, const std::string& wanted,
                                std::vector<onnx::TensorProto>* made) {
  Wish& wish = wishes_.at(weight.name());
  if (wish.same && !wish.made.empty()) return wish.made;
  std::string name = names_.Make(wanted);
  made->push_back(Scaled(weight, layout, scale, name));
  wish.made = name;
  return name;
}

bool StaysInRange(const Model& model, const onnx::TensorProto& weight, const ChannelLayout& layout,
                  std::span<const float> scale, std::span<const float> bias) {
  const bool half = weight.data_type() == onnx::TensorProto::FLOAT16;
  const float most = half ? 65519.0f : std::numeric_limits<float>::max();  // rounds to 65504
  const auto fits = [&](float value) { return std::abs(value) <= most; };
  if (!std::all_of(bias.begin(), bias.end(), fits)) return false;
  constexpr float kHarmless = 1e8f;  // times any weight that is one
  if (!half && std::all_of(scale.begin(), scale.end(),
                           [](float factor) { return std::abs(factor) < kHarmless; })) {
    return true;
  }
  bool finite = true;
  std::vector<float> before(scale.size(), 0.0f);  // the largest of each channel
  std::vector<float> after(scale.size(), 0.0f);
  model.tensors().VisitFloats(weight, [&](uint64_t first, std::span<const float> window) {
    for (size_t i = 0; i < window.size(); ++i) {
      const uint64_t channel = layout.ChannelOf(first + i);
      const float scaled = window[i] * scale[channel];
      finite &= !fits(window[i]) || fits(scaled);
      before[channel] = std::max(before[channel], std::abs(window[i]));
      after[channel] = std::max(after[channel], std::abs(scaled));
    }
  });
  constexpr float kSmallestNormal = 1.0f / (1 << 14);
  for (size_t c = 0; half && c < after.size(); ++c) {
    finite &= after[c] == 0.0f || after[c] >= kSmallestNormal || before[c] < kSmallestNormal;
  }
  return finite;
}

onnx::TensorProto WeightScaler::Scaled(const onnx::TensorProto& weight, const ChannelLayout& layout,
                                       std::span<const float> scale, const std::string& name) {
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
      const uint64_t channel = layout.ChannelOf(at);
      const size_t end = std::min<uint64_t>(values.size(), i + layout.inner - at % layout.inner);
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
  onnx::TensorProto bias = EmptyTensor(name, type, std::vector<int64_t>{weights.outputs.channels});
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
