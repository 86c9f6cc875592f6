#include <gtest/gtest.h>

#include <limits>

#include "model/tensor_builder.h"
#include "passes/pass_registry.h"
#include "testing/model_text.h"

namespace ptq {
namespace {

std::string Head(int opset) {
  return "<ir_version: 8, opset_import: [\"\" : " + std::to_string(opset) + "]> ";
}

struct Folded {
  // `body` computes r, which y reads.
  explicit Folded(const std::string& initializers, const std::string& body, int opset = 13)
      : text(Head(opset) + "g (float[2,3,8] x, float[N,3] dynamic) => (float[1] y) <" +
             initializers + "> { " + body + " y = Foo(r) }") {
    PassContext context{text.model, diagnostics};
    count = FoldConstants(context);
  }

  bool done() const { return text.model.graph().node_size() == 1; }
  const onnx::TensorProto& r() const { return InitializerOf(text.model.graph(), "r"); }
  std::vector<int64_t> dims() const { return {r().dims().begin(), r().dims().end()}; }
  std::vector<int64_t> ints() const { return text.model.tensors().ReadInts(r()); }
  std::vector<float> floats() const { return text.model.tensors().ReadFloats(r()); }

  TextModel text;
  Diagnostics diagnostics;
  int count = 0;
};

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

TEST(FoldConstants, ThePadsOfPyTorchBecomeAnInitializer) {
  // torch.nn.functional.pad(x, (1, 2, 0, 1)) as exported for opset 11: reversed pairs, zeros in
  // front.
  const Folded folded(
      R"(int64[1] four = {4}, int64[4] pads = {1, 2, 0, 1}, int64[2] pairs = {-1, 2},
      int64[1] last = {-1}, int64[1] end = {-9223372036854775807}, int64[1] axis = {0}, int64[1] flat = {-1})",
      R"(z = ConstantOfShape<value = int64[1] {0}>(four)
      c = Concat<axis = 0>(pads, z)
      m = Reshape(c, pairs)
      s = Slice(m, last, end, axis, last)
      t = Transpose<perm = [1, 0]>(s)
      f = Reshape(t, flat)
      r = Cast<to = 7>(f))",
      11);
  EXPECT_EQ(folded.count, 7);
  ASSERT_TRUE(folded.done());
  EXPECT_EQ(folded.ints(), (Ints{0, 0, 0, 1, 0, 0, 1, 2}));
}

TEST(FoldConstants, ShapeCountsWhereInputsDetermineIt) {
  const Folded folded("int64[1] i = {1}, int64[1] j = {2}",
                      "h = Relu(x) s = Shape(h) a = Gather(s, i) b = Gather(s, j) r = Mul(a, b)");
  EXPECT_EQ(folded.count, 4);
  EXPECT_EQ(folded.ints(), (Ints{24}));
}

TEST(FoldConstants, ShapeWithAnUnknownDimensionStays) {
  const Folded folded("int64[1] i = {1}", "s = Shape(dynamic) r = Gather(s, i)");
  EXPECT_EQ(folded.count, 0);
}

TEST(FoldConstants, ShapeDoesNotTrustTheFilesValueInfo) {
  // The file claims [1, 3], left from an export with batch 1.
  const Folded folded("float[1,3] h", "h = Relu(dynamic) r = Shape(h)");
  EXPECT_EQ(folded.count, 0);
}

TEST(FoldConstants, ShapeTakesStartAndEnd) {
  EXPECT_EQ(Folded("", "r = Shape<start = -2, end = 9>(x)", 15).ints(), (Ints{3, 8}));
  EXPECT_EQ(Folded("", "r = Shape<start = 2, end = 1>(x)", 15).ints(), (Ints{}));
}

TEST(FoldConstants, IntegerArithmeticBroadcastsTruncatesAndWraps) {
  const std::string two = "int64[2,1] a = {-7, 5}, int64[2] b = {2, -3}";
  EXPECT_EQ(Folded(two, "r = Add(a, b)").ints(), (Ints{-5, -10, 7, 2}));
  EXPECT_EQ(Folded(two, "r = Sub(a, b)").ints(), (Ints{-9, -4, 3, 8}));
  EXPECT_EQ(Folded(two, "r = Mul(a, b)").ints(), (Ints{-14, 21, 10, -15}));
  EXPECT_EQ(Folded(two, "r = Div(a, b)").ints(), (Ints{-3, 2, 2, -1}));
  EXPECT_EQ(Folded(two, "r = Less(a, b)").ints(), (Ints{1, 1, 0, 0}));
  EXPECT_EQ(Folded(two, "r = Greater(a, b)").ints(), (Ints{0, 0, 1, 1}));
  EXPECT_EQ(Folded("int32[1] a = {2147483647}, int32[1] b = {1}", "r = Add(a, b)").ints(),
            (Ints{-2147483648}));
  EXPECT_EQ(Folded("int64[2] a = {3, -4}", "r = Neg(a)").ints(), (Ints{-3, 4}));
}

TEST(FoldConstants, UndefinedArithmeticIsLeftToTheRuntime) {
  EXPECT_FALSE(Folded("int64[1] a = {1}, int64[1] b = {0}", "r = Div(a, b)").done());
  EXPECT_FALSE(Folded("float[1] a = {3000000000.0}", "r = Cast<to = 6>(a)").done());
  EXPECT_FALSE(Folded("int64[2] a = {1, 2}, int64[3] b = {1, 2, 3}", "r = Add(a, b)").done());
  EXPECT_FALSE(Folded("int64[2] a = {1, 2}, int64[1] i = {2}", "r = Gather(a, i)").done());
}

TEST(FoldConstants, FloatArithmetic) {
  const std::string two = "float[2] a = {1.5, -2.0}, float b = {4.0}";
  EXPECT_EQ(Folded(two, "r = Add(a, b)").floats(), (Floats{5.5f, 2.0f}));
  EXPECT_EQ(Folded(two, "r = Div(a, b)").floats(), (Floats{0.375f, -0.5f}));
  EXPECT_EQ(Folded(two, "r = Neg(a)").floats(), (Floats{-1.5f, 2.0f}));
  EXPECT_EQ(Folded(two, "r = Greater(a, b)").ints(), (Ints{0, 0}));
}

TEST(FoldConstants, Casts) {
  EXPECT_EQ(Folded("float[3] a = {1.9, -1.9, 0.0}", "r = Cast<to = 7>(a)").ints(),
            (Ints{1, -1, 0}));
  EXPECT_EQ(Folded("float[3] a = {0.5, 0.0, -3.0}", "r = Cast<to = 9>(a)").ints(), (Ints{1, 0, 1}));
  EXPECT_EQ(Folded("int64[2] a = {256, 3}", "r = Cast<to = 9>(a)").ints(), (Ints{1, 1}));
  EXPECT_EQ(Folded("int64[1] a = {4294967297}", "r = Cast<to = 6>(a)").ints(), (Ints{1}));
  EXPECT_EQ(Folded("int64[2] a = {-2, 7}", "r = Cast<to = 1>(a)").floats(), (Floats{-2.0f, 7.0f}));
  EXPECT_EQ(Folded("float[2] a = {1.0, -0.5}", "h = Cast<to = 10>(a) r = Cast<to = 1>(h)").floats(),
            (Floats{1.0f, -0.5f}));
}

TEST(FoldConstants, Movement) {
  const std::string six =
      "int64[2,3] a = {1, 2, 3, 4, 5, 6}, int64[1] one = {1}, int64[1] zero = {0}";
  EXPECT_EQ(Folded(six, "r = Transpose(a)").ints(), (Ints{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(Folded(six, "r = Concat<axis = -1>(a, a)").ints(),
            (Ints{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}));
  EXPECT_EQ(Folded(six, "r = Gather<axis = 1>(a, one)").ints(), (Ints{2, 5}));
  EXPECT_EQ(Folded(six, "r = Unsqueeze(a, zero)").dims(), (Ints{1, 2, 3}));
  EXPECT_EQ(Folded(six, "r = Unsqueeze<axes = [0, -1]>(a)", 11).dims(), (Ints{1, 2, 3, 1}));
  EXPECT_EQ(Folded("int64[1,2,1] a = {1, 2}", "r = Squeeze(a)").dims(), (Ints{2}));
  EXPECT_EQ(Folded("int64[1,2,1] a = {1, 2}", "r = Squeeze<axes = [-1]>(a)", 11).dims(),
            (Ints{1, 2}));
  EXPECT_EQ(Folded("int64[2,1] a = {1, 2}, int64[2] s = {1, 3}", "r = Expand(a, s)").ints(),
            (Ints{1, 1, 1, 2, 2, 2}));
}

TEST(FoldConstants, SlicesForwardsBackwardsAndClamped) {
  const std::string ten = "int64[6] a = {0, 1, 2, 3, 4, 5}, ";
  const auto slice = [&](const std::string& arguments) {
    return Folded(ten + arguments, "r = Slice(a, s, e, x0, t)").ints();
  };
  EXPECT_EQ(slice("int64[1] s = {1}, int64[1] e = {99}, int64[1] x0 = {0}, int64[1] t = {2}"),
            (Ints{1, 3, 5}));
  EXPECT_EQ(slice("int64[1] s = {-2}, int64[1] e = {-9}, int64[1] x0 = {0}, int64[1] t = {-2}"),
            (Ints{4, 2, 0}));
  EXPECT_EQ(slice("int64[1] s = {99}, int64[1] e = {3}, int64[1] x0 = {-1}, int64[1] t = {-1}"),
            (Ints{5, 4}));
  EXPECT_EQ(slice("int64[1] s = {4}, int64[1] e = {2}, int64[1] x0 = {0}, int64[1] t = {1}"),
            (Ints{}));
  EXPECT_EQ(
      Folded("int64[2,2] a = {1, 2, 3, 4}", "r = Slice<starts = [1], ends = [2], axes = [1]>(a)", 9)
          .ints(),
      (Ints{2, 4}));
}

TEST(FoldConstants, ReshapeRules) {
  const std::string data = "int64[2,3] a = {1, 2, 3, 4, 5, 6}, ";
  EXPECT_EQ(Folded(data + "int64[3] s = {0, 1, -1}", "r = Reshape(a, s)").dims(), (Ints{2, 1, 3}));
  EXPECT_FALSE(Folded(data + "int64[1] s = {5}", "r = Reshape(a, s)").done());
  EXPECT_FALSE(Folded(data + "int64[2] s = {-1, -1}", "r = Reshape(a, s)").done());
  EXPECT_EQ(
      Folded("int64[0] a = {}, int64[2] s = {0, 3}", "r = Reshape<allowzero = 1>(a, s)", 14).dims(),
      (Ints{0, 3}));
}

TEST(FoldConstants, RangeWhereAndConstantOfShape) {
  EXPECT_EQ(Folded("int64 a = {1}, int64 b = {8}, int64 c = {3}", "r = Range(a, b, c)").ints(),
            (Ints{1, 4, 7}));
  EXPECT_EQ(Folded("int64 a = {5}, int64 b = {0}, int64 c = {-2}", "r = Range(a, b, c)").ints(),
            (Ints{5, 3, 1}));
  EXPECT_EQ(Folded("int64 a = {5}, int64 b = {0}, int64 c = {2}", "r = Range(a, b, c)").ints(),
            (Ints{}));
  EXPECT_EQ(Folded("int64[2] a = {-1, 4}, int64 n = {-1}, int64 o = {1}",
                   "e = Equal(a, n) r = Where(e, o, a)")
                .ints(),
            (Ints{1, 4}));
  EXPECT_EQ(Folded("int64[1] s = {2}", "r = ConstantOfShape(s)").floats(), (Floats{0, 0}));
}

TEST(FoldConstants, ResultsLargerThanTheLimitStayUnlessMadeFromAsMuch) {
  EXPECT_FALSE(Folded("int64[2] s = {1024, 1024}", "r = ConstantOfShape(s)").done());
  EXPECT_FALSE(Folded("int64[2] s = {4611686018427387904, 8}", "r = ConstantOfShape(s)").done());
  TextModel text(Head(13) + "g (float[1] x) => (float[1] y) { t = Transpose(w) y = MatMul(x, t) }");
  const std::vector<float> weight = SomeFloats(300 * 400);
  AddRawFloats(&text.model.graph(), "w", {300, 400}, weight);
  Diagnostics diagnostics;
  PassContext context{text.model, diagnostics};
  EXPECT_EQ(FoldConstants(context), 1);
  const auto& transposed = InitializerOf(text.model.graph(), "t");
  const std::vector<float> values = text.model.tensors().ReadFloats(transposed);
  ASSERT_EQ(values.size(), weight.size());
  EXPECT_EQ(values[5 * 300 + 7], weight[7 * 400 + 5]);
}

TEST(FoldConstants, ReshapedWeightsKeepTheirDataWhereItIs) {
  TextModel text(Head(13) + R"(g (float[1] x) => (float[1] y) <int64[2] s = {-1, 400}> {
    t = Reshape(w, s) y = MatMul(x, t) })");
  AddRawFloats(&text.model.graph(), "w", {3, 100, 400}, SomeFloats(3 * 100 * 400));
  onnx::TensorProto* w = text.model.graph().mutable_initializer(1);
  ASSERT_EQ(w->name(), "w");
  const std::string bytes = w->raw_data();
  text.model.tensors().SetBytes(w, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  text.files.ResetCounters();
  Diagnostics diagnostics;
  PassContext context{text.model, diagnostics};
  EXPECT_EQ(FoldConstants(context), 1);
  EXPECT_EQ(text.files.bytes_read(), 0u);
  EXPECT_EQ(text.model.tensors().ReadFloats(InitializerOf(text.model.graph(), "t")),
            text.model.tensors().ReadFloats(InitializerOf(text.model.graph(), "w")));
}

struct FoldedShape {
  FoldedShape(const std::string& initializers, const std::string& body, int opset = 13)
      : text(Head(opset) +
             "g (float[N,3,8,8] x, float[N,3,8,8] same, float[?,3,8,8] other) => (float[N,K] y) <" +
             initializers + "> { " + body + " y = Reshape(d, t) }") {
    PassContext context{text.model, diagnostics};
    count = FoldReshapeShapes(context);
  }
  std::vector<int64_t> shape() const {
    const onnx::NodeProto& reshape = text.model.graph().node(text.model.graph().node_size() - 1);
    return text.model.tensors().ReadInts(InitializerOf(text.model.graph(), reshape.input(1)));
  }

  TextModel text;
  Diagnostics diagnostics;
  int count = 0;
};

TEST(FoldReshapeShapes, CopiedDimensionsBecomeZeros) {
  const std::string zero =
      "int64 i = {0}, int64[1] j = {0}, int64[1] one = {1}, int64[1] rest = {-1}";
  const FoldedShape view(
      zero, R"(d = GlobalAveragePool(x) s = Shape(d) n = Gather(s, i) u = Unsqueeze(n, j)
      t = Concat<axis = 0>(u, rest))");
  EXPECT_EQ(view.count, 1);
  EXPECT_EQ(view.shape(), (Ints{0, -1}));
  // PaddlePaddle's form; a dimension that keeps its name on the way counts as the same.
  const FoldedShape paddle(
      zero,
      R"(d = GlobalAveragePool(x) s = Shape(x) c = Cast<to = 6>(s) n = Slice(c, j, one, j, one)
      v = Cast<to = 7>(n) t = Concat<axis = 0>(v, rest))");
  EXPECT_EQ(paddle.count, 1);
  EXPECT_EQ(paddle.shape(), (Ints{0, -1}));
  // Known dimensions are numbers.
  EXPECT_EQ(FoldedShape("int64[1] one = {1}, int64[1] rest = {-1}",
                        "d = Relu(x) s = Shape(x) n = Gather(s, one) t = Concat<axis = 0>(n, rest)")
                .shape(),
            (Ints{3, -1}));
}

TEST(FoldReshapeShapes, OtherDimensionsStay) {
  const std::string constants = "int64[1] i = {0}, int64[1] rest = {-1}";
  // At another place than in the data, of another tensor, and where 0 means 0.
  EXPECT_EQ(FoldedShape(constants,
                        "d = Relu(x) s = Shape(x) n = Gather(s, i) t = Concat<axis = 0>(rest, n)")
                .count,
            0);
  EXPECT_EQ(
      FoldedShape(constants,
                  "d = Relu(x) s = Shape(other) n = Gather(s, i) t = Concat<axis = 0>(n, rest)")
          .count,
      0);
  TextModel text(
      Head(14) +
      "g (float[N,3] x) => (float[N,3] y) { s = Shape(x) y = Reshape<allowzero = 1>(x, s) }");
  Diagnostics diagnostics;
  PassContext context{text.model, diagnostics};
  EXPECT_EQ(FoldReshapeShapes(context), 0);
}

TEST(FoldConstants, GraphOutputsAndReplaceableInputsStay) {
  TextModel text(Head(13) + R"(g (int64[1] a) => (int64[1] y, int64[1] z) <int64[1] b = {1}> {
    y = Add(b, b) c = Add(a, b) z = Neg(c) })");
  AddInts(&text.model.graph(), "a", {1}, {2});
  Diagnostics diagnostics;
  PassContext context{text.model, diagnostics};
  EXPECT_EQ(FoldConstants(context), 0);
}

TEST(FoldConstants, EightBitFloatsAreMovedLikeOtherBytes) {
  TextModel text(Head(19) + "g () => (float[1] y) { r = Transpose(w) y = Foo(r) }");
  *text.model.graph().add_initializer() =
      RawTensor("w", onnx::TensorProto::FLOAT8E4M3FN, Ints{2, 2}, std::vector<uint8_t>{1, 2, 3, 4});
  Diagnostics diagnostics;
  PassContext context{text.model, diagnostics};
  ASSERT_EQ(FoldConstants(context), 1);
  std::vector<uint8_t> bytes(4);
  text.model.tensors().ReadBytes(InitializerOf(text.model.graph(), "r"), 0, bytes);
  EXPECT_EQ(bytes, (std::vector<uint8_t>{1, 3, 2, 4}));
}

TEST(FoldConstants, PackedTypesStayAsTheyAre) {
  TextModel text(Head(21) + "g () => (float[1] y) { r = Transpose(w) y = Foo(r) }");
  *text.model.graph().add_initializer() =
      IntTensor("w", onnx::TensorProto::INT4, Ints{2, 2}, Ints{1, 2, 3, 4});
  Diagnostics diagnostics;
  PassContext context{text.model, diagnostics};
  EXPECT_EQ(FoldConstants(context), 0);
}

}  // namespace
}  // namespace ptq
