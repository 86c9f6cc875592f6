#include <gtest/gtest.h>

#include "model/tensor_builder.h"
#include "passes/fold_channels.h"
#include "passes/pass_test.h"

namespace ptq {
namespace {

TEST(FoldInputScale, ARowOfThemIsFoldedAtOnce) {
  Channels test(R"(g (float[N,2] x) => (float[N,2] y)
      <float[2,2] w = {1.0, 2.0, 3.0, 4.0}, float[2] k = {0.5, 0.25}, float[1,2] t = {1.0, -1.5}, float s = {2.0}> {
    a = Mul(t, x) b = Div(a, s) y = Gemm(b, w, k) })");
  EXPECT_EQ(test.Run(FoldInputScale), 2);
  EXPECT_EQ(Wiring(test.graph()), "Gemm(x,w_in_folded,k)->y");
  ExpectNear(test.Input(0, 1), {0.5f, 1, -2.25f, -3});  // rows are inputs
  EXPECT_EQ(test.Run(FoldInputScale), 0);
}

TEST(FoldInputScale, ByEitherLayout) {
  Channels test(R"(g (float[N,2] x) => (float[N,1] y)
      <float[1,2] w = {1.0, 2.0}, float[2] s = {2.0, 4.0}> { a = Mul(s, x) y = Gemm<transB = 1>(a, w) })");
  EXPECT_EQ(test.Run(FoldInputScale), 1);
  ExpectNear(test.Input(0, 1), {2, 8});
}

TEST(FoldInputScale, ConvolutionsByGroups) {
  Channels conv(R"(g (float[1,4,5,5] x) => (float y)
      <float[2,2,1,2] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0}, float[4,1,1] s = {1.0, 2.0, 1.5, 1.25}> {
    a = Mul(x, s) y = Conv<group = 2, pads = [0, 1, 0, 0]>(a, w) })");
  EXPECT_EQ(conv.Run(FoldInputScale), 1);
  ExpectNear(conv.Input(0, 1), {1, 2, 6, 8, 7.5f, 9, 8.75f, 10});
  Channels transposed(R"(g (float[1,2,5,5] x) => (float y)
      <float[2,1,1,2] w = {1.0, 2.0, 3.0, 4.0}, float[2,1,1] s = {2.0, 3.0}> { a = Mul(x, s) y = ConvTranspose(a, w) })");
  EXPECT_EQ(transposed.Run(FoldInputScale), 1);
  ExpectNear(transposed.Input(0, 1), {2, 4, 9, 12});
}

TEST(FoldInputScale, OnlyWhatQuantizesAsWellInside) {
  const auto folds = [](const std::string& body) {
    Channels test(
        "g (float[N,2] x) => (float y) <float[2,1] w = {1.0, 2.0}, float[2] s = {1.0, 2.0}, "
        "float[2] far = {1.0, 2.1}, float[2] zero = {1.0, 0.0}, float[2] g = {1.0, 1.0}> { " +
        body + " y = Gemm(a, w) }");
    return test.Run(FoldInputScale);
  };
  EXPECT_EQ(folds("a = Mul(x, s)"), 1);
  EXPECT_EQ(folds("a = Mul(x, far)"), 0);
  EXPECT_EQ(folds("a = Mul(x, zero)"), 0);
  EXPECT_EQ(folds("a = Div(x, zero)"), 0);
  EXPECT_EQ(folds("a = Add(x, s)"), 0);
  EXPECT_EQ(folds("a = Sub(x, s)"), 0);
  EXPECT_EQ(folds("a = BatchNormalization(x, g, g, g, g)"), 0);
  EXPECT_EQ(folds("b = Add(x, s) a = Mul(b, s)"), 1);
}

TEST(FoldInputScale, AllReadersTakeItOrNone) {
  const std::string graph = R"(g (float[N,2] x) => (float y, float z)
      <float[2,1] v = {1.0, 2.0}, float[2,2] w = {1.0, 2.0, 3.0, 4.0}, float[2] s = {2.0, 4.0}> { a = Mul(x, s) y = Gemm(a, v) z = )";
  Channels both(graph + "MatMul(a, w) }");
  EXPECT_EQ(both.Run(FoldInputScale), 1);
  ExpectNear(both.Input(0, 1), {2, 8});
  ExpectNear(both.Input(1, 1), {2, 4, 12, 16});
  const auto stays = [&](const std::string& last) {
    Channels test(graph + last + " }");
    EXPECT_EQ(test.Run(FoldInputScale), 0) << last;
  };
  stays("Relu(a)");
  stays("MatMul(w, a)");
  stays("Gemm<transA = 1>(a, w)");
  Channels output(
      R"(g (float[N,2] x) => (float y, float[N,2] a) <float[2,1] w = {1.0, 2.0}, float[2] s = {2.0, 4.0}> {
    a = Mul(x, s) y = Gemm(a, w) })");
  EXPECT_EQ(output.Run(FoldInputScale), 0);
  Channels captured(
      R"(g (float[N,2] x, bool c) => (float y, float z) <float[2,1] w = {1.0, 2.0}, float[2] s = {2.0, 4.0}> {
    a = Mul(x, s) y = Gemm(a, w)
    z = If(c) <then_branch = t () => (float u) { u = Relu(a) }, else_branch = e () => (float v) { v = Neg(a) }> })");
  EXPECT_EQ(captured.Run(FoldInputScale), 0);
}

TEST(FoldInputScale, StaysWhereTheResultWouldDiffer) {
  const auto stays = [](const std::string& inputs, const std::string& constant,
                        const std::string& body) {
    Channels test("g (" + inputs + ") => (float y) <float[2,1] w = {1.0, 2.0}, " + constant +
                  "> { " + body + " }");
    EXPECT_EQ(test.Run(FoldInputScale), 0) << body;
  };
  const std::string body = "a = Mul(x, s) y = MatMul(a, w)";
  stays("float[N,1] x", "float[2] s = {2.0, 4.0}", body);                  // stretches x
  stays("float[N,K] x", "float[2] s = {2.0, 4.0}", body);                  // may stretch x
  stays("float[N,2] x", "float[1,1,2] s = {2.0, 4.0}", body);              // another axis
  stays("float[2,2] x", "float[2,1] s = {2.0, 4.0}", body);                // along the rows
  stays("float[N,2] q", "float[2] s = {2.0, 4.0}", "x = Foo(q) " + body);  // unknown rank
  stays("float[N,2] x, float[2] s", "float q = {2.0}", body);
  stays("float[N,2] x, float[2] s", "float[2] s = {2.0, 4.0}", body);  // callers may replace it
  stays("float[N,2] x, float[2,1] w", "float[2] s = {2.0, 4.0}", body);
  stays("float[N,2] x", "float[2] s = {2.0, 4.0}", "a = Div(s, x) y = MatMul(a, w)");
  Channels one("g (float[N,K] x) => (float y) <float[2,1] w = {1.0, 2.0}, float s = {2.0}> { " +
               body + " }");
  EXPECT_EQ(one.Run(FoldInputScale), 1);  // one number stretches nothing
}

TEST(FoldInputScale, TheEndOfAnActivationFunctionStays) {
  const std::string graph = R"(g (float[1,1,5,5] x) => (float y)
      <float[1,1,1,1] w = {1.0}, float three = {3.0}, float zero = {0.0}, float six = {6.0}> {
    a = Add(x, three) c = Clip(a, zero, six) m = Mul(x, c) d = Div(m, six) y = Conv(d, w) })";
  Channels test(graph);
  EXPECT_EQ(test.Run(FoldInputScale), 0);
}

TEST(FoldInputScale, AWeightThatSeveralShareStaysOne) {
  const auto run = [](const std::string& second) {
    Channels test(
        "g (float[N,16] x) => (float z) <float s = {2.0}, float t = {3.0}> { a = Mul(x, s) y = "
        "MatMul(a, w) b = Mul(y, " +
        second + ") z = MatMul(b, w) }");
    AddFloats(&test.graph(), "w", {16, 16}, SomeFloats(256));
    const int changes = test.Run(FoldInputScale);
    if (changes > 0) {
      EXPECT_EQ(test.graph().node(0).input(1), test.graph().node(1).input(1));
    }
    return changes;
  };
  EXPECT_EQ(run("s"), 2);
  EXPECT_EQ(run("t"), 0);
}

TEST(FoldInputScale, HalfPrecisionKeepsItsDigits) {
  const auto run = [](float weight, float divisor) {
    Channels test("g (float16[N,1] x) => (float16 y) { a = Div(x, s) y = MatMul(a, w) }");
    const auto add = [&](const char* name, std::vector<int64_t> dims, float value) {
      *test.graph().add_initializer() =
          HalfTensor(name, onnx::TensorProto::FLOAT16, dims, std::vector<float>{value});
    };
    add("w", {1, 1}, weight);
    add("s", {}, divisor);
    return test.Run(FoldInputScale);
  };
  EXPECT_EQ(run(0.5f, 256.0f), 1);
  EXPECT_EQ(run(0.01f, 256.0f), 0);  // 0.00004 is subnormal
  EXPECT_EQ(run(1000.0f, 0.001f), 0);
}

}  // namespace
}  // namespace ptq
