// What a quantized model holds as integers, in both formats.
#include "quantization/quantized_tensors.h"

#include <gtest/gtest.h>

#include "testing/quantize_text.h"

namespace ptq {
namespace quantized_tensors_test {

constexpr char kConvs[] = R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[1,1,2,2] x) => (float[1,1,2,2] y)
    <float[1,1,1,1] w0 = {1}, float[1,1,1,1] w1 = {2}> {
      [conv0] c = Conv (x, w0)
      [conv1] y = Conv (c, w1)
    })";

std::string NamesOf(const onnx::GraphProto& graph) {
  std::string names;
  for (const QuantizedTensor& tensor : FindQuantizedTensors(GraphView(graph))) {
    names += tensor.name + (tensor.is_constant ? "! " : " ");
  }
  return names;
}

QuantizedText Quantized(const char* format) {
  return QuantizeText(kConvs, format, {{"x", {-1, 1}}, {"c", {-2, 2}}, {"y", {-4, 4}}});
}

TEST(QuantizedTensorsTest, PairsAreNamedAfterTheFloatTensor) {
  const QuantizedText result = Quantized(kQdq);
  const GraphView view(result.graph());
  const std::vector<QuantizedTensor> tensors = FindQuantizedTensors(view);
  EXPECT_EQ(NamesOf(result.graph()), "w0! w1! x c y ");
  for (const QuantizedTensor& tensor : tensors) {
    if (tensor.name != "y") continue;
    EXPECT_EQ(tensor.before, "y_QuantizeLinear_Input");  // the output has the tensor's own name
    EXPECT_EQ(tensor.after, "y");
    EXPECT_EQ(view.node(tensor.quantize).op_type(), "QuantizeLinear");
    EXPECT_EQ(view.node(tensor.dequantize).op_type(), "DequantizeLinear");
  }
}

TEST(QuantizedTensorsTest, IntegersOfQLinearOperatorsHaveTheParametersOfTheirReaders) {
  const QuantizedText result = Quantized(kQOperator);
  EXPECT_EQ(NamesOf(result.graph()), "x w0! c w1! y ");
  for (const QuantizedTensor& tensor : FindQuantizedTensors(GraphView(result.graph()))) {
    EXPECT_FALSE(tensor.scale.empty()) << tensor.name;
    if (tensor.name != "c") continue;
    EXPECT_EQ(tensor.before, "");
    EXPECT_EQ(tensor.after, "");
    EXPECT_EQ(tensor.quantized, "c_quantized");
    EXPECT_EQ(tensor.scale, "c_scale");
  }
}

TEST(QuantizedTensorsTest, IntegersThatAreOnlyMovedHaveTheParametersOfTheirMaker) {
  const TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (uint8[1,1,4,4] x) => (uint8[1,1,2,2] y)
      <float s = {1}, float t = {2}, uint8 z = {0}, uint8[1,1,1,1] w = {1}> {
        c_quantized = QLinearConv (x, s, z, w, s, z, t, z)
        y = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (c_quantized)
      })");
  EXPECT_EQ(NamesOf(text.model.graph()), "x w! c ");
  EXPECT_EQ(FindQuantizedTensors(GraphView(text.model.graph()))[2].scale, "t");
}

TEST(QuantizedTensorsTest, FloatModelsAndOperatorsOfOtherDomainsHaveNone) {
  EXPECT_EQ(NamesOf(ParseModelText(kConvs).graph()), "");
  const TextModel custom(R"(<ir_version: 8, opset_import: ["" : 13, "acme" : 1]>
      g (float[2] x) => (float[2] y) <float s = {1}, uint8 z = {0}>
      { y = acme.QuantizeLinear (x, s, z) })");
  EXPECT_EQ(NamesOf(custom.model.graph()), "");
}

}  // namespace quantized_tensors_test
}  // namespace ptq
