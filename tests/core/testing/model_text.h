// Models as ONNX text, the form in which tests state what goes in and what comes out:
//
//   <ir_version: 8, opset_import: ["" : 13]>
//   g (float[1,3,8,8] x) => (float[1,4,8,8] y) <float[4,3,1,1] w = {…}> { y = Conv(x, w) }
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/model.h"
#include "onnx/onnx_pb.h"
#include "testing/memory_files.h"

namespace ptq {

// Parses ONNX text; throws std::invalid_argument with the parser's message, so that a typo in a
// test names its line.
onnx::ModelProto ParseModelText(const std::string& text);
onnx::GraphProto ParseGraphText(const std::string& text);

// A model on a MemoryFiles of its own (for scratch and output). Outlives nothing: keep it as a
// local.
struct TextModel {
  explicit TextModel(const std::string& text);
  explicit TextModel(onnx::ModelProto proto);
  MemoryFiles files;
  Model model;
};

// The same model, on files that the test owns.
Model ModelFromText(const std::string& text, Files* files);

// ONNX text of a whole model, a graph or one node.
std::string TextOf(const Model& model);
std::string TextOf(const onnx::ModelProto& model);
std::string TextOf(const onnx::GraphProto& graph);
std::string TextOf(const onnx::NodeProto& node);

// "Conv Relu MaxPool": the op types in order, and the same for names.
std::string OpTypes(const onnx::GraphProto& graph);
std::string NodeNames(const onnx::GraphProto& graph);

// Serialized bytes, as onnx writes them.
std::string Serialize(const onnx::ModelProto& model);

// Adds an initializer to the graph and returns it. The first form uses float_data, the others
// raw_data.
onnx::TensorProto* AddFloats(onnx::GraphProto* graph, const std::string& name,
                             const std::vector<int64_t>& dims, const std::vector<float>& values);
onnx::TensorProto* AddRawFloats(onnx::GraphProto* graph, const std::string& name,
                                const std::vector<int64_t>& dims, const std::vector<float>& values);
onnx::TensorProto* AddInts(onnx::GraphProto* graph, const std::string& name,
                           const std::vector<int64_t>& dims, const std::vector<int64_t>& values);

// The graph's initializer of that name; throws std::invalid_argument where there is none.
const onnx::TensorProto& InitializerOf(const onnx::GraphProto& graph, std::string_view name);

// `count` floats in (-1, 1) from a fixed generator: the same on every machine.
std::vector<float> SomeFloats(size_t count, uint32_t seed = 1);

}  // namespace ptq
