#include <gtest/gtest.h>

#include "base/error.h"
#include "model/external_data.h"
#include "model/model.h"
#include "model/tensor_builder.h"
#include "testing/model_text.h"

namespace ptq {
namespace {

using onnx::TensorProto;

std::string Text(const std::string& graph, const std::string& opset = "13") {
  return "<ir_version: 8, opset_import: [\"\" : " + opset + "]> " + graph;
}

const std::string kRelu = "g (float[2] x) => (float[2] y) { y = Relu(x) }";

Error ErrorOf(const onnx::ModelProto& proto, MemoryFiles files = {}) {
  files.Put(kModelFile, Serialize(proto));
  try {
    Model::Load(&files);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(ErrorCode::kInternal, "");
}

Error ErrorOfText(const std::string& text) { return ErrorOf(ParseModelText(text)); }

TEST(ModelLoad, ReadsAModelAndItsOpsets) {
  MemoryFiles files(Serialize(ParseModelText(
      "<ir_version: 8, opset_import: [\"\" : 13, \"com.microsoft\" : 1]> " + kRelu)));
  const Model model = Model::Load(&files);
  EXPECT_EQ(OpTypes(model.graph()), "Relu");
  EXPECT_EQ(model.Opset(), 13);
  EXPECT_EQ(model.Opset("ai.onnx"), 13);
  EXPECT_EQ(model.Opset("com.microsoft"), 1);
  EXPECT_EQ(model.Opset("other"), 0);
}

TEST(ModelLoad, AGraphWithoutNodesIsAModel) {
  MemoryFiles files(Serialize(ParseModelText(Text("g (float[2] x) => (float[2] x) {}"))));
  EXPECT_EQ(Model::Load(&files).graph().node_size(), 0);
}

TEST(ModelLoad, OpsetsAreSetInPlace) {
  TextModel text(Text(kRelu));
  text.model.SetOpset("ai.onnx", 17);
  text.model.SetOpset("com.microsoft", 1);
  EXPECT_EQ(text.model.proto().opset_import_size(), 2);
  EXPECT_EQ(text.model.Opset(), 17);
}

TEST(ModelLoad, ADomainImportedTwiceIsOneImport) {
  MemoryFiles files(Serialize(ParseModelText(
      "<ir_version: 8, opset_import: [\"\" : 12, \"com.microsoft\" : 1, \"ai.onnx\" : 13]> " +
      kRelu)));
  const Model model = Model::Load(&files);
  EXPECT_EQ(model.Opset(), 13);  // the last one, as in onnxruntime
  EXPECT_EQ(model.proto().opset_import_size(), 2);
  EXPECT_EQ(model.Opset("com.microsoft"), 1);
}

TEST(ModelLoad, WeightsAreReadFromTheModelFileOnDemand) {
  onnx::ModelProto proto = ParseModelText(Text(kRelu));
  const std::vector<float> weights = SomeFloats(1000);
  AddRawFloats(proto.mutable_graph(), "w", {10, 100}, weights);
  MemoryFiles files(Serialize(proto));
  const Model model = Model::Load(&files);
  const TensorProto& w = InitializerOf(model.graph(), "w");
  EXPECT_TRUE(IsExternal(w));
  EXPECT_EQ(model.tensors().ReadFloats(w), weights);
}

TEST(ModelLoad, LargeIntegersInTypedFieldsMoveToScratch) {
  onnx::ModelProto proto = ParseModelText(Text(kRelu));
  std::vector<int64_t> values(3 << 18);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int64_t>(i % 251) - 125;
  *proto.mutable_graph()->add_initializer() =
      IntTensor("w", TensorProto::INT32, std::vector<int64_t>{3, 1 << 18}, values);
  MemoryFiles files(Serialize(proto));
  const Model model = Model::Load(&files);
  const TensorProto& w = InitializerOf(model.graph(), "w");
  EXPECT_EQ(w.int32_data_size(), 0);
  EXPECT_EQ(ExternalRangeOf(w).location, kScratchFile);
  EXPECT_EQ(model.tensors().ReadInts(w), values);
}

TEST(ModelLoad, OpsetsOutOfRangeAreUnsupportedWithAHint) {
  EXPECT_EQ(ErrorOfText(Text(kRelu, "6")).code(), ErrorCode::kUnsupportedOpset);
  const Error newer = ErrorOfText(Text(kRelu, "99"));
  EXPECT_EQ(newer.code(), ErrorCode::kUnsupportedOpset);
  EXPECT_EQ(newer.message().str().find("The model uses opset 99; supported are 7 to "), 0u);
  EXPECT_FALSE(newer.hint().empty());
}

TEST(ModelLoad, WithoutTheDefaultOpsetOnlyOtherDomainsMayBeUsed) {
  const std::string head = "<ir_version: 8, opset_import: [\"custom\" : 1]> ";
  EXPECT_EQ(ErrorOfText(head + kRelu).code(), ErrorCode::kUnsupportedOpset);
  MemoryFiles files(
      Serialize(ParseModelText(head + "g (float[2] x) => (float[2] y) { y = custom.Op(x) }")));
  EXPECT_EQ(Model::Load(&files).Opset("custom"), 1);
}

TEST(ModelLoad, MissingPartsAreNamed) {
  onnx::ModelProto proto = ParseModelText(Text(kRelu));
  proto.clear_graph();
  EXPECT_EQ(ErrorOf(proto).message(), "The file holds no graph: it is not an ONNX model.");
  proto = ParseModelText(Text(kRelu));
  proto.clear_ir_version();
  EXPECT_EQ(ErrorOf(proto).code(), ErrorCode::kInvalidModel);
  proto.set_ir_version(kMaxIrVersion + 1);
  EXPECT_EQ(ErrorOf(proto).code(), ErrorCode::kUnsupportedOpset);
  proto.set_ir_version(8);
  proto.clear_opset_import();
  EXPECT_EQ(ErrorOf(proto).code(), ErrorCode::kUnsupportedOpset);
}

TEST(ModelLoad, NamesThatAreNotUtf8AreRefusedByTheirPlace) {
  const auto message = [](auto rename) {
    onnx::ModelProto proto = ParseModelText(R"(<ir_version: 8, opset_import: ["" : 13]>
        g (float[2] x) => (float[2] y) <float[2] w = {1, 2}> { h = Neg (x) [last] y = Add (h, w) })");
    rename(proto.mutable_graph());
    MemoryFiles files(Serialize(proto));
    try {
      Model::Load(&files);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidModel);
      return error.message().str();
    }
    return std::string();
  };
  const std::string gbk = "\xB5\xE7";
  EXPECT_EQ(message([](onnx::GraphProto*) {}), "");
  EXPECT_NE(message([&](onnx::GraphProto* g) {
              g->mutable_node(0)->set_output(0, gbk);
              g->mutable_node(1)->set_input(0, gbk);
            }).find("an output of node number 1 is not UTF-8"),
            std::string::npos);
  EXPECT_NE(message([&](onnx::GraphProto* g) {
              g->mutable_node(1)->set_name(gbk);
            }).find("node number 2"),
            std::string::npos);
  EXPECT_NE(message([&](onnx::GraphProto* g) {
              g->mutable_initializer(0)->set_name(gbk);
            }).find("initializer number 1"),
            std::string::npos);
}

TEST(ModelLoad, TensorsDefinedTwiceAreNamed) {
  const Error twice =
      ErrorOfText(Text("g (float[2] x) => (float[2] y) { y = Relu(x) y = Neg(x) }"));
  EXPECT_EQ(twice.code(), ErrorCode::kInvalidModel);
  EXPECT_EQ(twice.tensor(), "y");
  EXPECT_EQ(ErrorOfText(Text("g (float[2] x) => (float[2] x) { x = Relu(x) }")).tensor(), "x");
  EXPECT_EQ(
      ErrorOfText(Text("g (float[2] x, float[2] x) => (float[2] y) { y = Relu(x) }")).tensor(),
      "x");
  onnx::ModelProto proto = ParseModelText(Text(kRelu));
  AddFloats(proto.mutable_graph(), "w", {1}, {0});
  AddFloats(proto.mutable_graph(), "w", {1}, {0});
  EXPECT_EQ(ErrorOf(proto).tensor(), "w");
}

TEST(ModelLoad, InitializersRepeatedAsInputsAreAllowed) {
  onnx::ModelProto proto =
      ParseModelText(Text("g (float[2] x, float[2] w) => (float[2] y) { y = Add(x, w) }"));
  AddFloats(proto.mutable_graph(), "w", {2}, {1, 2});
  MemoryFiles files(Serialize(proto));
  EXPECT_EQ(Model::Load(&files).graph().input_size(), 2);
}

TEST(ModelLoad, ReadsOfUnknownTensorsAreErrorsWithSuggestions) {
  const Error error = ErrorOfText(Text("g (float[2] input) => (float[2] y) { y = Relu(imput) }"));
  EXPECT_EQ(error.code(), ErrorCode::kInvalidModel);
  EXPECT_EQ(error.tensor(), "imput");
  EXPECT_EQ(error.hint(), "did you mean \"input\"?");
  EXPECT_EQ(ErrorOfText(Text("g (float[2] x) => (float[2] z) { y = Relu(x) }")).tensor(), "z");
}

TEST(ModelLoad, SubgraphsMayReadAroundThemButNotInsideEachOther) {
  const std::string inner = R"(g (bool c, float[1] x) => (float[1] y) {
    y = If(c) <then_branch = t () => (float[1] a) { a = Relu(x) },
               else_branch = e () => (float[1] b) { b = Neg(@) }> })";
  const auto with = [&](const std::string& name) {
    std::string text = inner;
    return Text(text.replace(text.find('@'), 1, name));
  };
  MemoryFiles files(Serialize(ParseModelText(with("x"))));
  EXPECT_EQ(OpTypes(Model::Load(&files).graph()), "If");
  EXPECT_EQ(ErrorOfText(with("a")).tensor(), "a");
}

TEST(ModelLoad, DataThatDoesNotFitItsShapeIsRefused) {
  onnx::ModelProto proto = ParseModelText(Text(kRelu));
  *proto.mutable_graph()->add_initializer() = RawTensor(
      "w", TensorProto::FLOAT, std::vector<int64_t>{100, 100}, std::vector<uint8_t>(2000));
  const Error lifted = ErrorOf(proto);
  EXPECT_EQ(lifted.code(), ErrorCode::kInvalidModel);
  EXPECT_EQ(lifted.message(),
            "Tensor \"w\" holds 2000 bytes of data where FLOAT[100,100] needs 40000.");
  proto.mutable_graph()->mutable_initializer(0)->set_raw_data("abc");
  EXPECT_EQ(ErrorOf(proto).tensor(), "w");
}

class ExternalDataTest : public testing::Test {
 protected:
  ExternalDataTest() : proto_(ParseModelText(Text(kRelu))) {
    tensor_ = proto_.mutable_graph()->add_initializer();
    *tensor_ = EmptyTensor("w", TensorProto::FLOAT, std::vector<int64_t>{512});
    files_.Put("weights/w.bin", std::vector<uint8_t>(3000, 1));
    SetExternal(tensor_, "weights/w.bin", 900, 2048);
  }

  Model Load() {
    files_.Put(kModelFile, Serialize(proto_));
    return Model::Load(&files_);
  }

  onnx::ModelProto proto_;
  TensorProto* tensor_;
  MemoryFiles files_;
};

TEST_F(ExternalDataTest, IsReadFromTheFileOfItsName) {
  const Model model = Load();
  const auto values = model.tensors().ReadFloats(InitializerOf(model.graph(), "w"));
  EXPECT_EQ(values, std::vector<float>(512, std::bit_cast<float>(0x01010101)));
}

TEST_F(ExternalDataTest, OffsetAndLengthMayBeLeftOut) {
  tensor_->mutable_external_data()->DeleteSubrange(1, 2);
  const Model model = Load();
  const ExternalRange range = ExternalRangeOf(InitializerOf(model.graph(), "w"));
  EXPECT_EQ(range.offset, 0u);
  EXPECT_EQ(range.length, 2048u);
}

TEST_F(ExternalDataTest, SmallTensorsAndShapesBecomeInline) {
  *tensor_ = EmptyTensor("w", TensorProto::INT64, std::vector<int64_t>{200});
  SetExternal(tensor_, "weights/w.bin", 8, 1600);
  const Model model = Load();
  const TensorProto& w = InitializerOf(model.graph(), "w");
  EXPECT_FALSE(IsExternal(w));
  EXPECT_EQ(w.raw_data(), std::string(1600, 1));
}

TEST_F(ExternalDataTest, AMissingFileIsNamed) {
  SetExternal(tensor_, "other.bin", 0, 2048);
  const Error error = ErrorOf(proto_, files_);
  EXPECT_EQ(error.code(), ErrorCode::kFileNotFound);
  EXPECT_EQ(error.message(),
            "The model keeps weights in the file \"other.bin\", which was not given.");
  EXPECT_EQ(error.tensor(), "w");
}

TEST_F(ExternalDataTest, AFileThatEndsTooEarlyIsTruncated) {
  SetExternal(tensor_, "weights/w.bin", 1000, 2048);
  const Error error = ErrorOf(proto_, files_);
  EXPECT_EQ(error.code(), ErrorCode::kTruncatedModel);
  EXPECT_NE(error.message().str().find("ends 48 bytes before"), std::string::npos)
      << error.message();
  SetExternal(tensor_, "weights/w.bin", ~uint64_t{0}, 2048);
  EXPECT_EQ(ErrorOf(proto_, files_).code(), ErrorCode::kTruncatedModel);
}

TEST_F(ExternalDataTest, PlacesOutsideTheModelsFolderAreRefused) {
  for (const char* location : {"/etc/passwd", "../w.bin", "a/../../w.bin", "a\\..\\w.bin", "..",
                               "C:\\w.bin", "\\\\host\\w", "~scratch", "~output"}) {
    files_.Put(location, std::vector<uint8_t>(4096));
    SetExternal(tensor_, location, 0, 2048);
    EXPECT_EQ(ErrorOf(proto_, files_).code(), ErrorCode::kInvalidModel) << location;
  }
}

TEST_F(ExternalDataTest, MalformedEntriesAreRefused) {
  SetExternal(tensor_, "", 0, 2048);
  EXPECT_EQ(ErrorOf(proto_, files_).code(), ErrorCode::kInvalidModel);
  SetExternal(tensor_, "weights/w.bin", 0, 2047);
  EXPECT_EQ(ErrorOf(proto_, files_).code(), ErrorCode::kInvalidModel);
  for (const char* number : {"-1", "1e3", "", " 1", "99999999999999999999999"}) {
    SetExternal(tensor_, "weights/w.bin", 0, 2048);
    tensor_->mutable_external_data(1)->set_value(number);
    EXPECT_EQ(ErrorOf(proto_, files_).code(), ErrorCode::kInvalidModel) << number;
  }
  SetExternal(tensor_, "weights/w.bin", 0, 2048);
  *tensor_->add_external_data() = tensor_->external_data(0);
  EXPECT_EQ(ErrorOf(proto_, files_).code(), ErrorCode::kInvalidModel);
}

}  // namespace
}  // namespace ptq
