#include "quantization/layer_io.h"

#include <gtest/gtest.h>

#include "testing/quantize_text.h"

namespace ptq {
namespace {

constexpr char kMixed[] = R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[1,1,2,2] x, int64[1] i) => (float[1,1,2,2] y, float[1,2] t) <
      float[1,1,1,1] w = {1.5}, float[2,2] m = {1, 2, 3, 4}, float[3,2] table = {1, 2, 3, 4, 5, 6}> {
      [conv] c = Conv (x, w)
      [relu] r = Relu (c)
      [matmul] p = MatMul (r, m)
      [sigmoid] s = Sigmoid (p)
      [late] q = Relu (s)
      [product] y = MatMul (q, r)
      [gather] t = Gather (table, i)
    })";

TEST(LayerIoTest, LayersWithConstantWeightsAreQuantizedAndNothingBetweenThem) {
  MemoryFiles files(Serialize(ParseModelText(kMixed)));
  StaticQuantizer quantizer(&files);
  quantizer.Configure(ParseConfig(kQdq));
  quantizer.Prepare();
  TensorRanges ranges;
  for (const char* tensor : {"x", "c", "r", "p", "s", "q", "y", "t"}) ranges[tensor] = {-1, 1};
  quantizer.SetRanges(ranges);
  Repairs repairs;
  repairs.layer_io = true;
  const QuantizeReport report = quantizer.Quantize("", repairs);
  std::string left;
  for (const QuantizedNode& node : report.nodes) {
    if (node.plan.action != NodeAction::kFloat) continue;
    left += node.name + " ";
    EXPECT_EQ(node.plan.reason.code, FloatReasonCode::kBetweenLayers);
  }
  EXPECT_EQ(left, "sigmoid late product ");
  for (const TensorPlan& tensor : report.tensors) EXPECT_NE(tensor.tensor, "p");
}

// The nodes that stay float, of layers with channels that have `places` each.
std::string LeftFloat(const std::string& places, const std::string& nodes) {
  MemoryFiles files(Serialize(ParseModelText(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,)" + places + "] x) => (float[1,1," +
                                             places + "] y) <float[1,1,1] w = {1.5}> {" + nodes +
                                             "}")));
  StaticQuantizer quantizer(&files);
  quantizer.Configure(ParseConfig(kQdq));
  quantizer.Prepare();
  TensorRanges ranges;
  for (const char* tensor : {"x", "c", "d", "y"}) ranges[tensor] = {-1, 1};
  quantizer.SetRanges(ranges);
  Repairs repairs;
  repairs.layer_io = true;
  std::string left;
  for (const QuantizedNode& node : quantizer.Quantize("", repairs).nodes) {
    if (node.plan.action == NodeAction::kFloat) left += node.name + " ";
  }
  return left;
}

TEST(LayerIoTest, AConvOfFewWeightsInFrontOfASigmoidStaysFloatWhereItMakesOneValue) {
  const std::string head = "[conv] c = Conv (x, w) [sigmoid] y = Sigmoid (c)";
  EXPECT_EQ(LeftFloat("1", head), "conv sigmoid ");
  EXPECT_EQ(LeftFloat("n", head), "conv sigmoid ");
  EXPECT_EQ(LeftFloat("2", head), "sigmoid ");
  // The gate of a squeeze-and-excitation block, but for its last layer.
  EXPECT_EQ(
      LeftFloat("1", R"([conv] c = Conv (x, w) [relu] d = Relu (c) [second] y = Conv (d, w))"),
      "second ");
}

TEST(LayerIoTest, WithoutItThePlanIsTheReferences) {
  const QuantizedText result = QuantizeText(kMixed, kQdq,
                                            {{"x", {-1, 1}},
                                             {"c", {-1, 1}},
                                             {"r", {0, 1}},
                                             {"p", {-1, 1}},
                                             {"s", {0, 1}},
                                             {"q", {0, 1}},
                                             {"y", {-1, 1}},
                                             {"t", {1, 6}}});
  EXPECT_EQ(result.Reason("sigmoid"), "");
  EXPECT_EQ(result.Reason("product"), "");
}

}  // namespace
}  // namespace ptq
