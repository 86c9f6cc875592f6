// Where the steps behind a layer are looked for, and where a MatMul has its bias; how weights are
// made is tested with the passes that use it.
#include "passes/fold_behind.h"

#include <gtest/gtest.h>

#include <array>

#include "passes/fold_channels.h"
#include "passes/pass_test.h"

namespace ptq {
namespace fold_behind_test {

int FoldAll(PassContext& context) {
  static constexpr std::array<std::string_view, 5> kAll = {"Add", "BatchNormalization", "Div",
                                                           "Mul", "Sub"};
  return FoldBehind(context, kAll, "_f");
}

constexpr char kConstants[] =
    R"(<float[2,2] w = {1.0, 2.0, 3.0, 4.0}, float[2] s = {2.0, 10.0}, float[2] t = {0.5, 0.25},
    float[2] g = {2.0, 3.0}, float[2] b = {0.5, 1.0}, float[2] m = {1.0, -2.0}, float[2] v = {1.0, 4.0},
    int64[3] cube = {-1, 2, 1}, int64[2] rows = {-1, 2}, int64[2] other = {-1, 4}, int64[1] last = {2}> )";

TEST(FoldBehind, AMatMulIsScaled) {
  Channels test("g (float[N,M,2] x) => (float y) " + std::string(kConstants) +
                "{ p = MatMul(x, w) q = Mul(p, s) y = Div(q, t) }");
  EXPECT_EQ(test.Run(FoldAll), 2);
  EXPECT_EQ(Wiring(test.graph()), "MatMul(x,w_f)->y");
  ExpectNear(test.Input(0, 1), {4, 80, 12, 160});
  EXPECT_EQ(test.Run(FoldAll), 0);
}

TEST(FoldBehind, OfAMatMulAndItsAdd) {
  Channels test("g (float[N,M,2] x) => (float y) " + std::string(kConstants) +
                "{ p = MatMul(x, w) q = Add(t, p) y = Mul(q, s) }");
  EXPECT_EQ(test.Run(FoldAll), 1);
  EXPECT_EQ(Wiring(test.graph()), "MatMul(x,w_f)->p; Add(p,t_f)->y");
  ExpectNear(test.Values("w_f"), {2, 20, 6, 40});
  ExpectNear(test.Values("t_f"), {1, 2.5f});
}

TEST(FoldBehind, AMatrixGetsItsBiasInAGemm) {
  Channels test("g (float[N,2] x) => (float y) " + std::string(kConstants) +
                "{ [p] p = MatMul(x, w) y = BatchNormalization<epsilon = 0.0>(p, g, b, m, v) }");
  EXPECT_EQ(test.Run(FoldAll), 1);
  EXPECT_EQ(Wiring(test.graph()), "Gemm(x,w_f,w_f_bias)->y");
  ExpectNear(test.Input(0, 1), {2, 3, 6, 6});
  ExpectNear(test.Input(0, 2), {0.5f - 2, 1 + 3});
}

TEST(FoldBehind, OtherProductsInAnAdd) {
  const std::string head = "g (float[N,M,2] x) => (float y) " + std::string(kConstants);
  Channels test(head + "{ p = MatMul(x, w) q = Mul(p, s) r = Sub(t, q) y = Add(r, r) }");
  EXPECT_EQ(test.Run(FoldAll), 2);
  EXPECT_EQ(Wiring(test.graph()), "MatMul(x,w_f)->p; Add(p,w_f_bias)->r; Add(r,r)->y");
  ExpectNear(test.Values("w_f"), {-2, -20, -6, -40});
  ExpectNear(test.Values("w_f_bias"), {0.5f, 0.25f});
  EXPECT_EQ(test.Run(FoldAll), 0);
  Channels alone(head + "{ p = MatMul(x, w) y = Add(p, t) }");  // FuseMatMulAdd's
  EXPECT_EQ(alone.Run(FoldAll), 0);
  Channels behind(
      head + "{ p = MatMul(x, w) q = Transpose<perm = [1, 0, 2]>(p) r = Mul(q, s) y = Sub(r, t) }");
  EXPECT_EQ(behind.Run(FoldAll), 0);  // no place for the bias
}

TEST(FoldBehind, BehindNodesThatMoveValues) {
  Channels test("g (float[N,2] x) => (float y) " + std::string(kConstants) + R"({
    p = Gemm(x, w, t) c = Reshape(p, cube) n = BatchNormalization<epsilon = 0.0>(c, g, b, m, v)
    r = Reshape(n, rows) y = Mul(r, s) })");
  EXPECT_EQ(test.Run(FoldAll), 2);
  EXPECT_EQ(Wiring(test.graph()), "Gemm(x,w_f,t_f)->p; Reshape(p,cube)->n; Reshape(n,rows)->y");
  ExpectNear(test.Input(0, 1), {4, 30, 12, 60});
  ExpectNear(test.Input(0, 2), {((0.5f - 1) * 2 + 0.5f) * 2, ((0.25f + 2) * 1.5f + 1) * 10});
  Channels lost("g (float[4,2] x) => (float y) " + std::string(kConstants) +
                "{ p = Gemm(x, w, t) c = Reshape(p, other) y = Mul(c, c2) }");
  AddFloats(&lost.graph(), "c2", {4}, {1, 2, 3, 4});
  EXPECT_EQ(lost.Run(FoldAll), 0);
  Channels unknown("g (float[N,2] x, int64[R] d) => (float y) " + std::string(kConstants) +
                   "{ p = Gemm(x, w, t) c = Reshape(p, d) y = Mul(c, s) }");
  EXPECT_EQ(unknown.Run(FoldAll), 0);
}

TEST(FoldBehind, NothingElseReadsWhatIsBetween) {
  const auto stays = [](const std::string& outputs, const std::string& body) {
    Channels test("g (float[N,2] x, bool k) => (" + outputs + ") " + kConstants + "{ " + body +
                  " }");
    EXPECT_EQ(test.Run(FoldAll), 0) << body;
  };
  stays("float y, float z", "p = Gemm(x, w) y = Mul(p, s) z = Relu(p)");
  stays("float y, float p", "p = Gemm(x, w) y = Mul(p, s)");
  stays("float y, float z", "p = Gemm(x, w) c = Reshape(p, rows) y = Mul(c, s) z = Relu(c)");
  stays("float y, float z",
        "p = Gemm(x, w) y = Mul(p, s) z = If(k) <then_branch = a () => (float u) { u = Relu(p) },"
        " else_branch = e () => (float o) { o = Neg(p) }>");
}

TEST(FoldBehind, ANameThatIsWrittenTwiceEndsTheChain) {
  Channels test("g (float[N,2] x) => (float y) " + std::string(kConstants) +
                "{ p = Gemm(x, w) p = Mul(p, s) }");
  EXPECT_LE(test.Run(FoldAll), 1);
}

TEST(FoldBehind, TheScaleOfAnAttentionStays) {
  const std::string body = "{ q = Gemm(x, w) a = Mul(q, e) r = Transpose(k) y = MatMul(a, r) }";
  Channels test(
      "g (float[N,2] x, float[N,2] k) => (float y) <float[2,2] w = {1.0, 2.0, 3.0, 4.0}, float e = "
      "{0.5}> " +
      body);
  EXPECT_EQ(test.Run(FoldAll), 0);
  Channels weights(
      "g (float[N,2] x) => (float y) <float[2,2] w = {1.0, 2.0, 3.0, 4.0}, float e = {0.5}> "
      "{ q = Gemm(x, w) a = Mul(q, e) y = MatMul(a, w) }");
  EXPECT_EQ(weights.Run(FoldAll), 1);
}

TEST(FoldBehind, AWeightIsScaledAlikeOnlyInOneLayout) {
  // The same factors, along rows for one node and columns for the other.
  Channels test(R"(g (float[N,16] x) => (float y, float z) {
    p = Gemm(x, w) y = Mul(p, s) q = Gemm<transB = 1>(x, w) z = Mul(q, s) })");
  AddFloats(&test.graph(), "w", {16, 16}, SomeFloats(256));
  AddFloats(&test.graph(), "s", {16}, SomeFloats(16, 2));
  EXPECT_EQ(test.Run(FoldAll), 0);
}

}  // namespace fold_behind_test
}  // namespace ptq
