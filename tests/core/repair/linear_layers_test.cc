#include "repair/linear_layers.h"

#include <gtest/gtest.h>

#include "passes/infer_shapes.h"
#include "testing/model_text.h"

namespace ptq {
namespace {

TEST(LinearLayersTest, FindsTheChannelsOfEachElementOfAWeight) {
  TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,4,3,3] x, float[2,3] a) => (float[1,2,3,3] c, float[2,5] m, float[2,5] t) <
        float[2,2,1,2] w = {1, 2, 3, 4, 5, 6, 7, 8}> {
        c = Conv <group = 2> (x, w)
        m = MatMul (a, b)
        t = Gemm <transB = 1> (a, d)
      })");
  AddFloats(&text.model.graph(), "b", {3, 5}, SomeFloats(15));
  AddFloats(&text.model.graph(), "d", {5, 3}, SomeFloats(15));
  InferShapes(text.model);
  const GraphView view(text.model.graph());
  const std::vector<LinearLayer> layers = FindLinearLayers(view);
  ASSERT_EQ(layers.size(), 3);
  const LinearLayer& conv = layers[0];
  EXPECT_EQ(conv.outputs, 2);
  EXPECT_EQ(conv.inputs, 4);
  EXPECT_EQ(conv.axis, 1);
  EXPECT_EQ(conv.PlaceOf(0).output, 0);  // [output 0, input 0, tap 0]
  EXPECT_EQ(conv.PlaceOf(3).input, 1);   // [0, 1, tap 1]
  EXPECT_EQ(conv.PlaceOf(4).output, 1);  // [1, 0, tap 0]: the first input of the second group
  EXPECT_EQ(conv.PlaceOf(4).input, 2);
  EXPECT_EQ(conv.PlaceOf(7).input, 3);
  EXPECT_EQ(layers[1].axis, 1);
  EXPECT_EQ(layers[1].PlaceOf(7).output, 2);  // row 1 of 5 columns
  EXPECT_EQ(layers[1].PlaceOf(7).input, 1);
  EXPECT_EQ(layers[2].PlaceOf(7).output, 2);  // row 2 of 3
  EXPECT_EQ(layers[2].PlaceOf(7).input, 1);
  EXPECT_TRUE(layers[2].is_observed);
}

TEST(LinearLayersTest, LeavesOutWhatIsNotAConstantMatrixTimesAnActivation) {
  TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[2,2] x, float[2,2] z) => (float[2,2] y) <float[2,2] w = {1, 2, 3, 4}> {
        a = MatMul (x, z)
        b = MatMul (w, x)
        c = Gemm <transA = 1> (x, w)
        y = Add (a, b)
      })");
  InferShapes(text.model);
  EXPECT_TRUE(FindLinearLayers(GraphView(text.model.graph())).empty());
}

TEST(LinearLayersTest, ATensorIsObservedAlongOneAxisOnly) {
  TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,2,2,2] x) => (float[1,1,2,2] c, float[1,2,2,2] m) <
        float[1,2,1,1] w = {1, 2}, float[2,2] v = {1, 2, 3, 4}>
      { c = Conv (x, w) m = MatMul (x, v) })");
  InferShapes(text.model);
  const std::vector<LinearLayer> layers = FindLinearLayers(GraphView(text.model.graph()));
  ASSERT_EQ(layers.size(), 2);
  EXPECT_TRUE(layers[0].is_observed);
  EXPECT_FALSE(layers[1].is_observed);
}

}  // namespace
}  // namespace ptq
