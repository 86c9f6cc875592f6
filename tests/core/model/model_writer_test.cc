#include "model/model_writer.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "model/external_data.h"
#include "model/tensor_builder.h"
#include "testing/model_text.h"

namespace ptq {
namespace {

using onnx::TensorProto;

// A model with large tensors in every place that can hold one.
onnx::ModelProto FullModel() {
  onnx::ModelProto proto = ParseModelText(R"(
    <ir_version: 8, opset_import: ["" : 13], producer_name: "test">
    g (bool c, float[1] x) => (float[1] y) <float[3] s = {1.0, 2.0, 3.0}> {
      k = Constant<value_float = 1.0>()
      y = If(c) <then_branch = t () => (float[1] a) { a = Relu(x) },
                 else_branch = e () => (float[1] b) { b = Neg(x) }>
    })");
  onnx::GraphProto* graph = proto.mutable_graph();
  AddRawFloats(graph, "w1", {40, 40}, SomeFloats(1600, 1))->set_doc_string("kept");
  AddInts(graph, "shape", {300}, std::vector<int64_t>(300, 7));
  AddRawFloats(graph, "w2", {50000}, SomeFloats(50000, 2));
  AddRawFloats(graph, "w3", {257}, SomeFloats(257, 3));
  const TensorProto attribute = *graph->mutable_initializer(1);
  *graph->mutable_node(0)->mutable_attribute(0)->mutable_t() = attribute;
  AddRawFloats(graph->mutable_node(1)->mutable_attribute(0)->mutable_g(), "inner", {300},
               SomeFloats(300, 4));
  onnx::SparseTensorProto* sparse = graph->add_sparse_initializer();
  *sparse->mutable_values() = attribute;
  sparse->mutable_values()->set_name("sparse");
  onnx::FunctionProto* function = proto.add_functions();
  function->set_name("F");
  *function->add_node()->add_attribute()->mutable_t() = attribute;
  proto.add_metadata_props()->set_key("k");
  return proto;
}

TEST(ModelWriter, ReadingAndWritingGivesTheSameBytes) {
  const std::string bytes = Serialize(FullModel());
  MemoryFiles files(bytes);
  const Model model = Model::Load(&files);
  EXPECT_EQ(WriteModel(model, {}), bytes.size());
  EXPECT_TRUE(files.String(kOutputFile) == bytes);
}

TEST(ModelWriter, WritesDataFromScratchModelAndInlineIntoOneFile) {
  MemoryFiles files(Serialize(FullModel()));
  Model model = Model::Load(&files);
  TensorProto* added = model.graph().add_initializer();
  *added = EmptyTensor("added", TensorProto::UINT8, std::vector<int64_t>{2000});
  const std::vector<uint8_t> bytes(2000, 42);
  model.tensors().SetBytes(added, bytes);
  WriteModel(model, {});
  onnx::ModelProto written;
  ASSERT_TRUE(written.ParseFromString(files.String(kOutputFile)));
  onnx::ModelProto expected = FullModel();
  *expected.mutable_graph()->add_initializer() =
      RawTensor("added", TensorProto::UINT8, std::vector<int64_t>{2000}, bytes);
  EXPECT_TRUE(Serialize(written) == Serialize(expected));
}

TEST(ModelWriter, ReadsAndWritesInWindows) {
  onnx::ModelProto proto = FullModel();
  AddRawFloats(proto.mutable_graph(), "large", {2 << 20}, SomeFloats(2 << 20));
  const std::string bytes = Serialize(proto);
  MemoryFiles files(bytes);
  const Model model = Model::Load(&files);
  files.ResetCounters();
  WriteModel(model, {});
  EXPECT_TRUE(files.String(kOutputFile) == bytes);
  EXPECT_LE(files.largest_read(), 1u << 20);
  EXPECT_LE(files.largest_append(), 1u << 20);
}

TEST(ModelWriter, ExternalDataComesBackTheSame) {
  const std::string bytes = Serialize(FullModel());
  MemoryFiles files(bytes);
  const Model model = Model::Load(&files);
  const uint64_t size = WriteModel(model, {"out", "out.data", "m.onnx.data"});
  EXPECT_EQ(size, files.Size("out") + files.Size("out.data"));
  EXPECT_LT(files.Size("out"), 3000u);

  MemoryFiles again(files.String("out"));
  again.Put("m.onnx.data", files.Bytes("out.data"));
  const Model read = Model::Load(&again);
  WriteModel(read, {});
  EXPECT_TRUE(again.String(kOutputFile) == bytes);
}

TEST(ModelWriter, EachTensorMayGoToAFileOfItsOwn) {
  const std::string bytes = Serialize(FullModel());
  MemoryFiles files(bytes);
  WriteOptions options = {"out", "out.data", "m.onnx.data"};
  options.file_per_tensor = true;
  const uint64_t size = WriteModel(Model::Load(&files), options);
  EXPECT_FALSE(files.Has("out.data"));
  MemoryFiles again(files.String("out"));
  uint64_t sum = files.Size("out");
  int count = 0;
  while (files.Has("out.data." + std::to_string(count + 1))) {
    const std::string suffix = ".data." + std::to_string(++count);
    again.Put("m.onnx" + suffix, files.Bytes("out" + suffix));
    sum += files.Size("out" + suffix);
  }
  EXPECT_GT(count, 3);
  EXPECT_EQ(size, sum);
  onnx::ModelProto written;
  ASSERT_TRUE(written.ParseFromString(files.String("out")));
  EXPECT_EQ(ExternalRangeOf(InitializerOf(written.graph(), "w1")).offset, 0u);
  WriteModel(Model::Load(&again), {});
  EXPECT_TRUE(again.String(kOutputFile) == bytes);
}

TEST(ModelWriter, SmallerTensorsThanTheThresholdStayInTheModel) {
  onnx::ModelProto proto = FullModel();
  AddRawFloats(proto.mutable_graph(), "small", {2}, {1, 2});
  MemoryFiles files(Serialize(proto));
  const auto data_size = [&](uint64_t threshold) {
    WriteOptions options = {"out" + std::to_string(threshold), "data" + std::to_string(threshold),
                            "data", threshold};
    WriteModel(Model::Load(&files), options);
    const std::string& file = options.external_file;
    return files.Has(file) ? files.Size(file) : 0;
  };
  EXPECT_EQ(data_size(uint64_t{1} << 40), 0u);
  const uint64_t usual = data_size(1024);
  EXPECT_LT(data_size(5000), usual);
  EXPECT_LT(usual, data_size(0));
}

TEST(ModelWriter, ExternalTensorsAreThoseOf1024BytesAlignedAndOutsideOfTheModel) {
  MemoryFiles files(Serialize(FullModel()));
  WriteModel(Model::Load(&files), {"out", "out.data", "m.onnx.data"});
  onnx::ModelProto written;
  ASSERT_TRUE(written.ParseFromString(files.String("out")));
  const onnx::GraphProto& graph = written.graph();
  EXPECT_FALSE(IsExternal(InitializerOf(graph, "s")));
  uint64_t end = 0;
  const auto check = [&](const TensorProto& tensor, uint64_t length, uint64_t alignment) {
    ASSERT_TRUE(IsExternal(tensor)) << tensor.name();
    EXPECT_FALSE(tensor.has_raw_data());
    const ExternalRange range = ExternalRangeOf(tensor);
    EXPECT_EQ(range.location, "m.onnx.data");
    EXPECT_EQ(range.length, length);
    EXPECT_EQ(range.offset % alignment, 0u) << tensor.name();
    EXPECT_GE(range.offset, end);
    end = range.offset + length;
  };
  check(graph.node(0).attribute(0).t(), 6400, 16);
  check(graph.node(1).attribute(0).g().initializer(0), 1200, 16);
  check(InitializerOf(graph, "w1"), 6400, 16);
  check(InitializerOf(graph, "shape"), 2400, 16);
  check(InitializerOf(graph, "w2"), 200000, 4096);
  check(InitializerOf(graph, "w3"), 1028, 16);
  check(graph.sparse_initializer(0).values(), 6400, 16);
  check(written.functions(0).node(0).attribute(0).t(), 6400, 16);
  EXPECT_EQ(files.Size("out.data"), end);
  EXPECT_EQ(InitializerOf(graph, "w1").doc_string(), "kept");
}

TEST(ModelWriter, ASkeletonIsSmallAndRefersToTheModelFile) {
  const std::string bytes = Serialize(FullModel());
  MemoryFiles files(bytes);
  const Model model = Model::Load(&files);
  const uint64_t size = WriteSkeleton(model, "~skeleton");
  EXPECT_EQ(size, files.Size("~skeleton"));
  EXPECT_LT(files.Size("~skeleton"), 5000u);
  onnx::ModelProto skeleton;
  ASSERT_TRUE(skeleton.ParseFromString(files.String("~skeleton")));
  const ExternalRange range = ExternalRangeOf(InitializerOf(skeleton.graph(), "w2"));
  EXPECT_EQ(range.location, kModelFile);
  EXPECT_EQ(bytes.substr(range.offset, 200000),
            InitializerOf(FullModel().graph(), "w2").raw_data());
}

TEST(ModelWriter, MoreThan2GiBIsRefusedBeforeAnythingIsWritten) {
  TextModel text("<ir_version: 8, opset_import: [\"\" : 13]> g (float[1] x) => (float[1] x) {}");
  TensorProto* tensor = text.model.graph().add_initializer();
  *tensor = EmptyTensor("w", TensorProto::UINT8, std::vector<int64_t>{int64_t{3} << 30});
  SetExternal(tensor, "w.bin", 0, uint64_t{3} << 30);
  try {
    WriteModel(text.model, {});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupportedModel);
    EXPECT_NE(error.hint().str().find("use_external_data_format"), std::string::npos);
  }
  EXPECT_FALSE(text.files.Has(kOutputFile));
}

TEST(ModelWriter, ManySmallNodesAreWrittenAsTheyAre) {
  onnx::ModelProto proto = ParseModelText(
      "<ir_version: 8, opset_import: [\"\" : 13]> g (float[1] t0) => (float[1] t0) {}");
  for (int i = 0; i < 20000; ++i) {
    onnx::NodeProto* node = proto.mutable_graph()->add_node();
    node->set_op_type("LeakyRelu");
    node->add_input("t" + std::to_string(i));
    node->add_output("t" + std::to_string(i + 1));
    node->add_attribute()->set_name("alpha");
  }
  const std::string bytes = Serialize(proto);
  MemoryFiles files(bytes);
  WriteModel(Model::Load(&files), {});
  EXPECT_TRUE(files.String(kOutputFile) == bytes);
}

}  // namespace
}  // namespace ptq
