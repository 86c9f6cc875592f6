// Tensors that may have no values: what follows from the number of boxes that a sample has.
#include "quantization/may_be_empty.h"

#include <gtest/gtest.h>

#include "testing/quantize_text.h"

namespace ptq {
namespace {

std::unordered_set<std::string> Found(const std::string& nodes, const std::string& infos = "") {
  const onnx::ModelProto model = ParseModelText(
      R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[N,4] x, bool[N] keep) => (y)
      <float[4,4] w = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, int64 zero = {0})" +
      infos + "> {" + nodes + "}");
  return TensorsThatMayBeEmpty(GraphView(model.graph()));
}

TEST(MayBeEmptyTest, WhatComesFromSelectedValues) {
  EXPECT_TRUE(Found("i = NonZero (x) t = Transpose (i) y = GatherND (x, t)").contains("y"));
  EXPECT_TRUE(Found("c = Compress <axis = 0> (x, keep) y = MatMul (c, w)").contains("y"));
  EXPECT_TRUE(
      Found("u = Unique (x) s = Shape (u) e = ConstantOfShape (s) f = Add (e, u) y = Neg (f)")
          .contains("y"));
}

TEST(MayBeEmptyTest, NotWhatAsksAboutShapesAlone) {
  // How exporters number positions.
  const auto found = Found(R"(s = Shape (x) o = ConstantOfShape (s) i = NonZero (o)
      t = Transpose (i) y = GatherND (x, t))");
  EXPECT_TRUE(found.empty());
}

TEST(MayBeEmptyTest, NotWhatTheModelSaysTheSizeOf) {
  EXPECT_FALSE(
      Found("c = Compress <axis = 0> (x, keep) h = MatMul (c, w) y = Neg (h)", ", float[3,4] h")
          .contains("y"));
  EXPECT_FALSE(Found("i = NonZero (x) t = Transpose (i) v = GatherND (x, t) "
                     "y = ScatterND (x, t, v)")
                   .contains("y"));
  EXPECT_FALSE(Found("i = NonZero (x) y = Shape (i)").contains("y"));
}

TEST(MayBeEmptyTest, SoftmaxOfSuchStaysFloatInQOperatorAndNotInQdq) {
  const std::string text = R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[N,4] x, bool[N] keep) => (float[M,4] y)
      <float[4,4] w = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}> {
        c = Compress <axis = 0> (x, keep)
        [m] h = MatMul (c, w)
        [s] y = Softmax <axis = -1> (h)
      })";
  const TensorRanges ranges = {{"x", {-1, 1}}, {"c", {-1, 1}}, {"h", {-9, 9}}, {"y", {0, 1}}};
  const QuantizedText result = QuantizeText(text, kQOperator, ranges);
  EXPECT_EQ(result.Reason("m"), "");
  EXPECT_NE(result.Reason("s").find("may be empty"), std::string::npos);
  EXPECT_EQ(QuantizeText(text, kQdq, ranges).Reason("s"), "");
}

}  // namespace
}  // namespace ptq
