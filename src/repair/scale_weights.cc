#include "repair/scale_weights.h"

#include <algorithm>
#include <span>

#include "model/tensor_builder.h"

namespace ptq {

bool ChannelFactors::are_one() const {
  const auto is_one = [](float factor) { return factor == 1; };
  return std::all_of(out.begin(), out.end(), is_one) && std::all_of(in.begin(), in.end(), is_one);
}

onnx::TensorProto ScaledWeight(const LinearLayer& layer, const ChannelFactors& factors,
                               TensorStore* tensors) {
  const onnx::TensorProto& weight = *layer.weight;
  onnx::TensorProto scaled =
      EmptyTensor(weight.name(), weight.data_type(),
                  std::vector<int64_t>(weight.dims().begin(), weight.dims().end()));
  TensorStore::Writer writer = tensors->Begin(&scaled, ElementCount(weight) * sizeof(float));
  std::vector<float> values;
  tensors->VisitFloats(weight, [&](uint64_t first, std::span<const float> window) {
    values.assign(window.begin(), window.end());
    for (size_t i = 0; i < values.size(); ++i) {
      const LinearLayer::Place place = layer.PlaceOf(first + i);
      values[i] *= factors.out[place.output] * factors.in[place.input];
    }
    writer.Append({reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)});
  });
  return scaled;
}

}  // namespace ptq
