#include <gtest/gtest.h>

#include "model/tensor_builder.h"
#include "passes/fold_channels.h"
#include "passes/pass_test.h"

namespace ptq {
namespace {

TEST(FoldInputAffine, ARowOfThemIsFoldedAtOnceIntoAGemm) {
  Channels test(R"(g (float[N,2] x) => (float[N,2] y)
      <float[2,2] w = {1.0, 2.0, 3.0, 4.0}, float[2] k = {0.5, 0.25}, float[2] t = {1.0, 2.0}, float[2] s = {2.0, 4.0}> {
    a = Sub(x, t) b = Div(a, s) y = Gemm(b, w, k) })");
  EXPECT_EQ(test.Run(FoldInputAffine), 2);
  EXPECT_EQ(Wiring(test.graph()), "Gemm(x,w_in_folded,k_in_folded)->y");
  ExpectNear(test.Input(0, 1), {0.5f, 1, 0.75f, 1});  // rows are inputs
  ExpectNear(test.Input(0, 2), {0.5f - 0.5f - 1.5f, 0.25f - 1 - 2});
  EXPECT_EQ(test.Run(FoldInputAffine), 0);
}

TEST(FoldInputAffine, ByEitherLayoutAndWithAlpha) {
  Channels test(R"(g (float[N,2] x) => (float[N,1] y)
      <float[1,2] w = {1.0, 2.0}, float[2] t = {1.0, 2.0}, float[1,2] s = {2.0, 4.0}> {
    a = Mul(s, x) b = Add(t, a) y = Gemm<transB = 1, alpha = 0.5>(b, w) })");
  EXPECT_EQ(test.Run(FoldInputAffine), 2);
  ExpectNear(test.Input(0, 1), {2, 8});
  ExpectNear(test.Input(0, 2), {0.5f * (1 + 4)});
  EXPECT_EQ(test.graph().node(0).input(2), "w_in_folded_bias");
}

TEST(FoldInputAffine, ConvolutionsByGroups) {
  const std::string graph = R"(g (float[1,4,5,5] x) => (float y)
      <float[2,2,1,2] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0}, float[4,1,1] s = {1.0, 2.0, 3.0, 4.0}, float[1,4,1,1] t = {1.0, 1.0, 1.0, 1.0}> {
    a = Mul(x, s) b = Add(a, t) y = Conv<group = 2)";
  Channels valid(graph + ">(b, w) }");
  EXPECT_EQ(valid.Run(FoldInputAffine), 2);
  ExpectNear(valid.Input(0, 1), {1, 2, 6, 8, 15, 18, 28, 32});
  ExpectNear(valid.Input(0, 2), {1 + 2 + 3 + 4, 5 + 6 + 7 + 8});
  // What is added would not be in the padding.
  Channels padded(graph + ", pads = [0, 1, 0, 0]>(b, w) }");
  EXPECT_EQ(padded.Run(FoldInputAffine), 0);
  Channels same(graph + ", auto_pad = \"SAME_UPPER\">(b, w) }");
  EXPECT_EQ(same.Run(FoldInputAffine), 0);
  Channels scaled(R"(g (float[1,1,5,5] x) => (float y) <float[1,1,1,2] w = {1.0, 2.0}, float s = {6.0}, float t = {1.0}> {
    a = Add(x, t) b = Div(a, s) y = Conv<pads = [0, 1, 0, 0]>(b, w) })");
  EXPECT_EQ(scaled.Run(FoldInputAffine), 1);
  EXPECT_EQ(Wiring(scaled.graph()), "Add(x,t)->a; Conv(a,w_in_folded)->y");
  ExpectNear(scaled.Input(1, 1), {1 / 6.0f, 2 / 6.0f});
}

TEST(FoldInputAffine, TransposedConvolutionsOnlyScale) {
  const std::string graph = R"(g (float[1,2,5,5] x) => (float y)
      <float[2,1,1,2] w = {1.0, 2.0, 3.0, 4.0}, float[2,1,1] s = {2.0, 3.0}> { a = )";
  Channels scaled(graph + "Mul(x, s) y = ConvTranspose(a, w) }");
  EXPECT_EQ(scaled.Run(FoldInputAffine), 1);
  ExpectNear(scaled.Input(0, 1), {2, 4, 9, 12});
  Channels shifted(graph + "Add(x, s) y = ConvTranspose(a, w) }");
  EXPECT_EQ(shifted.Run(FoldInputAffine), 0);
}

TEST(FoldInputAffine, BatchNormalizationInFront) {
  Channels test(R"(g (float[N,2] x) => (float[N,1] y)
      <float[2,1] w = {1.0, 2.0}, float[2] g = {2.0, 3.0}, float[2] b = {0.5, 1.0}, float[2] m = {1.0, -2.0}, float[2] v = {1.0, 4.0}> {
    n = BatchNormalization<epsilon = 0.0>(x, g, b, m, v) y = Gemm(n, w) })");
  EXPECT_EQ(test.Run(FoldInputAffine), 1);
  ExpectNear(test.Input(0, 1), {2, 3});
  ExpectNear(test.Input(0, 2), {(0.5f - 2) + 2 * (1 + 3)});
}

TEST(FoldInputAffine, AMatMulTakesTermsIntoTheAddBehindIt) {
  const std::string graph = R"(g (float[N,M,2] x) => (float y)
      <float[2,1] w = {1.0, 2.0}, float[1] k = {0.5}, float[1,1,2] t = {1.0, 2.0}, float[2] s = {2.0, 4.0}> {
    a = Mul(x, s) b = Add(a, t) )";
  Channels biased(graph + "m = MatMul(b, w) y = Add(k, m) }");
  EXPECT_EQ(biased.Run(FoldInputAffine), 2);
  EXPECT_EQ(Wiring(biased.graph()), "MatMul(x,w_in_folded)->m; Add(k_in_folded,m)->y");
  ExpectNear(biased.Values("w_in_folded"), {2, 8});
  ExpectNear(biased.Values("k_in_folded"), {0.5f + 1 + 4});
  Channels plain(graph + "y = MatMul(b, w) }");
  EXPECT_EQ(plain.Run(FoldInputAffine), 0);
}

TEST(FoldInputAffine, TheAddOfAMatMulIsNoTermOfTheNext) {
  Channels test(R"(g (float[N,M,1] x) => (float z)
      <float[1,1] w = {2.0}, float[1] k = {0.5}, float[1,1] v = {3.0}, float[1] l = {0.25}, float s = {4.0}> {
    a = Mul(x, s) m = MatMul(a, w) y = Add(m, k) n = MatMul(y, v) z = Add(n, l) })");
  EXPECT_EQ(test.Run(FoldInputAffine), 1);
  EXPECT_EQ(Wiring(test.graph()),
            "MatMul(x,w_in_folded)->m; Add(m,k)->y; MatMul(y,v)->n; Add(n,l)->z");
}

TEST(FoldInputAffine, AllReadersTakeItOrNone) {
  const std::string graph = R"(g (float[N,2] x) => (float y, float z)
      <float[2,1] v = {1.0, 2.0}, float[2,2] w = {1.0, 2.0, 3.0, 4.0}, float[2] s = {2.0, 4.0}> { a = Mul(x, s) y = Gemm(a, v) z = )";
  Channels both(graph + "MatMul(a, w) }");
  EXPECT_EQ(both.Run(FoldInputAffine), 1);
  ExpectNear(both.Input(0, 1), {2, 8});
  ExpectNear(both.Input(1, 1), {2, 4, 12, 16});
  const auto stays = [&](const std::string& last) {
    Channels test(graph + last + " }");
    EXPECT_EQ(test.Run(FoldInputAffine), 0) << last;
  };
  stays("Relu(a)");
  stays("MatMul(w, a)");
  stays("Gemm<transA = 1>(a, w)");
  Channels output(R"(g (float[N,2] x) => (float y, float[N,2] a) <float[2,1] w = {1.0, 2.0}, float[2] s = {2.0, 4.0}> {
    a = Mul(x, s) y = Gemm(a, w) })");
  EXPECT_EQ(output.Run(FoldInputAffine), 0);
  Channels captured(R"(g (float[N,2] x, bool c) => (float y, float z) <float[2,1] w = {1.0, 2.0}, float[2] s = {2.0, 4.0}> {
    a = Mul(x, s) y = Gemm(a, w)
    z = If(c) <then_branch = t () => (float u) { u = Relu(a) }, else_branch = e () => (float v) { v = Neg(a) }> })");
  EXPECT_EQ(captured.Run(FoldInputAffine), 0);
}

TEST(FoldInputAffine, StaysWhereTheResultWouldDiffer) {
  const auto stays = [](const std::string& inputs, const std::string& constant,
                        const std::string& body) {
    Channels test("g (" + inputs + ") => (float y) <float[2,1] w = {1.0, 2.0}, " + constant + "> { " +
                  body + " }");
    EXPECT_EQ(test.Run(FoldInputAffine), 0) << body;
  };
  const std::string body = "a = Mul(x, s) y = MatMul(a, w)";
  stays("float[N,1] x", "float[2] s = {2.0, 4.0}", body);      // stretches x
  stays("float[N,K] x", "float[2] s = {2.0, 4.0}", body);      // may stretch x
  stays("float[N,2] x", "float[1,1,2] s = {2.0, 4.0}", body);  // another axis
  stays("float[2,2] x", "float[2,1] s = {2.0, 4.0}", body);    // along the rows
  stays("float[N,2] q", "float[2] s = {2.0, 4.0}", "x = Foo(q) " + body);  // unknown rank
  stays("float[N,2] x, float[2] s", "float q = {2.0}", body);
  stays("float[N,2] x, float[2] s", "float[2] s = {2.0, 4.0}", body);  // callers may replace it
  stays("float[N,2] x, float[2,1] w", "float[2] s = {2.0, 4.0}", body);
  stays("float[N,2] x", "float[2] s = {2.0, 4.0}", "a = Div(s, x) y = MatMul(a, w)");
  stays("float[N,2] x", "float[2] s = {1.0, 0.0}", "a = Div(x, s) y = MatMul(a, w)");
  Channels one("g (float[N,K] x) => (float y) <float[2,1] w = {1.0, 2.0}, float s = {2.0}> { " + body +
               " }");
  EXPECT_EQ(one.Run(FoldInputAffine), 1);  // one number stretches nothing
}

TEST(FoldInputAffine, TheEndOfAnActivationFunctionStays) {
  const std::string graph = R"(g (float[1,1,5,5] x) => (float y)
      <float[1,1,1,1] w = {1.0}, float three = {3.0}, float zero = {0.0}, float six = {6.0}> {
    a = Add(x, three) c = Clip(a, zero, six) m = Mul(x, c) d = Div(m, six) y = Conv(d, w) })";
  Channels test(graph);
  EXPECT_EQ(test.Run(FoldInputAffine), 0);
}

TEST(FoldInputAffine, AWeightThatSeveralShareStaysOne) {
  const auto run = [](const std::string& second) {
    Channels test("g (float[N,16] x) => (float z) <float s = {2.0}, float t = {3.0}> { a = Mul(x, s) y = "
                  "MatMul(a, w) b = Mul(y, " +
                  second + ") z = MatMul(b, w) }");
    AddFloats(&test.graph(), "w", {16, 16}, SomeFloats(256));
    const int changes = test.Run(FoldInputAffine);
    if (changes > 0) {
      EXPECT_EQ(test.graph().node(0).input(1), test.graph().node(1).input(1));
    }
    return changes;
  };
  EXPECT_EQ(run("s"), 2);
  EXPECT_EQ(run("t"), 0);
}

TEST(FoldInputAffine, HalfPrecisionKeepsItsDigits) {
  const auto run = [](float weight, float divisor) {
    Channels test("g (float16[N,1] x) => (float16 y) { a = Div(x, s) y = MatMul(a, w) }");
    const auto add = [&](const char* name, std::vector<int64_t> dims, float value) {
      *test.graph().add_initializer() =
          HalfTensor(name, onnx::TensorProto::FLOAT16, dims, std::vector<float>{value});
    };
    add("w", {1, 1}, weight);
    add("s", {}, divisor);
    return test.Run(FoldInputAffine);
  };
  EXPECT_EQ(run(0.5f, 256.0f), 1);
  EXPECT_EQ(run(0.01f, 256.0f), 0);  // 0.00004 is subnormal
  EXPECT_EQ(run(1000.0f, 0.001f), 0);
}

}  // namespace
}  // namespace ptq
