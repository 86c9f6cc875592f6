// Models that are quantized already, wholly or in part, and outputs that keep [0, 1].
#include "quantization/quantized_already.h"

#include <gtest/gtest.h>

#include "testing/quantize_text.h"

namespace ptq {
namespace quantized_already_test {

std::string Options(const std::string& format) {
  return R"({"quant_format": ")" + format + R"("})";
}

// conv0 between pairs of the model as given, conv1 in float.
constexpr char kPartly[] = R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[1,1,2,2] x) => (float[1,1,2,2] y)
    <float s = {0.1}, uint8 z = {128}, int8 wz = {0}, int8[1,1,1,1] w0 = {10}, float[1,1,1,1] w1 = {2}> {
      qx = QuantizeLinear (x, s, z)
      dx = DequantizeLinear (qx, s, z)
      dw = DequantizeLinear (w0, s, wz)
      [conv0] c = Conv (dx, dw)
      qc = QuantizeLinear (c, s, z)
      dc = DequantizeLinear (qc, s, z)
      [conv1] y = Conv (dc, w1)
    })";

class QuantizedAlreadyTest : public testing::TestWithParam<const char*> {
 protected:
  QuantizedText Quantize(const std::string& text, TensorRanges ranges) const {
    return QuantizeText(text, Options(GetParam()), std::move(ranges));
  }
};

const QuantizedNode& NodeOf(const QuantizedText& result, const std::string& name) {
  for (const QuantizedNode& node : result.report.nodes) {
    if (node.name == name) return node;
  }
  throw std::invalid_argument("no node " + name);
}

TEST_P(QuantizedAlreadyTest, PairsStayAndTheRestIsQuantized) {
  const QuantizedText result = Quantize(kPartly, {{"x", {-1, 1}},
                                                  {"dx", {-1, 1}},
                                                  {"dw", {-1, 1}},
                                                  {"c", {-2, 2}},
                                                  {"dc", {-2, 2}},
                                                  {"y", {-4, 4}}});
  EXPECT_EQ(NodeOf(result, "conv0").plan.reason.code, FloatReasonCode::kAlreadyQuantized)
      << result.Reason("conv0");
  EXPECT_EQ(result.Reason("conv1"), "");
  EXPECT_EQ(NodeOf(result, "conv1").weight, WeightForm::kQuantized);
  int w0 = 0;
  for (const onnx::NodeProto& node : result.graph().node()) {
    for (const std::string& input : node.input()) w0 += input == "w0";
    if (node.op_type() == "Conv" && node.name() == "conv0") {
      EXPECT_EQ(node.input(1), "dw");
    }
    if (node.op_type() == "QuantizeLinear") {
      EXPECT_NE(node.input(0), "dw");
    }
  }
  EXPECT_EQ(w0, 1);
}

TEST_P(QuantizedAlreadyTest, DynamicQuantizationIsLeftAlone) {
  const QuantizedText result = Quantize(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,2] x) => (float[1,2] y) <int8[2,2] w = {1, 2, 3, 4}, int8 wz = {0}, float ws = {0.1},
          float[2] b = {1, 2}, float[2,2] v = {1, 2, 3, 4}> {
        [before] h = Add (x, b)
        q, s, z = DynamicQuantizeLinear (h)
        i = MatMulInteger (q, w, z, wz)
        f = Cast <to = 1> (i)
        [scales] m = Mul (s, ws)
        [scaled] u = Mul (f, m)
        [after] y = MatMul (u, v)
      })",
                                        {{"x", {-1, 1}},
                                         {"h", {-1, 3}},
                                         {"s", {0, 0.1f}},
                                         {"m", {0, 0.1f}},
                                         {"f", {-900, 900}},
                                         {"u", {-9, 9}},
                                         {"y", {-40, 40}}});
  for (const char* name : {"before", "scales", "scaled"}) {
    EXPECT_EQ(NodeOf(result, name).plan.reason.code, FloatReasonCode::kAlreadyQuantized) << name;
  }
  EXPECT_EQ(result.Reason("after"), "");
}

TEST(AlreadyQuantizedTest, AFloatBiasBetweenPairsTakesTheirScales) {
  const QuantizedText result = QuantizeText(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x) => (float[1,1,2,2] y)
      <float s = {0.5}, uint8 z = {128}, float ws = {0.25}, int8 wz = {0}, int8[1,1,1,1] w = {10}, float[1] b = {3}> {
        q = QuantizeLinear (x, s, z)
        d = DequantizeLinear (q, s, z)
        dw = DequantizeLinear (w, ws, wz)
        [conv] y = Conv (d, dw, b)
      })",
                                            Options("QDQ"), {{"x", {-1, 1}}, {"y", {-4, 4}}});
  EXPECT_EQ(result.Floats("b_quantized_scale")[0], 0.125f);
  EXPECT_EQ(result.Ints("b_quantized")[0], 24);
  EXPECT_EQ(result.Node("QuantizeLinear").input(0), "x");  // one only
}

TEST(AlreadyQuantizedTest, QdqPutsNoPairBeforeAQuantizeLinear) {
  const QuantizedText result = QuantizeText(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,2,2] x) => (float[1,1,2,2] y)
      <float s = {0.5}, uint8 z = {128}, float[1,1,1,1] w = {2}> {
        [conv] c = Conv (x, w)
        q = QuantizeLinear (c, s, z)
        y = DequantizeLinear (q, s, z)
      })",
                                            Options("QDQ"), {{"x", {-1, 1}}, {"c", {-2, 2}}});
  EXPECT_EQ(result.Reason("conv"), "");
  int quantizers = 0;
  for (const onnx::NodeProto& node : result.graph().node()) {
    quantizers += node.op_type() == "QuantizeLinear";
    if (node.op_type() == "Conv") {
      EXPECT_EQ(node.output(0), "c");
    }
  }
  EXPECT_EQ(quantizers, 2);  // of x, and the given one
}

INSTANTIATE_TEST_SUITE_P(Formats, QuantizedAlreadyTest, testing::Values("QDQ", "QOperator"));

TEST(AlreadyQuantizedTest, PrepareNamesIt) {
  const auto diagnosed = [](const std::string& text) {
    MemoryFiles files(Serialize(ParseModelText(text)));
    StaticQuantizer quantizer(&files);
    quantizer.Configure({});
    for (const Diagnostic& diagnostic : quantizer.Prepare().diagnostics) {
      if (diagnostic.code == "ALREADY_QUANTIZED") return diagnostic.message.str();
    }
    return std::string();
  };
  EXPECT_NE(diagnosed(kPartly).find("5 of its 7 nodes"), std::string::npos) << diagnosed(kPartly);
  EXPECT_EQ(diagnosed(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[2] x) => (float[2] y) { y = Relu (x) })"),
            "");
}

TEST(WeightFormTest, SaysWhatTheFileHolds) {
  const QuantizedText result = QuantizeText(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,2] x, float[2,2] a) => (float[1,2] y)
      <float[2,2] w = {1, 2, 3, 4}, float[2] seed = {1, 2}, int64[2] shape = {2, 1}> {
        [stored] h = MatMul (x, w)
        column = Reshape (seed, shape)
        row = Softmax <axis = 1> (w)
        [computed] k = MatMul (h, row)
        [data] y = MatMul (k, a)
      })",
                                            Options("QDQ"),
                                            {{"x", {-1, 1}},
                                             {"a", {-1, 1}},
                                             {"h", {-4, 4}},
                                             {"column", {1, 2}},
                                             {"row", {0, 1}},
                                             {"k", {-4, 4}},
                                             {"y", {-4, 4}}});
  EXPECT_EQ(NodeOf(result, "stored").weight, WeightForm::kQuantized);
  EXPECT_EQ(NodeOf(result, "computed").weight, WeightForm::kComputed);
  EXPECT_EQ(NodeOf(result, "data").weight, WeightForm::kNone);
  const QuantizedText excluded =
      QuantizeText(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,2] x) => (float[1,2] y) <float[2,2] w = {1, 2, 3, 4}> { [n] y = MatMul (x, w) })",
                   R"({"quant_format": "QDQ", "nodes_to_exclude": ["n"]})", {});
  EXPECT_EQ(NodeOf(excluded, "n").weight, WeightForm::kFloat);
}

// Softmax and Sigmoid write [0, 1], whatever the samples reached.
struct UnitCase {
  const char* op;
  const char* type;
  float highest;  // of what the samples reached
  float scale;
  int32_t zero_point;
};

TEST(UnitIntervalTest, SoftmaxAndASigmoidOfWhichASliverWasSeenKeepIt) {
  const UnitCase cases[] = {
      {"Softmax", "QUInt8", 0.7f, 1.0f / 256, 0},
      {"Softmax", "QInt8", 0.01f, 1.0f / 256, -128},
      {"Softmax", "QUInt16", 0.7f, 1.0f / 65536, 0},
      {"Softmax", "QInt16", 0.7f, 1.0f / 65536, -32768},
      {"Sigmoid", "QUInt8", 0.01f, 1.0f / 256, 0},
      {"Sigmoid", "QInt8", 0.01f, 1.0f / 256, -128},
      {"Sigmoid", "QUInt8", 0.51f, 0.51f / 255, 0},
  };
  for (const UnitCase& c : cases) {
    for (const std::string format : {"QDQ", "QOperator"}) {
      if (format == "QOperator" && std::string(c.type).ends_with("16")) continue;
      SCOPED_TRACE(std::string(c.op) + " " + c.type + " " + format);
      const QuantizedText result =
          QuantizeText(std::string(R"(<ir_version: 8, opset_import: ["" : 13]>
          g (float[1,4] x) => (float[1,4] y) { y = )") +
                           c.op + " (x) }",
                       R"({"quant_format": ")" + format + R"(", "activation_type": ")" + c.type +
                           R"(", "weight_type": "QInt8"})",
                       {{"x", {-1, 1}}, {"y", {0.0f, c.highest}}});
      EXPECT_EQ(result.Floats("y_scale")[0], static_cast<float>(static_cast<double>(c.scale)));
      EXPECT_EQ(result.Ints("y_zero_point")[0], c.zero_point);
    }
  }
}

TEST(UnitIntervalTest, SymmetricActivationsKeepTheMiddle) {
  const QuantizedText result = QuantizeText(
      R"(<ir_version: 8, opset_import: ["" : 13]> g (float[1,4] x) => (float[1,4] y) { y = Softmax (x) })",
      R"({"quant_format": "QDQ", "activation_type": "QInt8", "weight_type": "QInt8",
          "extra_options": {"ActivationSymmetric": true}})",
      {{"x", {-1, 1}}, {"y", {0.0f, 0.5f}}});
  EXPECT_EQ(result.Floats("y_scale")[0], 1.0f / 127);
  EXPECT_EQ(result.Ints("y_zero_point")[0], 0);
}

TEST(PerChannelTest, MatMulWeightsOfRank4AreQuantizedPerTensor) {  // D12
  for (const std::string dims : {"1,2,4,5", "2,2,4,5"}) {
    onnx::ModelProto model = ParseModelText(R"(<ir_version: 8, opset_import: ["" : 13]>
        g (float[1,2,3,4] x) => (float[N,2,3,5] y) <float[4,5] v = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}> {
          y = MatMul (x, w) [matrix] z = MatMul (x, v) })");
    const int64_t batch = dims[0] - '0';
    AddFloats(model.mutable_graph(), "w", {batch, 2, 4, 5},
              SomeFloats(static_cast<size_t>(batch) * 40));
    const QuantizedText result =
        QuantizeModel(model, R"({"quant_format": "QDQ", "per_channel": true})",
                      {{"x", {-1, 1}}, {"y", {-4, 4}}, {"z", {-40, 40}}});
    EXPECT_EQ(result.Floats("w_scale").size(), 1u);
    EXPECT_EQ(result.Floats("v_scale").size(), 5u);
  }
}

TEST(BiasShapeTest, ScaleAndZeroPointOfABiasHaveOneShape) {
  for (const std::string per_channel : {"false", "true"}) {
    const QuantizedText result = QuantizeText(
        R"(<ir_version: 8, opset_import: ["" : 13]> g (float[1,1,2,2] x) => (float[1,2,2,2] y)
           <float[2,1,1,1] w = {1, 2}, float[2] b = {3, 4}> { y = Conv (x, w, b) })",
        R"({"quant_format": "QDQ", "weight_type": "QInt8", "per_channel": )" + per_channel + "}",
        {{"x", {-1, 1}}, {"y", {-4, 8}}});
    const int rank = per_channel == "true" ? 1 : 0;
    EXPECT_EQ(InitializerOf(result.graph(), "b_quantized_scale").dims_size(), rank);
    EXPECT_EQ(InitializerOf(result.graph(), "b_quantized_zero_point").dims_size(), rank);
  }
}

}  // namespace quantized_already_test
}  // namespace ptq
