#include "quantization/rewrite_tools.h"

#include <bit>
#include <utility>

#include "base/error.h"
#include "base/float16.h"
#include "model/tensor_builder.h"
#include "model/topological_sort.h"
#include "quantization/weights.h"

namespace ptq {

InitializerAdder::InitializerAdder(onnx::GraphProto* graph) : graph_(graph) {
  for (const onnx::TensorProto& initializer : graph->initializer()) {
    names_.insert(initializer.name());
  }
}

void InitializerAdder::Add(onnx::TensorProto tensor) {
  if (!names_.insert(tensor.name()).second) {
    throw Error(ErrorCode::kInternal, "Two initializers would have the same name.")
        .WithTensor(tensor.name());
  }
  *graph_->add_initializer() = std::move(tensor);
}

const ParameterNames::Pair& ParameterNames::Add(const TensorPlan& tensor) {
  const std::string& owner = tensor.shares_with.empty() ? tensor.tensor : tensor.shares_with;
  return Add(owner, tensor.shares_converted ? "_convert" : "", tensor.params);
}

const ParameterNames::Pair& ParameterNames::AddConverted(const TensorPlan& tensor) {
  return Add(tensor.tensor, "_convert", tensor.convert->params);
}

const ParameterNames::Pair& ParameterNames::Add(const std::string& owner, const std::string& suffix,
                                                const QuantParams& params) {
  const std::string key = suffix + '\n' + owner;
  const auto found = pairs_.find(key);
  if (found != pairs_.end()) return found->second;
  Pair pair{names_->Make(owner + "_scale" + suffix), names_->Make(owner + "_zero_point" + suffix)};
  adder_->Add(ZeroPointTensor(pair.zero_point, params));
  adder_->Add(ScaleTensor(pair.scale, params));
  return pairs_.emplace(key, std::move(pair)).first->second;
}

QuantizedBias ComputeBias(const Model& model, const onnx::TensorProto& bias,
                          const std::vector<float>& input_scales,
                          const std::vector<float>& weight_scales, BiasFactors factors) {
  const std::vector<float> values = model.tensors().ReadFloats(bias);
  std::vector<float> scales = weight_scales;
  if (scales.size() > 1 && bias.dims_size() > 0) {
    const auto channels = static_cast<size_t>(bias.dims(bias.dims_size() - 1));
    for (size_t i = scales.size(); i < channels; ++i)
      scales.push_back(scales[i % weight_scales.size()]);
  }
  return QuantizeBias(values, FloatTypeOf(bias), input_scales[0], scales, factors);
}

onnx::TensorProto BiasValues(const std::string& name, const onnx::TensorProto& bias,
                             const QuantizedBias& quantized, TensorStore* tensors) {
  onnx::TensorProto tensor = EmptyTensor(
      name, onnx::TensorProto::INT32, std::vector<int64_t>(bias.dims().begin(), bias.dims().end()));
  tensors->SetBytes(&tensor, {reinterpret_cast<const uint8_t*>(quantized.values.data()),
                              quantized.values.size() * sizeof(int32_t)});
  return tensor;
}

onnx::TensorProto BiasScales(const std::string& name, const QuantizedBias& quantized) {
  std::vector<int64_t> dims;
  if (quantized.scales.size() > 1) dims.push_back(static_cast<int64_t>(quantized.scales.size()));
  std::vector<uint8_t> bytes;
  for (const float scale : quantized.scales) {
    uint32_t bits = std::bit_cast<uint32_t>(scale);
    int width = 4;
    if (quantized.scale_type == FloatType::kFloat16) {
      bits = FloatToHalf(scale);
      width = 2;
    }
    for (int i = 0; i < width; ++i) bytes.push_back(static_cast<uint8_t>(bits >> (8 * i)));
  }
  return RawTensor(name,
                   quantized.scale_type == FloatType::kFloat16 ? onnx::TensorProto::FLOAT16
                                                               : onnx::TensorProto::FLOAT,
                   dims, bytes);
}

onnx::TensorProto BiasZeroPoints(const std::string& name, const QuantizedBias& quantized) {
  const size_t count = quantized.scales.size();
  if (count == 1) {
    return Int32FieldTensor(name, onnx::TensorProto::INT32, {}, std::vector<int32_t>{0});
  }
  const std::vector<int64_t> dims = {static_cast<int64_t>(count)};
  return RawTensor(name, onnx::TensorProto::INT32, dims,
                   std::vector<uint8_t>(count * sizeof(int32_t), 0));
}

void RemoveInitializers(onnx::GraphProto* graph, const std::unordered_set<std::string>& names) {
  const auto drop = [&names](auto* list) {
    int kept = 0;
    for (int i = 0; i < list->size(); ++i) {
      if (names.contains(list->Get(i).name())) continue;
      if (kept != i) list->SwapElements(kept, i);
      ++kept;
    }
    list->DeleteSubrange(kept, list->size() - kept);
  };
  drop(graph->mutable_initializer());
  drop(graph->mutable_input());
}

void RemoveStaleValueInfo(onnx::GraphProto* graph) {
  std::unordered_set<std::string> made;
  for (const onnx::NodeProto& node : graph->node()) {
    made.insert(node.output().begin(), node.output().end());
  }
  auto* list = graph->mutable_value_info();
  int kept = 0;
  for (int i = 0; i < list->size(); ++i) {
    if (!made.contains(list->Get(i).name())) continue;
    if (kept != i) list->SwapElements(kept, i);
    ++kept;
  }
  list->DeleteSubrange(kept, list->size() - kept);
}

void FinishModel(Model* model, Bodies bodies, bool remove_unused_initializers) {
  const std::vector<onnx::GraphProto*> graphs = GraphsOf(&model->graph(), bodies);
  if (remove_unused_initializers) {
    for (onnx::GraphProto* graph : graphs) RemoveUnusedInitializers(graph);
  }
  // From the inside out: sorting moves the bodies along with their nodes.
  for (auto graph = graphs.rbegin(); graph != graphs.rend(); ++graph) {
    RemoveStaleValueInfo(*graph);
    TopologicalSort(*graph);
  }
  model->proto().set_producer_name("onnx-ptq");
  model->proto().set_producer_version(PTQ_VERSION);
}

}  // namespace ptq
