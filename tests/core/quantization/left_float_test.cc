// What stays float with nodes that effort leaves float, so that onnxruntime does not quantize them
// after all.
#include "quantization/left_float.h"

#include <gtest/gtest.h>

#include <set>

#include "testing/quantize_text.h"

namespace ptq {
namespace left_float_test {

constexpr char kChain[] = R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[1,1,2,2] x) => (float[1,1,2,2] y) <
      float[1,1,1,1] u = {1.5}, float[1,1,1,1] v = {0.5}, float[1,1,1,1] w = {2.5},
      float[1,1,1,1] z = {3.5}> {
      [first] a = Conv (x, u)
      [second] b = Conv (a, v)
      [relu] c = Relu (b)
      [third] d = Conv (c, w)
      [skip] e = Add (c, d)
      [fourth] y = Conv (e, z)
    })";

using Names = std::set<std::string>;

QuantizedText Quantized(const std::string& text, const char* options,
                        const std::vector<std::string>& float_nodes) {
  MemoryFiles files(Serialize(ParseModelText(text)));
  StaticQuantizer quantizer(&files);
  StaticQuantConfig config = ParseConfig(options);
  config.optimize_model = false;
  quantizer.Configure(config);
  quantizer.Prepare();
  TensorRanges ranges;
  for (const char* tensor : {"x", "a", "b", "c", "d", "e", "y"}) ranges[tensor] = {-1, 2};
  quantizer.SetRanges(ranges);
  Repairs repairs;
  repairs.float_nodes = float_nodes;
  QuantizedText result;
  result.report = quantizer.Quantize("", repairs);
  return result;
}

Names FloatOf(const QuantizedText& result) {
  Names names;
  for (const QuantizedNode& node : result.report.nodes) {
    if (node.plan.action == NodeAction::kFloat) names.insert(node.name);
  }
  return names;
}

Names TensorsOf(const QuantizedText& result) {
  Names names;
  for (const TensorPlan& tensor : result.report.tensors) names.insert(tensor.tensor);
  return names;
}

TEST(LeftFloatTest, ALayerBetweenQuantizedOnesWritesFloatAndItsReadersHaveFloatWeights) {
  const QuantizedText result = Quantized(kChain, kQdq, {"second"});
  EXPECT_EQ(FloatOf(result), (Names{"second", "relu", "third"}));
  // Neither what it writes, through its Relu, nor the weights of both.
  EXPECT_EQ(TensorsOf(result), (Names{"x", "u", "a", "d", "e", "z", "y"}));
  for (const QuantizedNode& node : result.report.nodes) {
    if (node.plan.action != NodeAction::kFloat) continue;
    EXPECT_EQ(node.plan.reason.code, FloatReasonCode::kLeftByEffort) << node.name;
  }
}

TEST(LeftFloatTest, ALayerThatReadsFloatMayWriteQuantizedData) {
  const QuantizedText result = Quantized(kChain, kQdq, {"first"});
  EXPECT_EQ(FloatOf(result), (Names{"first"}));
  EXPECT_EQ(TensorsOf(result), (Names{"a", "v", "b", "c", "w", "d", "e", "z", "y"}));
}

TEST(LeftFloatTest, InQOperatorWhateverReadsAFloatLayerIsFloat) {
  EXPECT_EQ(FloatOf(Quantized(kChain, kQOperator, {"second"})),
            (Names{"second", "relu", "third", "skip"}));
}

TEST(LeftFloatTest, WhatIsNoLayerIsFloatByItself) {
  const QuantizedText result = Quantized(kChain, kQdq, {"skip"});
  EXPECT_EQ(FloatOf(result), (Names{"skip"}));
  EXPECT_TRUE(TensorsOf(result).contains("e"));  // the fourth layer reads it
}

TEST(LeftFloatTest, NodesThatTheModelDoesNotHaveAreRefused) {
  try {
    Quantized(kChain, kQdq, {"frist"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidOption);
    EXPECT_EQ(error.hint(), "did you mean \"first\"?");
  }
}

TEST(LeftFloatTest, WithoutAChoiceThereIsNothing) {
  TextModel text(kChain);
  const GraphView view(text.model.graph());
  EXPECT_TRUE(FindLeftFloat(view, {}, true).empty());
}

}  // namespace left_float_test
}  // namespace ptq
