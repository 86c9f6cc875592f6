// Parts of a model that are run by themselves. Numbers are checked where they are run:
// tests/js/diagnose.test.ts.
#include "calibration/probe_model.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "testing/quantize_text.h"

namespace ptq {
namespace probe_model_test {

constexpr char kConvs[] = R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[1,1,2,2] x) => (float[1,1,2,2] y)
    <float[1,1,1,1] w0 = {1}, float[1,1,1,1] w1 = {2}> {
      [conv0] c = Conv (x, w0)
      [conv1] y = Conv (c, w1)
    })";

using Strings = std::vector<std::string>;

std::string Ops(const ProbeModel& probe) { return OpTypes(probe.model.proto.graph()); }

onnx::ModelProto Quantized(const char* format) {
  return QuantizeText(kConvs, format, {{"x", {-1, 1}}, {"c", {-2, 2}}, {"y", {-4, 4}}}).model;
}

TEST(ProbeModelTest, WhatIsFedReplacesWhatMakesIt) {
  const TextModel text(kConvs);
  const ProbeModel probe =
      BuildProbeModel(text.model, {.outputs = {{"y"}}, .fed = {"c"}, .added = {}});
  EXPECT_EQ(Ops(probe), "Conv Cast");
  EXPECT_EQ(probe.inputs, Strings{});
  EXPECT_EQ(probe.fed, Strings{"ptq_fed_c"});
  EXPECT_EQ(probe.model.proto.graph().node(0).input(0), "ptq_fed_c");
}

TEST(ProbeModelTest, WhatIsFedCanBeObservedAsTheGraphMakesIt) {
  const TextModel text(kConvs);
  const ProbeModel probe =
      BuildProbeModel(text.model, {.outputs = {{"c"}, {"y"}}, .fed = {"c"}, .added = {}});
  EXPECT_EQ(Ops(probe), "Conv Conv Cast Cast");
  EXPECT_EQ(probe.inputs, Strings{"x"});
  EXPECT_EQ(probe.model.proto.graph().node(1).input(0), "ptq_fed_c");
  EXPECT_EQ(probe.model.proto.graph().node(2).input(0), "c");
}

TEST(ProbeModelTest, SomethingIsAddedToATensorAndToAnOutput) {
  const TextModel text(kConvs);
  const ProbeModel probe =
      BuildProbeModel(text.model, {.outputs = {{"y"}}, .fed = {}, .added = {"c", "y"}});
  EXPECT_EQ(Ops(probe), "Conv Add Conv Add Cast");
  EXPECT_EQ(probe.added, (Strings{"ptq_added_c", "ptq_added_y"}));
  const onnx::GraphProto& graph = probe.model.proto.graph();
  EXPECT_EQ(graph.node(2).input(0), graph.node(1).output(0));
  EXPECT_EQ(graph.node(4).input(0), graph.node(3).output(0));
}

TEST(ProbeModelTest, InputsThatNothingReadsAreDropped) {
  const TextModel text(kConvs);
  const ProbeModel probe =
      BuildProbeModel(text.model, {.outputs = {{"c"}}, .fed = {}, .added = {"y"}});
  EXPECT_EQ(Ops(probe), "Conv Cast");
  EXPECT_EQ(probe.added, Strings{""});
}

TEST(ProbeModelTest, OneLayerOfAQdqModelRoundsItsInputAndItsOutput) {
  const TextModel text(Quantized(kQdq));
  const ProbeModel probe = BuildProbeModel(
      text.model, {.outputs = {{"c", true}, {"y", true}}, .fed = {"x", "c"}, .added = {}});
  EXPECT_EQ(probe.inputs, Strings{});
  const std::string ops = Ops(probe);
  // Both layers by themselves: c is rounded as it is made, and as it is fed.
  size_t quantize = 0;
  for (size_t at = ops.find(" QuantizeLinear"); at != std::string::npos;
       at = ops.find(" QuantizeLinear", at + 1)) {
    ++quantize;
  }
  EXPECT_EQ(quantize + (ops.starts_with("QuantizeLinear") ? 1 : 0), 4u) << ops;
}

TEST(ProbeModelTest, OneLayerOfAQOperatorModelIsFedAndObservedInFloat) {
  const TextModel text(Quantized(kQOperator));
  const ProbeModel probe =
      BuildProbeModel(text.model, {.outputs = {{"c", true}}, .fed = {"x"}, .added = {}});
  EXPECT_EQ(Ops(probe), "QuantizeLinear QLinearConv DequantizeLinear Cast");
  const ProbeModel next =
      BuildProbeModel(text.model, {.outputs = {{"y", true}}, .fed = {"c"}, .added = {}});
  EXPECT_EQ(Ops(next), "QuantizeLinear QLinearConv DequantizeLinear Cast");
}

TEST(ProbeModelTest, SizesAreBroughtOutInPlaceOfTensors) {
  const TextModel text(kConvs);
  const ProbeModel probe = BuildProbeModel(
      text.model, {.outputs = {{"c"}, {"x"}}, .fed = {}, .added = {}, .sizes = true});
  EXPECT_EQ(Ops(probe), "Conv Size Size");
}

TEST(ProbeModelTest, HalfPrecisionIsFedAndObservedInFloat) {
  const TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float16[2] x) => (float16[2] y) { c = Relu (x)  y = Neg (c) })");
  const ProbeModel probe =
      BuildProbeModel(text.model, {.outputs = {{"y"}}, .fed = {"x"}, .added = {}});
  EXPECT_EQ(Ops(probe), "Cast Relu Neg Cast");
  EXPECT_EQ(probe.model.proto.graph().input(0).type().tensor_type().elem_type(),
            onnx::TensorProto::FLOAT);
}

TEST(ProbeModelTest, AnUnknownTensorIsAnError) {
  const TextModel text(kConvs);
  try {
    BuildProbeModel(text.model, {.outputs = {{"nothing"}}, .fed = {}, .added = {}});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidOption);
    EXPECT_EQ(error.tensor(), "nothing");
  }
}

}  // namespace probe_model_test
}  // namespace ptq
