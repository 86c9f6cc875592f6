#include "model/computed_weights.h"

#include <gtest/gtest.h>

#include "testing/model_text.h"

namespace ptq {
namespace {

// "tensor by producer" for each node with a computed weight.
std::string Found(const std::string& nodes) {
  const onnx::GraphProto graph = ParseGraphText(
      "g (float[2,2] x) => (float[2,2] y) <float[2,2] w = {1.0, 2.0, 3.0, 4.0}, "
      "int8[2,2] q = {1, 2, 3, 4}, float s = {0.5}> {" +
      nodes + "}");
  const GraphView view(graph);
  std::string found;
  for (int i = 0; i < view.node_count(); ++i) {
    const auto computed = FindComputedWeights(view);
    const auto weight = computed.find(&view.node(i));
    if (weight != computed.end()) found += weight->second.tensor + " by " + weight->second.producer;
  }
  return found;
}

TEST(FindComputedWeights, NamesTheTensorAndWhatMakesIt) {
  EXPECT_EQ(Found("[sine] a = Sin(w) y = MatMul(x, a)"), "a by Sin node 'sine'");
  EXPECT_EQ(Found("a = Sin(w) b = Transpose(a) y = Gemm(b, x)"), "b by Transpose node 'b'");
  EXPECT_EQ(Found("c = Constant<value_float = 1.0>() a = Add(w, c) y = Conv(x, a)"),
            "a by Add node 'a'");
}

TEST(FindComputedWeights, MovedAndDequantizedOnesAndActivationsAreNone) {
  EXPECT_EQ(Found("a = Transpose(w) b = Reshape(a, w) y = MatMul(x, b)"), "");
  EXPECT_EQ(Found("a = Slice(w, w, w) b = Concat<axis = 0>(a, w) y = MatMul(x, b)"), "");
  EXPECT_EQ(Found("a = DequantizeLinear(q, s) b = Transpose(a) y = MatMul(x, b)"), "");
  EXPECT_EQ(Found("a = Sin(x) y = MatMul(w, a)"), "");
  EXPECT_EQ(Found("a = Sin(w) y = Add(x, a)"), "");
  EXPECT_EQ(Found("a = RandomNormalLike(w) y = MatMul(x, a)"), "");
}

}  // namespace
}  // namespace ptq
