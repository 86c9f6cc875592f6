#include "calibration/calibration_model.h"

#include <gtest/gtest.h>

#include "model/attributes.h"
#include "passes/infer_shapes.h"
#include "testing/model_text.h"

namespace ptq {
namespace calibration_model_test {

int Count(const onnx::GraphProto& graph, const std::string& op_type) {
  int count = 0;
  for (const onnx::NodeProto& node : graph.node()) count += node.op_type() == op_type ? 1 : 0;
  return count;
}

std::vector<std::string> Names(const std::vector<CalibratedTensor>& tensors) {
  std::vector<std::string> names;
  for (const CalibratedTensor& tensor : tensors) names.push_back(tensor.name);
  return names;
}

using Strings = std::vector<std::string>;

constexpr char kConvReluReshape[] = R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[1,1,2,2] x) => (float[4] y) <float[1,1,1,1] w = {1}, int64[1] flat = {-1}>
    { c = Conv (x, w)  r = Relu (c)  y = Reshape (r, flat) })";

TEST(CalibrationModelTest, ObservesWhatNodesToQuantizeReadAndWrite) {
  TextModel text(kConvReluReshape);
  InferShapes(text.model);
  StaticQuantConfig config;
  EXPECT_EQ(Names(TensorsToCalibrate(text.model, config)), (Strings{"x", "c", "r", "y"}));
  config.op_types_to_quantize = {"Conv"};
  EXPECT_EQ(Names(TensorsToCalibrate(text.model, config)), (Strings{"x", "c"}));
  config.nodes_to_exclude = {"conv"};  // needs no other calibration
  EXPECT_EQ(Names(TensorsToCalibrate(text.model, config)), (Strings{"x", "c"}));
}

TEST(CalibrationModelTest, TensorsMadeByMovingOrClippingAreNotReduced) {
  TextModel text(kConvReluReshape);
  InferShapes(text.model);
  // x and c are; the ends of r are those of c, clipped; those of y are those of r.
  CalibrationModel model = BuildReductionModel(text.model, StaticQuantConfig{});
  EXPECT_EQ(Count(model.proto.graph(), "ReduceMin"), 2);
  EXPECT_EQ(Count(model.proto.graph(), "ReduceSum"), 2);
  EXPECT_EQ(Count(model.proto.graph(), "Relu"), 3);
  // The other spelling of ONNX's domain means the same operators.
  for (onnx::NodeProto& node : *text.model.graph().mutable_node()) node.set_domain("ai.onnx");
  model = BuildReductionModel(text.model, StaticQuantConfig{});
  EXPECT_EQ(Count(model.proto.graph(), "ReduceMin"), 2);
  EXPECT_EQ(Count(model.proto.graph(), "Relu"), 3);
  // A custom operator of the same name may do anything.
  text.model.graph().mutable_node(1)->set_domain("acme");
  model = BuildReductionModel(text.model, StaticQuantConfig{});
  EXPECT_EQ(Count(model.proto.graph(), "ReduceMin"), 3);
}

TEST(CalibrationModelTest, SumsOfTensorsWithAWitnessCanBeLeftOut) {
  TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x) => (float[1,1,2,2] y) <float[1,1,1,1] w = {1}>
      { c = Conv (x, w)  s = Sigmoid (c)  m = Mul (c, s)  y = Relu (m) })");
  InferShapes(text.model);
  const auto model_of = [&](Sums sums) {
    return BuildReductionModel(text.model, StaticQuantConfig{}, true, sums);
  };
  const CalibrationModel all = model_of(Sums::kOfAll);
  EXPECT_EQ(Count(all.proto.graph(), "ReduceSum"), 4);
  EXPECT_FALSE(all.lacks_sums);
  const CalibrationModel few = model_of(Sums::kOfWitnesses);
  EXPECT_EQ(Count(few.proto.graph(), "ReduceSum"), 1);
  EXPECT_EQ(Count(few.proto.graph(), "ReduceMin"), 4);
  EXPECT_TRUE(few.lacks_sums);
}

TEST(CalibrationModelTest, OneVectorLeavesBesideTheModelsOutputs) {
  const TextModel text(kConvReluReshape);
  const CalibrationModel model = BuildReductionModel(text.model, StaticQuantConfig{});
  ASSERT_EQ(model.outputs.size(), 1u);
  ASSERT_EQ(model.proto.graph().output_size(), 2);
  EXPECT_EQ(model.proto.graph().output(0).name(), "y");
  EXPECT_EQ(model.proto.graph().output(1).name(), model.outputs[0]);
}

// `count` nodes of `op_type` one after the other.
std::string ChainOf(const std::string& op_type, int count) {
  std::string nodes = "t0 = " + op_type + " (x)";
  for (int i = 1; i < count; ++i) {
    nodes += " t" + std::to_string(i) + " = " + op_type + " (t" + std::to_string(i - 1) + ")";
  }
  const std::string last = "t" + std::to_string(count - 1);
  return R"(<ir_version: 8, opset_import: ["" : 13]> g (float[1,4] x) => (float[1,4] )" + last +
         ") {" + nodes + "}";
}

size_t BytesOfReductionModel(const std::string& text) {
  const TextModel model(text);
  return BuildReductionModel(model.model, StaticQuantConfig{}).proto.ByteSizeLong();
}

TEST(CalibrationModelTest, BytesGrowWithTheNodesOfAnyKind) {
  for (const char* op_type : {"Relu", "Clip", "Sigmoid", "Transpose"}) {
    const size_t few = BytesOfReductionModel(ChainOf(op_type, 200));
    const size_t many = BytesOfReductionModel(ChainOf(op_type, 800));
    EXPECT_LT(many, 5 * few) << op_type;
  }
}

TEST(CalibrationModelTest, NothingToObserveLeavesTheModelAsItIs) {
  const TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[2] x) => (float[2] y) { y = Exp (x) })");
  const CalibrationModel model = BuildReductionModel(text.model, StaticQuantConfig{});
  EXPECT_TRUE(model.outputs.empty());
  EXPECT_EQ(TextOf(model.proto), TextOf(text.model));
}

TEST(CalibrationModelTest, TensorsTakeTheOutputsPlacesInTheirOrder) {
  const TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[2] x) => (float[2] y) { h = Cast <to = 10> (x)  f = Relu (h)  y = Cast <to = 1> (f) }
      )");
  TextModel typed(text.model.proto());
  onnx::ValueInfoProto* half = typed.model.graph().add_value_info();
  half->set_name("h");
  half->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT16);
  const CalibrationModel model = BuildTensorModel(typed.model, {"y", "x", "h"});
  ASSERT_EQ(model.outputs.size(), 3u);
  const onnx::GraphProto& graph = model.proto.graph();
  ASSERT_EQ(graph.output_size(), 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(graph.output(i).name(), model.outputs[static_cast<size_t>(i)]);
  }
  EXPECT_EQ(model.outputs[0], "y");
  // A graph input leaves as a copy, float16 as float32.
  EXPECT_EQ(graph.node(3).op_type(), "Identity");
  EXPECT_EQ(graph.node(3).input(0), "x");
  EXPECT_EQ(graph.node(4).op_type(), "Cast");
  EXPECT_EQ(IntAttribute(graph.node(4), "to", 0), onnx::TensorProto::FLOAT);
}

TEST(CalibrationModelTest, NamesTheFilesOfItsWeightsAndAnIrVersionThatRuns) {
  TextModel text(kConvReluReshape);
  text.model.proto().set_ir_version(kMaxIrVersion);
  onnx::TensorProto* weight = text.model.graph().mutable_initializer(0);
  weight->clear_float_data();
  weight->set_data_location(onnx::TensorProto::EXTERNAL);
  onnx::StringStringEntryProto* location = weight->add_external_data();
  location->set_key("location");
  location->set_value("weights.bin");
  const CalibrationModel model = BuildReductionModel(text.model, StaticQuantConfig{});
  EXPECT_EQ(model.files, (std::set<std::string>{"weights.bin"}));
  EXPECT_EQ(model.proto.ir_version(), kRuntimeIrVersion);
  EXPECT_EQ(text.model.proto().ir_version(), kMaxIrVersion);
}

TEST(CalibrationModelTest, ChannelsAreCountedWhereTheyAreKnown) {
  const TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[N,3,8] x, float[N,C] z) => (float[N,3,8] y) { y = Add (x, z) })");
  StaticQuantConfig config;
  config.calib_per_channel = true;
  const std::vector<CalibratedTensor> tensors = TensorsToCalibrate(text.model, config);
  ASSERT_EQ(tensors.size(), 3u);
  EXPECT_EQ(tensors[0].channels, 3u);
  EXPECT_EQ(tensors[1].channels, 1u);
}

}  // namespace calibration_model_test
}  // namespace ptq
