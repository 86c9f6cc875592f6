#include "pipeline/inspect_model.h"

#include <gtest/gtest.h>

#include "testing/memory_files.h"
#include "testing/model_text.h"

namespace ptq {
namespace inspect_model_test {

ModelInspection Inspect(const std::string& text, const std::map<std::string, int64_t>& dims = {}) {
  MemoryFiles files(ParseModelText(text).SerializeAsString());
  StaticQuantizer quantizer(&files);
  return InspectModel(&quantizer, dims);
}

const FormatForecast& Of(const ModelInspection& inspection, QuantFormat format) {
  return inspection.formats[format == QuantFormat::kQOperator ? 0 : 1];
}

std::string FloatNodes(const FormatForecast& forecast) {
  std::string names;
  for (const QuantizedNode& node : forecast.nodes) {
    if (node.plan.action == NodeAction::kFloat)
      names += node.name + ": " + node.plan.reason.text + "; ";
  }
  return names;
}

constexpr char kModel[] = R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[N,1,4,4] x) => (float[N,1,4,4] y)
    <float[1] mean = {2}, float[1] scale = {4}, float[1,1,1,1] w = {1}> {
      [sub] a = Sub(x, mean)
      [div] b = Div(a, scale)
      [conv] c = Conv(b, w)
      [relu] r = Relu(c)
      [sin] y = Sin(r)
    })";

TEST(InspectModel, SaysWhichNodesEachFormatQuantizes) {
  const ModelInspection inspection = Inspect(kModel);
  for (const QuantFormat format : {QuantFormat::kQOperator, QuantFormat::kQDQ}) {
    const FormatForecast& forecast = Of(inspection, format);
    EXPECT_EQ(forecast.refused, "");
    EXPECT_EQ(forecast.opset, 13);
    EXPECT_NE(FloatNodes(forecast).find("sin: "), std::string::npos);
    EXPECT_EQ(FloatNodes(forecast).find("conv: "), std::string::npos);
    EXPECT_EQ(FloatNodes(forecast).find("relu: "), std::string::npos);
  }
  EXPECT_EQ(inspection.weight_bytes, 12u);
}

TEST(InspectModel, WeightsOfConstantNodesCount) {
  const ModelInspection inspection = Inspect(R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[N,2] x) => (float[N,2] y) {
      w = Constant <value = float[2,2] {1, 2, 3, 4}> ()
      y = MatMul(x, w)
    })");
  EXPECT_EQ(inspection.weight_bytes, 16u);
}

TEST(InspectModel, FindsWhatTheGraphDoesToItsInput) {
  const ModelInspection inspection = Inspect(kModel);
  ASSERT_EQ(inspection.input_steps.size(), 2u);
  EXPECT_EQ(inspection.input_steps[0].op_type, "Sub");
  EXPECT_EQ(inspection.input_steps[0].values, std::vector<float>{2});
  EXPECT_EQ(inspection.input_steps[1].node, "div");
}

TEST(InspectModel, ALayerEndsTheSteps) {
  const ModelInspection inspection = Inspect(R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[1,1,4,4] x) => (float[1,1,4,4] y) <float[1] k = {2}, float[1,1,1,1] w = {1}> {
      c = Conv(x, w)
      y = Mul(c, k)
    })");
  EXPECT_TRUE(inspection.input_steps.empty());
}

TEST(InspectModel, MemoryIsThatOfTheDimensionsThatAreFixed) {
  const uint64_t one = Inspect(kModel).memory.activations;
  EXPECT_EQ(Inspect(kModel, {{"N", 3}}).memory.activations, 3 * one);
  EXPECT_TRUE(Inspect(kModel).memory.all_known);
}

}  // namespace inspect_model_test
}  // namespace ptq
