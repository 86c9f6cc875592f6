// The parts of a model that are asked about as a whole.
#include "repair/units.h"

#include <gtest/gtest.h>

#include "testing/quantize_text.h"

namespace ptq {
namespace {

std::vector<Unit> UnitsOf(const std::string& text, bool layer_io = false) {
  MemoryFiles files(Serialize(ParseModelText(text)));
  StaticQuantizer quantizer(&files);
  quantizer.Configure(ParseConfig(kQdq));
  quantizer.Prepare();
  TensorRanges ranges;
  const GraphView view(quantizer.prepared()->graph());
  for (const std::string& tensor : view.TensorNames()) ranges[tensor] = {-1, 2};
  quantizer.SetRanges(ranges);
  Repairs repairs;
  repairs.layer_io = layer_io;
  return quantizer.Units(repairs);
}

std::string TextOf(const std::vector<Unit>& units) {
  std::string text;
  for (const Unit& unit : units) {
    for (const std::string& node : unit.nodes) text += node + " ";
    text += "| ";
  }
  return text;
}

constexpr char kSwish[] = R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[1,1,4,4] x) => (float[1,2,4,4] y) <
      float[2,1,3,3] u, float[2,2,1,1] v> {
      [stem] a = Conv <pads = [1, 1, 1, 1]> (x, u)
      [gate] s = Sigmoid (a)
      [gated] b = Mul (a, s)
      [second] c = Conv (b, v)
      [relu] d = Relu (c)
      [skip] y = Add (b, d)
    })";

std::string Filled(std::string text) {
  const auto fill = [&](const std::string& declared, int count) {
    std::string values = declared + " = {";
    for (int i = 0; i < count; ++i) values += i == 0 ? "1" : ", 1";
    text.replace(text.find(declared), declared.size(), values + "}");
  };
  fill("float[2,1,3,3] u", 18);
  fill("float[2,2,1,1] v", 4);
  return text;
}

TEST(UnitsTest, ALayerIsOneWithItsReluAndAChainBetweenLayersIsOne) {
  EXPECT_EQ(TextOf(UnitsOf(Filled(kSwish))), "stem | gate gated | second relu | skip | ");
}

TEST(UnitsTest, WhatThePlanLeavesFloatIsInNone) {
  EXPECT_EQ(TextOf(UnitsOf(Filled(kSwish), true)), "stem | second relu | ");
}

TEST(UnitsTest, ProductsAndBytesAreThoseOfTheLayer) {
  const std::vector<Unit> units = UnitsOf(Filled(kSwish));
  ASSERT_EQ(units.size(), 4u);
  EXPECT_EQ(units[0].products, 2u * 16 * 9);
  EXPECT_EQ(units[0].weight_bytes, 18u * 4);
  EXPECT_EQ(units[1].products, 0u);
  EXPECT_EQ(units[1].weight_bytes, 0u);
  EXPECT_EQ(units[2].products, 2u * 16 * 2);
}

TEST(UnitsTest, ProductsOfMatricesGoByTheirRows) {
  const std::vector<Unit> units = UnitsOf(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[5,2] x) => (float[5,1] y) <
        float[2,3] m = {1, 2, 3, 4, 5, 6}, float[1,3] n = {1, 2, 3}> {
        [matmul] a = MatMul (x, m)
        [gemm] y = Gemm <transB = 1> (a, n)
      })");
  ASSERT_EQ(units.size(), 2u);
  EXPECT_EQ(units[0].products, 5u * 3 * 2);
  EXPECT_EQ(units[1].products, 5u * 1 * 3);
}

}  // namespace
}  // namespace ptq
