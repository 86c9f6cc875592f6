#include "testing/model_text.h"

#include <cstring>
#include <random>
#include <sstream>
#include <stdexcept>

#include "model/tensor_builder.h"
#include "onnx/defs/parser.h"
#include "onnx/defs/printer.h"

namespace ptq {
namespace {

template <typename Proto>
Proto Parse(const std::string& text) {
  Proto proto;
  onnx::OnnxParser parser(text.c_str());
  const auto status = parser.Parse(proto);
  if (!status.IsOK()) throw std::invalid_argument("ONNX text: " + status.ErrorMessage());
  if (!parser.EndOfInput()) throw std::invalid_argument("ONNX text: something follows its end");
  return proto;
}

template <typename Get>
std::string Joined(const onnx::GraphProto& graph, Get get) {
  std::string joined;
  for (const onnx::NodeProto& node : graph.node()) {
    if (!joined.empty()) joined += ' ';
    joined += get(node);
  }
  return joined;
}

}  // namespace

onnx::ModelProto ParseModelText(const std::string& text) { return Parse<onnx::ModelProto>(text); }
onnx::GraphProto ParseGraphText(const std::string& text) { return Parse<onnx::GraphProto>(text); }

TextModel::TextModel(const std::string& text) : TextModel(ParseModelText(text)) {}
TextModel::TextModel(onnx::ModelProto proto) : model(std::move(proto), &files) {}

Model ModelFromText(const std::string& text, Files* files) {
  return Model(ParseModelText(text), files);
}

std::string TextOf(const Model& model) { return TextOf(model.proto()); }
std::string TextOf(const onnx::ModelProto& model) { return onnx::ProtoToString(model); }
std::string TextOf(const onnx::GraphProto& graph) { return onnx::ProtoToString(graph); }
std::string TextOf(const onnx::NodeProto& node) { return onnx::ProtoToString(node); }

std::string OpTypes(const onnx::GraphProto& graph) {
  return Joined(graph, [](const onnx::NodeProto& node) { return node.op_type(); });
}

std::string NodeNames(const onnx::GraphProto& graph) {
  return Joined(graph, [](const onnx::NodeProto& node) { return node.name(); });
}

std::string Serialize(const onnx::ModelProto& model) { return model.SerializeAsString(); }

onnx::TensorProto* AddFloats(onnx::GraphProto* graph, const std::string& name,
                             const std::vector<int64_t>& dims, const std::vector<float>& values) {
  onnx::TensorProto* tensor = graph->add_initializer();
  *tensor = FloatTensor(name, dims, values);
  return tensor;
}

onnx::TensorProto* AddRawFloats(onnx::GraphProto* graph, const std::string& name,
                                const std::vector<int64_t>& dims,
                                const std::vector<float>& values) {
  onnx::TensorProto* tensor = graph->add_initializer();
  const auto* bytes = reinterpret_cast<const uint8_t*>(values.data());
  *tensor = RawTensor(name, onnx::TensorProto::FLOAT, dims, {bytes, values.size() * sizeof(float)});
  return tensor;
}

onnx::TensorProto* AddInts(onnx::GraphProto* graph, const std::string& name,
                           const std::vector<int64_t>& dims, const std::vector<int64_t>& values) {
  onnx::TensorProto* tensor = graph->add_initializer();
  const auto* bytes = reinterpret_cast<const uint8_t*>(values.data());
  *tensor =
      RawTensor(name, onnx::TensorProto::INT64, dims, {bytes, values.size() * sizeof(int64_t)});
  return tensor;
}

const onnx::TensorProto& InitializerOf(const onnx::GraphProto& graph, std::string_view name) {
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    if (tensor.name() == name) return tensor;
  }
  throw std::invalid_argument("no initializer " + std::string(name));
}

std::vector<float> SomeFloats(size_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(count);
  // Not std::uniform_real_distribution: its results differ between standard libraries.
  for (float& value : values) {
    value = static_cast<float>(static_cast<int32_t>(generator())) / 2147483648.0f;
  }
  return values;
}

}  // namespace ptq
