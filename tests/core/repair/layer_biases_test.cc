#include "repair/layer_biases.h"

#include <gtest/gtest.h>

#include <limits>

#include "passes/infer_shapes.h"
#include "testing/model_text.h"

namespace ptq {
namespace {

TEST(LayerBiasesTest, ScalesAndAddsAndGivesABiasWhereThereIsNone) {
  TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,1,1] x) => (float[1,2,1,1] y, float[1,2,1,1] z) <
        float[2,1,1,1] w = {1, 2}, float[2,1,1,1] v = {3, 4}, float[2] b = {10, 20}>
      { y = Conv (x, w, b) z = Conv (x, v) })");
  InferShapes(text.model);
  const GraphView view(text.model.graph());
  const std::vector<LinearLayer> layers = FindLinearLayers(view);
  LayerBiases biases(view, &text.model);
  EXPECT_TRUE(biases.Change(layers[0], std::vector<float>{2, 0.5f}, std::vector<double>{1, 2}));
  EXPECT_TRUE(biases.Change(layers[1], {}, std::vector<double>{7, 8}));
  biases.Apply();
  const auto floats = [&](const std::string& name) {
    return text.model.tensors().ReadFloats(InitializerOf(text.model.graph(), name));
  };
  EXPECT_EQ(floats("b"), (std::vector<float>{21, 12}));
  EXPECT_EQ(floats(text.model.graph().node(1).input(2)), (std::vector<float>{7, 8}));
}

TEST(LayerBiasesTest, WhereNothingIsAddedALayerWithoutABiasStaysWithout) {
  TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,1,1] x) => (float[1,1,1,1] y) <float[1,1,1,1] w = {1}> { y = Conv (x, w) })");
  InferShapes(text.model);
  const GraphView view(text.model.graph());
  LayerBiases biases(view, &text.model);
  const LinearLayer layer = FindLinearLayers(view)[0];
  EXPECT_TRUE(biases.Change(layer, std::vector<float>{2}, std::vector<double>{0}));
  biases.Apply();
  EXPECT_EQ(text.model.graph().node(0).input_size(), 2);
}

TEST(LayerBiasesTest, RefusesComputedBiasesAndValuesThatAreNotFinite) {
  TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,1,1,1] x, float[1] c) => (float[1,1,1,1] y, float[1,1,1,1] z) <
        float[1,1,1,1] w = {1}, float[1,1,1,1] v = {1}, float[1] b = {1}>
      { y = Conv (x, w, c) z = Conv (x, v, b) })");
  InferShapes(text.model);
  const GraphView view(text.model.graph());
  const std::vector<LinearLayer> layers = FindLinearLayers(view);
  LayerBiases biases(view, &text.model);
  EXPECT_FALSE(biases.CanAdd(layers[0]));
  EXPECT_FALSE(biases.Change(layers[0], {}, std::vector<double>{1}));
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_FALSE(biases.Change(layers[1], {}, std::vector<double>{infinity}));
}

}  // namespace
}  // namespace ptq
