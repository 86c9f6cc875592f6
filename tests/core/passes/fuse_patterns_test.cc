#include <gtest/gtest.h>

#include "model/attributes.h"
#include "passes/pass_test.h"

namespace ptq {
namespace {

std::string Head(int opset) {
  return "<ir_version: 8, opset_import: [\"\" : " + std::to_string(opset) + "]> ";
}

constexpr char kLayerNorm[] = R"(g (float[2,4] x) => (float[2,4] y)
    <float[4] gamma = {1, 2, 3, 4}, float[4] beta = {4, 3, 2, 1}, float eps = {0.25}> {
  [mean] u = ReduceMean <axes = [1]> (x)
  [centre] d = Sub (x, u)
  [square] q = Mul (d, d)
  [variance] v = ReduceMean <axes = [-1]> (q)
  [shift] e = Add (v, eps)
  [root] s = Sqrt (e)
  [normalize] n = Div (d, s)
  [scale] m = Mul (n, gamma)
  [bias] y = Add (m, beta)
})";

TEST(FusePatterns, LayerNormalizationBecomesOneNode) {
  PassTest test(kLayerNorm, Head(17));
  EXPECT_EQ(FusePatterns(test.context), 1);
  EXPECT_EQ(Wiring(test.graph()), "LayerNormalization(x,gamma,beta)->y");
  const onnx::NodeProto& node = test.graph().node(0);
  EXPECT_EQ(node.name(), "bias");
  EXPECT_EQ(IntAttribute(node, "axis", 0), -1);
  EXPECT_EQ(FloatAttribute(node, "epsilon", 0), 0.25f);
}

TEST(FusePatterns, WhoNamesAPieceNamesTheWhole) {
  PassTest test(kLayerNorm, Head(17));
  FusePatterns(test.context);
  EXPECT_EQ(test.context.inlined.at("variance"), std::vector<std::string>{"bias"});
  EXPECT_EQ(test.context.inlined.size(), 9u);
}

TEST(FusePatterns, AnOpsetWithoutTheOperatorKeepsThePieces) {
  PassTest test(kLayerNorm, Head(16));
  EXPECT_EQ(FusePatterns(test.context), 0);
  EXPECT_EQ(test.graph().node_size(), 9);
}

TEST(FusePatterns, APatternWithoutANodeOfItsOwnStays) {
  PassTest test(R"(g (float[2,4] x) => (float[2,4] y) <float eps = {0.25}> {
      u = ReduceMean <axes = [0]> (x)
      d = Sub (x, u)
      q = Mul (d, d)
      v = ReduceMean <axes = [0]> (q)
      e = Add (v, eps)
      s = Sqrt (e)
      y = Div (d, s)
    })",
                Head(17));
  EXPECT_EQ(FusePatterns(test.context), 0);
}

TEST(FusePatterns, EachOperatorHasTheFirstOpsetThatHasIt) {
  const auto fused = [](const std::string& nodes, int opset) {
    PassTest test(
        "g (float[2,4] x) => (float[2,4] y) <float[4] gamma = {1, 2, 3, 4}, float eps = {0.1}, "
        "float half = {0.5}, float one = {1}, float root = {1.4142135}, float two = {2}, int64[1] "
        "last = {-1}, float three = {3}, float cubic = {0.044715}, float pi2 = {0.79788456}> { " +
            nodes + " }",
        Head(opset));
    if (FusePatterns(test.context) != 1) return std::string();
    const std::string text = TextOf(test.graph().node(0));
    const size_t begin = text.find("y =");  // behind its empty name
    return text.substr(begin, text.find_last_not_of('\n') + 1 - begin);
  };
  const std::string gelu =
      "a = Div (x, root) b = Erf (a) c = Add (b, one) d = Mul (x, c) y = Mul (d, half)";
  EXPECT_EQ(fused(gelu, 19), "");
  EXPECT_EQ(fused(gelu, 20), "y = Gelu (x)");
  EXPECT_EQ(fused("p = Pow (x, three) a = Mul (p, cubic) b = Add (x, a) c = Mul (b, pi2) t = Tanh "
                  "(c) o = Add (t, one) h = Mul (x, half) y = Mul (h, o)",
                  20),
            "y = Gelu <approximate: string = \"tanh\"> (x)");
  const std::string rms =
      "q = Mul (x, x) v = ReduceMean (q, last) e = Add (v, eps) s = Sqrt (e) n = Div (x, s) y = "
      "Mul (n, gamma)";
  EXPECT_EQ(fused(rms, 22), "");
  EXPECT_EQ(fused(rms, 23),
            "y = RMSNormalization <axis: int = -1, epsilon: float = 0.1> (x, gamma)");
  const std::string swish = "a = Mul (x, two) s = Sigmoid (a) y = Mul (s, x)";
  EXPECT_EQ(fused(swish, 23), "");
  EXPECT_EQ(fused(swish, 24), "y = Swish <alpha: float = 2> (x)");
  const std::string hard = "s = HardSigmoid <alpha = 0.16666667, beta = 0.5> (x) y = Mul (x, s)";
  EXPECT_EQ(fused(hard, 13), "");
  EXPECT_EQ(fused(hard, 14), "y = HardSwish (x)");
}

TEST(FusePatterns, TheScoresOfAttentionStayAsTheyAre) {
  const std::string graph = R"(g (float[1,2,4,8] q, float[1,2,8,4] k, float[1,2,4,8] v,
      float[1,1,1,4] mask) => (float[1,2,4,8] y) <float root = {2.828427}> {
    s = MatMul (q, k)
    d = Div (s, root)
    m = Add (d, mask)
    p = Softmax <axis = -1> (m)
    y = MatMul (p, v)
  })";
  PassTest test(graph, Head(17));
  const std::string before = Wiring(test.graph());
  for (const Pass& pass : OptimizePasses()) pass.run(test.context);
  EXPECT_EQ(Wiring(test.graph()), before);
}

}  // namespace
}  // namespace ptq
