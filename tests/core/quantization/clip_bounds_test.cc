#include "quantization/clip_bounds.h"

#include <gtest/gtest.h>

#include "testing/model_text.h"

namespace ptq {
namespace clip_bounds_test {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::optional<ClipBounds> BoundsOf(const std::string& text) {
  const TextModel model(text);
  const GraphView view(model.model.graph());
  return FindClipBounds(view.node(view.node_count() - 1), model.model, view);
}

void ExpectBounds(const std::string& text, float low, float high) {
  const std::optional<ClipBounds> bounds = BoundsOf(text);
  ASSERT_TRUE(bounds) << text;
  EXPECT_EQ(bounds->low, low) << text;
  EXPECT_EQ(bounds->high, high) << text;
}

TEST(ClipBoundsTest, ReluHasNoUpperEnd) {
  ExpectBounds(R"(<ir_version: 8, opset_import: ["" : 13]> g (float[4] x) => (float[4] y)
                  { y = Relu (x) })",
               0, kInfinity);
}

TEST(ClipBoundsTest, EndsAreAttributesAndSinceOpset11Inputs) {
  ExpectBounds(R"(<ir_version: 8, opset_import: ["" : 6]> g (float[4] x) => (float[4] y)
                  { y = Clip <max: float = 6.0, min: float = -1.0> (x) })",
               -1, 6);
  ExpectBounds(R"(<ir_version: 8, opset_import: ["" : 13]> g (float[4] x) => (float[4] y)
                  <float high = {6}> { y = Clip (x, , high) })",
               -kInfinity, 6);
}

TEST(ClipBoundsTest, EndsThatAreComputedAndOtherNodesHaveNone) {
  EXPECT_FALSE(BoundsOf(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[4] x, float high) => (float[4] y) { y = Clip (x, , high) })"));
  EXPECT_FALSE(BoundsOf(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[4] x) => (float[4] y) { y = Sigmoid (x) })"));
  EXPECT_FALSE(BoundsOf(R"(<ir_version: 8, opset_import: ["" : 13, "acme" : 1]>
      g (float[4] x) => (float[4] y) { y = acme.Relu (x) })"));
}

}  // namespace clip_bounds_test
}  // namespace ptq
