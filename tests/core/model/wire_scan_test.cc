#include "model/wire_scan.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "model/external_data.h"
#include "model/tensor_builder.h"
#include "model/wire_format.h"
#include "testing/model_text.h"

namespace ptq {
namespace {

using onnx::TensorProto;
using wire::AppendBytes;
using wire::AppendVarint;

onnx::ModelProto Scanned(MemoryFiles* files) {
  const std::string skeleton = ScanModelFile(files);
  onnx::ModelProto proto;
  EXPECT_TRUE(proto.ParseFromString(skeleton));
  return proto;
}

onnx::ModelProto Scanned(const onnx::ModelProto& model) {
  MemoryFiles files(Serialize(model));
  return Scanned(&files);
}

onnx::ModelProto SmallModel() {
  return ParseModelText(R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[2] x) => (float[2] y) { y = Relu(x) })");
}

TensorProto Raw(const std::string& name, int32_t type, const std::vector<int64_t>& dims,
                size_t bytes) {
  return RawTensor(name, type, dims, std::vector<uint8_t>(bytes, 5));
}

ErrorCode CodeOf(const std::string& bytes, std::string* message = nullptr,
                 std::string* hint = nullptr) {
  MemoryFiles files(bytes);
  try {
    ScanModelFile(&files);
  } catch (const Error& error) {
    if (message != nullptr) *message = error.message();
    if (hint != nullptr) *hint = error.hint();
    return error.code();
  }
  ADD_FAILURE() << "no error";
  return ErrorCode::kInternal;
}

TEST(WireScan, LiftsRawDataFromTheLimitOnAndPointsAtItsBytes) {
  onnx::ModelProto model = SmallModel();
  *model.mutable_graph()->add_initializer() = Raw("small", TensorProto::FLOAT, {255}, 1020);
  *model.mutable_graph()->add_initializer() = Raw("large", TensorProto::FLOAT, {256}, 1024);
  model.mutable_graph()->mutable_initializer(1)->mutable_raw_data()->replace(0, 4, "HEAD");
  const std::string bytes = Serialize(model);
  const onnx::ModelProto scanned = Scanned(model);
  EXPECT_FALSE(IsExternal(scanned.graph().initializer(0)));
  const TensorProto& large = scanned.graph().initializer(1);
  ASSERT_TRUE(IsExternal(large));
  EXPECT_FALSE(large.has_raw_data());
  EXPECT_EQ(large.name(), "large");
  const ExternalRange range = ExternalRangeOf(large);
  EXPECT_EQ(range.location, kModelFile);
  EXPECT_EQ(range.length, 1024u);
  EXPECT_EQ(bytes.substr(range.offset, 4), "HEAD");
}

TEST(WireScan, WhatIsNotLiftedComesThroughUnchanged) {
  onnx::ModelProto model = SmallModel();
  AddFloats(model.mutable_graph(), "f", {3}, {1, 2, 3});
  model.set_producer_name("test");
  EXPECT_EQ(Serialize(Scanned(model)), Serialize(model));
}

TEST(WireScan, ShapeLikeTensorsStayUpTo64KiB) {
  onnx::ModelProto model = SmallModel();
  onnx::GraphProto* graph = model.mutable_graph();
  *graph->add_initializer() = Raw("shape", TensorProto::INT64, {8192}, 65536);
  *graph->add_initializer() = Raw("too_long", TensorProto::INT64, {8193}, 65544);
  *graph->add_initializer() = Raw("matrix", TensorProto::INT64, {64, 128}, 65536);
  *graph->add_initializer() = Raw("ints", TensorProto::INT32, {1024}, 4096);
  *graph->add_initializer() = Raw("bytes", TensorProto::INT8, {4096}, 4096);
  const onnx::ModelProto scanned = Scanned(model);
  std::string lifted;
  for (const TensorProto& tensor : scanned.graph().initializer()) {
    if (IsExternal(tensor)) lifted += tensor.name() + " ";
  }
  EXPECT_EQ(lifted, "too_long matrix bytes ");
  EXPECT_EQ(scanned.graph().initializer(0).raw_data(), std::string(65536, 5));
}

TEST(WireScan, FindsTensorsInAttributesSubgraphsFunctionsAndSparseTensors) {
  onnx::ModelProto model = SmallModel();
  onnx::NodeProto* node = model.mutable_graph()->mutable_node(0);
  const TensorProto data = Raw("t", TensorProto::FLOAT, {512}, 2048);
  *node->add_attribute()->mutable_t() = data;
  *node->add_attribute()->add_tensors() = data;
  *node->add_attribute()->mutable_g()->add_initializer() = data;
  onnx::GraphProto* inner = node->add_attribute()->add_graphs();
  *inner->add_node()->add_attribute()->mutable_t() = data;
  *node->add_attribute()->mutable_sparse_tensor()->mutable_values() = data;
  *model.mutable_graph()->add_sparse_initializer()->mutable_indices() = data;
  *model.add_functions()->add_node()->add_attribute()->mutable_t() = data;
  const onnx::ModelProto scanned = Scanned(model);
  const onnx::NodeProto& found = scanned.graph().node(0);
  EXPECT_TRUE(IsExternal(found.attribute(0).t()));
  EXPECT_TRUE(IsExternal(found.attribute(1).tensors(0)));
  EXPECT_TRUE(IsExternal(found.attribute(2).g().initializer(0)));
  EXPECT_TRUE(IsExternal(found.attribute(3).graphs(0).node(0).attribute(0).t()));
  EXPECT_TRUE(IsExternal(found.attribute(4).sparse_tensor().values()));
  EXPECT_TRUE(IsExternal(scanned.graph().sparse_initializer(0).indices()));
  EXPECT_TRUE(IsExternal(scanned.functions(0).node(0).attribute(0).t()));
}

TEST(WireScan, LargePackedFloatDataIsLiftedToo) {
  onnx::ModelProto model = SmallModel();
  AddFloats(model.mutable_graph(), "w", {1 << 18}, SomeFloats(1 << 18));
  MemoryFiles files(Serialize(model));
  const onnx::ModelProto scanned = Scanned(&files);
  const TensorProto& w = scanned.graph().initializer(0);
  ASSERT_TRUE(IsExternal(w));
  EXPECT_EQ(w.float_data_size(), 0);
  EXPECT_EQ(TensorStore(&files).ReadFloats(w), SomeFloats(1 << 18));
}

TEST(WireScan, TheOrderOfATensorsFieldsDoesNotMatter) {
  for (const auto& [type, lifted] :
       {std::pair{TensorProto::FLOAT, true}, std::pair{TensorProto::INT64, false}}) {
    std::string tensor;
    AppendBytes(&tensor, wire::kRawData, std::string(2048, 1));
    constexpr uint32_t kName = 8;
    AppendBytes(&tensor, kName, "w");
    AppendVarint(&tensor, wire::Tag(wire::kDataType, wire::kVarint));
    AppendVarint(&tensor, static_cast<uint64_t>(type));
    std::string dims, graph, model;
    AppendVarint(&dims, type == TensorProto::FLOAT ? 512 : 256);
    AppendBytes(&tensor, wire::kDims, dims);  // packed
    AppendBytes(&graph, 5, tensor);
    AppendBytes(&model, 7, graph);
    MemoryFiles files(model);
    const onnx::ModelProto scanned = Scanned(&files);
    const TensorProto& w = scanned.graph().initializer(0);
    EXPECT_EQ(IsExternal(w), lifted);
    EXPECT_EQ(TensorStore(&files).ByteSize(w), 2048u);
    EXPECT_EQ(w.name(), "w");
  }
}

TEST(WireScan, TheLastOfSeveralRawDataFieldsCountsAndGraphsAreMerged) {
  std::string tensor, graph, model;
  AppendBytes(&tensor, wire::kRawData, std::string(4096, 'a'));
  AppendBytes(&tensor, wire::kRawData, std::string(3, 'b'));
  AppendBytes(&graph, 5, tensor);
  AppendBytes(&model, 7, graph);
  AppendBytes(&model, 7, graph);
  MemoryFiles files(model);
  const onnx::ModelProto scanned = Scanned(&files);
  ASSERT_EQ(scanned.graph().initializer_size(), 2);
  EXPECT_EQ(scanned.graph().initializer(1).raw_data(), "bbb");
}

TEST(WireScan, UnknownFieldsAndGroupsAreKept) {
  std::string graph, model;
  AppendBytes(&graph, 2, "g");
  AppendBytes(&graph, 900, "future");
  AppendVarint(&graph, wire::Tag(901, wire::kStartGroup));
  AppendVarint(&graph, wire::Tag(1, wire::kVarint));
  AppendVarint(&graph, 5);
  AppendVarint(&graph, wire::Tag(901, wire::kEndGroup));
  AppendVarint(&graph, wire::Tag(902, wire::kFixed64));
  graph += "12345678";
  AppendVarint(&graph, wire::Tag(903, wire::kFixed32));
  graph += "1234";
  AppendBytes(&model, 7, graph);
  MemoryFiles files(model);
  EXPECT_EQ(ScanModelFile(&files), model);
  EXPECT_EQ(Serialize(Scanned(&files)), model);
}

TEST(WireScan, ReadsLessThanOneMegabyteOfA64MegabyteModel) {
  onnx::ModelProto model = SmallModel();
  for (int i = 0; i < 64; ++i) {
    *model.mutable_graph()->add_initializer() =
        Raw("w" + std::to_string(i), TensorProto::FLOAT, {512, 512}, 1 << 20);
  }
  MemoryFiles files(Serialize(model));
  const onnx::ModelProto scanned = Scanned(&files);
  EXPECT_EQ(scanned.graph().initializer_size(), 64);
  EXPECT_LT(files.bytes_read(), 1u << 20);
  EXPECT_LE(files.largest_read(), 64u << 10);
}

TEST(WireScan, AFileCutAnywhereIsReportedAndNeverCrashes) {
  onnx::ModelProto model = SmallModel();
  *model.mutable_graph()->add_initializer() = Raw("w", TensorProto::FLOAT, {512}, 2048);
  const std::string bytes = Serialize(model);
  const size_t graph_begin = bytes.find('\x3A');
  std::string message, hint;
  EXPECT_EQ(CodeOf(bytes.substr(0, graph_begin + 100), &message, &hint),
            ErrorCode::kTruncatedModel);
  EXPECT_EQ(message.find("The model file ends inside graph: at least "), 0u) << message;
  EXPECT_NE(hint.find("cut short"), std::string::npos);
  for (size_t size = 0; size < bytes.size(); ++size) {
    MemoryFiles files(bytes.substr(0, size));
    try {
      ScanModelFile(&files);  // a cut between two fields leaves valid protobuf
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kTruncatedModel) << size;
    }
  }
}

TEST(WireScan, OtherFilesAreNamed) {
  std::string message, hint;
  EXPECT_EQ(CodeOf("", &message), ErrorCode::kTruncatedModel);
  EXPECT_EQ(message, "The model file is empty.");
  EXPECT_EQ(CodeOf("\xFF\xD8\xFF\xE0 JFIF and so on", &message), ErrorCode::kInvalidModel);
  EXPECT_EQ(message, "The file is not an ONNX model but a JPEG image.");
  EXPECT_EQ(CodeOf("version https://git-lfs.github.com/spec/v1\noid sha256:…", &message, &hint),
            ErrorCode::kInvalidModel);
  EXPECT_NE(hint.find("git lfs pull"), std::string::npos);
  EXPECT_EQ(CodeOf("just some words, nothing else\n", &message), ErrorCode::kInvalidModel);
  EXPECT_EQ(message, "The file is not an ONNX model but a text file.");
  EXPECT_EQ(CodeOf("<!DOCTYPE html><html>not found</html>", &message), ErrorCode::kInvalidModel);
  EXPECT_EQ(message, "The file is not an ONNX model but a web page.");
  EXPECT_EQ(CodeOf(std::string("\x1c\0\0\0TFL3", 8), &message), ErrorCode::kInvalidModel);
  EXPECT_EQ(message, "The file is not an ONNX model but a TensorFlow Lite model.");
}

TEST(WireScan, MalformedBytesSayWhereTheyAre) {
  std::string graph, model, message;
  AppendVarint(&graph, wire::Tag(5, wire::kBytes));
  AppendVarint(&graph, 1000);  // longer than the graph
  AppendBytes(&model, 7, graph);
  EXPECT_EQ(CodeOf(model, &message), ErrorCode::kInvalidModel);
  EXPECT_NE(message.find("inside graph"), std::string::npos) << message;
  EXPECT_EQ(CodeOf(std::string("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 13)),
            ErrorCode::kInvalidModel);  // varint of 12 bytes
  EXPECT_EQ(CodeOf(std::string("\x08\x08\x00\x01", 4)), ErrorCode::kInvalidModel);  // field 0
  EXPECT_EQ(CodeOf("\x08\x08\x3E"), ErrorCode::kInvalidModel);                      // wire type 6
  EXPECT_EQ(CodeOf("\x08\x08\xAC\x06"), ErrorCode::kInvalidModel);  // end of no group
}

TEST(WireScan, NestingBeyondProtobufsLimitIsRefusedNotFollowed) {
  std::string body;
  for (int i = 0; i < 200; ++i) {  // graph in attribute in node in graph …
    std::string attribute, node, graph;
    AppendBytes(&attribute, 6, body);
    AppendBytes(&node, 5, attribute);
    AppendBytes(&graph, 1, node);
    body = graph;
  }
  std::string model("\x08\x08"), message;
  AppendBytes(&model, 7, body);
  EXPECT_EQ(CodeOf(model, &message), ErrorCode::kInvalidModel);
  EXPECT_NE(message.find("nested too deeply"), std::string::npos) << message;

  std::string groups;
  for (int i = 0; i < 100000; ++i) AppendVarint(&groups, wire::Tag(900, wire::kStartGroup));
  EXPECT_EQ(CodeOf(groups), ErrorCode::kInvalidModel);
}

}  // namespace
}  // namespace ptq
