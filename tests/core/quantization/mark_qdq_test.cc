#include "quantization/mark_qdq.h"

#include <gtest/gtest.h>

#include <limits>

#include "passes/infer_shapes.h"
#include "testing/quantize_text.h"

namespace ptq {
namespace {

struct Marked {
  explicit Marked(const std::string& graph, const StaticQuantConfig& config = {}, int opset = 13)
      : text("<ir_version: 8, opset_import: [\"\" : " + std::to_string(opset) + "]> " + graph),
        context(Inferred(&text.model), config, {}),
        marks(MarkQdq(context, &plan)) {}

  static const Model& Inferred(Model* model) {
    InferShapes(*model);
    return *model;
  }

  // "x y w": the tensors in the order in which they are quantized.
  std::string Order() const {
    std::string order;
    for (const QdqMark& mark : marks.marks) order += (order.empty() ? "" : " ") + mark.tensor;
    return order;
  }
  const QdqMark& Of(const std::string& tensor) const { return marks.marks[marks.index.at(tensor)]; }

  TextModel text;
  PlanContext context;
  QuantPlan plan;
  QdqMarks marks;
};

constexpr char kConv[] = R"(g (float[1,2,2,2] x) => (float[1,2,2,2] y)
    <float[2,2,1,1] w = {1, 2, 3, 4}, float[2] b = {1, 2}> { y = Conv (x, w, b) })";

TEST(MarkQdqTest, AConvMarksInputOutputAndWeightAndHasABias) {
  const Marked conv(kConv);
  EXPECT_EQ(conv.Order(), "x y w");
  EXPECT_TRUE(conv.Of("w").weight);
  EXPECT_FALSE(conv.Of("x").weight);
  EXPECT_EQ(conv.Of("w").axis, std::nullopt);
  ASSERT_EQ(conv.plan.biases.size(), 1u);
  EXPECT_EQ(conv.plan.biases[0].bias, "b");
  EXPECT_EQ(conv.plan.biases[0].weight, "w");
}

TEST(MarkQdqTest, TheChannelAxisIsThatOfTheOperator) {
  StaticQuantConfig config;
  config.per_channel = true;
  const auto axis = [&](const std::string& node) {
    return Marked(R"(g (float[1,2,2,2] x) => (float[1,2,2,2] y)
        <float[2,2,1,1] w = {1, 2, 3, 4}> { y = )" +
                      node + " (x, w) }",
                  config)
        .Of("w")
        .axis;
  };
  EXPECT_EQ(axis("Conv"), 0);
  EXPECT_EQ(axis("ConvTranspose"), 1);
  const auto gemm = [&](const std::string& attributes) {
    return Marked("g (float[1,2] x) => (float[1,2] y) <float[2,2] w = {1, 2, 3, 4}> { y = Gemm " +
                      attributes + " (x, w) }",
                  config)
        .Of("w")
        .axis;
  };
  EXPECT_EQ(gemm(""), 1);
  EXPECT_EQ(gemm("<transB = 1>"), 0);
}

TEST(MarkQdqTest, MovedDataShareTheParametersOfTheirSource) {
  const Marked marked(R"(g (float[1,2,2,2] x) => (float[8] y)
      <float[2,2,1,1] w = {1, 2, 3, 4}, int64[1] flat = {-1}> {
        c = Conv (x, w)
        y = Reshape (c, flat)
      })");
  EXPECT_EQ(marked.Of("y").shares_with, "c");
  EXPECT_EQ(marked.Of("y").sharing_node, 1);
  EXPECT_EQ(marked.Of("c").shares_with, "");
  // Nothing to share with: an input that nobody quantizes.
  EXPECT_EQ(Marked(R"(g (float[2,2] x) => (float[4] y) <int64[1] flat = {-1}> {
      y = Reshape (x, flat) })")
                .Order(),
            "");
}

TEST(MarkQdqTest, PadSharesWhereItAddsNoNewValue) {
  const auto provider = [](const std::string& value) {
    return Marked(R"(g (float[2] x) => (float[4] y)
        <int64[2] pads = {1, 1}, float zero = {0}, float one = {1}> { y = Pad (x, pads)" +
                  value + ") }")
        .Of("y")
        .shares_with;
  };
  EXPECT_EQ(provider(""), "x");
  EXPECT_EQ(provider(", zero"), "x");
  EXPECT_EQ(provider(", one"), "");
}

TEST(MarkQdqTest, OutputsOfAnExcludedTypeStayFloat) {
  StaticQuantConfig config;
  config.op_types_to_exclude_output_quantization = {"Conv"};
  EXPECT_EQ(Marked(kConv, config).Order(), "x w");
}

TEST(MarkQdqTest, ADilatedAveragePoolStaysFloat) {
  const auto mark = [](const std::string& dilations) {
    return Marked(
               "g (float[1,1,4,4] x) => (float[1,1,2,2] y) <float[1,1,1,1] w = {1}> { "
               "c = Conv (x, w) y = AveragePool <kernel_shape = [2, 2], dilations = " +
                   dilations + "> (c) }",
               {}, 19)
        .plan.nodes[1]
        .reason.code;
  };
  EXPECT_EQ(mark("[2, 2]"), FloatReasonCode::kUnsupportedForm);
  EXPECT_EQ(mark("[1, 1]"), FloatReasonCode::kNone);
}

TEST(MarkQdqTest, AFloat8MaxPoolStaysFloat) {
  StaticQuantConfig config;
  config.activation_type = config.weight_type = QuantType::kFloat8E4M3FN;
  const Marked marked(R"(g (float[1,1,4,4] x) => (float[1,1,3,3] y) <float[1,1,1,1] w = {1}> {
      c = Conv (x, w) y = MaxPool <kernel_shape = [2, 2]> (c) })",
                      config, 19);
  EXPECT_EQ(marked.plan.nodes[1].reason.code, FloatReasonCode::kUnsupportedType);
  EXPECT_EQ(marked.plan.nodes[1].reason.text, "MaxPool has no float8 form");
  EXPECT_EQ(marked.plan.nodes[0].reason.code, FloatReasonCode::kNone);
}

TEST(MarkQdqTest, AFloat16ConcatReadsFloat) {
  const std::string nodes = "h = Sigmoid (x) y = Concat <axis = 0> (h, h) }";
  const Marked half("g (float16[2] x) => (float16[4] y) <float16[1] unused = {1}> { " + nodes, {},
                    19);
  EXPECT_TRUE(half.plan.nodes[1].reads_float);
  EXPECT_EQ(half.plan.nodes[1].reason.code, FloatReasonCode::kUnsupportedType);
  const Marked single("g (float[2] x) => (float[4] y) { " + nodes);
  EXPECT_FALSE(single.plan.nodes[1].reads_float);
  EXPECT_EQ(single.Order(), "x h y");
}

TEST(MarkQdqTest, MatMulWeightsOfRank3HaveOneScale) {  // D12
  const QuantizedText result =
      QuantizeText(R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (float[1,2,2] x) => (float[1,2,3] y) <float[1,2,3] w = {1, 10, 100, -2, 20, 200}> { y = MatMul (x, w) })",
                   R"({"quant_format": "QDQ", "weight_type": "QInt8", "per_channel": true})",
                   {{"x", {-1, 1}}, {"y", {-300, 300}}});
  const std::vector<float> scales = result.Floats("w_scale");
  ASSERT_EQ(scales.size(), 1u);
  EXPECT_FLOAT_EQ(scales[0], 200.0f / 127);
}

TEST(MarkQdqTest, AReluThatASubgraphReadsStays) {  // E8
  const QuantizedText result = QuantizeText(
      R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x, bool c) => (float[1,1,2,2] y, float[1,1,2,2] z) <float[1,1,1,1] w = {1}> {
        p = Conv (x, w)
        r = Relu (p)
        y = Conv (r, w)
        z = If (c) <then_branch = a () => (float[1,1,2,2] t) { t = Identity (r) },
                    else_branch = b () => (float[1,1,2,2] e) { e = Neg (r) }>
      })",
      R"({"quant_format": "QDQ"})", {{"x", {-1, 1}}, {"p", {-1, 1}}, {"r", {0, 1}}, {"y", {0, 1}}});
  EXPECT_TRUE(result.Has("Relu"));
}

TEST(MarkQdqTest, AReluWhoseOutputIsNotQuantizedStays) {  // E8
  const QuantizedText result = QuantizeText(
      R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x) => (float[1,1,2,2] y) <float[1,1,1,1] w = {1}> {
        p = Conv (x, w)
        r = Relu (p)
        y = Elu (r)
      })",
      R"({"quant_format": "QDQ", "extra_options": {"OpTypesToExcludeOutputQuantization": ["Relu"]}})",
      {{"x", {-1, 1}}, {"p", {-1, 1}}, {"r", {0, 1}}});
  EXPECT_TRUE(result.Has("Relu"));
}

TEST(MarkQdqTest, TiedEmbeddingsHaveOneScale) {  // E9
  const QuantizedText result = QuantizeText(
      R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (int64[2] ids) => (float[2,3] y) <float[3,2] e = {1, 2, 3, 4, 5, 6}> {
        rows = Gather (e, ids)
        y = Gemm <transB = 1> (rows, e)
      })",
      R"({"quant_format": "QDQ", "weight_type": "QInt8", "per_channel": true})",
      {{"rows", {0, 6}}, {"y", {0, 60}}});
  EXPECT_EQ(result.Floats("e_scale").size(), 1u);
}

TEST(MarkQdqTest, ATensorWithoutValuesStaysFloatWithAWarning) {  // D6
  const float infinity = std::numeric_limits<float>::infinity();
  const QuantizedText result =
      QuantizeText(R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (float[2] x) => (float[2] y) { y = Sigmoid (x) })",
                   R"({"quant_format": "QDQ"})", {{"x", {infinity, -infinity}}, {"y", {0, 1}}});
  EXPECT_TRUE(result.Diagnosed("TENSOR_WITHOUT_VALUES"));
  EXPECT_EQ(result.Node("Sigmoid").input(0), "x");
}

}  // namespace
}  // namespace ptq
