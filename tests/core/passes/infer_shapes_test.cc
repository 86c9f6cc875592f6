#include "passes/infer_shapes.h"

#include <gtest/gtest.h>

#include "passes/shape_text.h"
#include "testing/model_text.h"

namespace ptq {
namespace {

constexpr char kHead[] = R"(<ir_version: 8, opset_import: ["" : 13, "custom" : 1]> )";

TEST(InferShapes, FollowsShapeComputations) {
  TextModel text(std::string(kHead) + R"(g (float[2,3,8,8] x) => (float[A,B] y)
      <int64 zero = {0}, int64[1] at = {0}, int64[1] rest = {192}, float[1] one = {1.0}> {
    r = Relu(x)
    s = Shape(r) n = Gather(s, zero) u = Unsqueeze(n, at) t = Concat<axis = 0>(u, rest)
    v = Expand(one, t)
    y = Identity(v)
  })");
  Diagnostics diagnostics;
  InferShapes(text.model, &diagnostics);
  EXPECT_TRUE(diagnostics.empty());
  EXPECT_EQ(ShapeOf(text.model, "r"), "2,3,8,8");
  EXPECT_EQ(ShapeOf(text.model, "v"), "2,192");
}

TEST(InferShapes, WeightsByReferenceAreNotRead) {
  TextModel text(std::string(kHead) +
                 "g (float[1,64,8,8] x) => (float[1,64,8,8] z) { y = Conv<pads = [1,1,1,1]>(x, w) "
                 "z = Relu(y) }");
  AddRawFloats(&text.model.graph(), "w", {64, 64, 3, 3}, SomeFloats(64 * 64 * 9));
  onnx::TensorProto* w = text.model.graph().mutable_initializer(0);
  const std::string bytes = w->raw_data();
  text.model.tensors().SetBytes(w, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  text.files.ResetCounters();
  Diagnostics diagnostics;
  InferShapes(text.model, &diagnostics);
  EXPECT_EQ(ShapeOf(text.model, "y"), "1,64,8,8");
  EXPECT_EQ(text.files.bytes_read(), 0u);
  EXPECT_TRUE(diagnostics.empty());
}

TEST(InferShapes, UnknownOperatorsAndWrongNodesLeaveTheRestAlone) {
  TextModel text(std::string(kHead) + R"(g (float[2,3] x) => (float[2,3] y) <float[5,5] k = {}> {
    a = Relu(x)
    b = custom.Unknown(a)
    bad = MatMul(a, k)
    c = Neg(a)
    y = Foo(b, bad, c)
  })");
  InferShapes(text.model);
  EXPECT_EQ(ShapeOf(text.model, "a"), "2,3");
  EXPECT_EQ(ShapeOf(text.model, "b"), "");
  EXPECT_EQ(ShapeOf(text.model, "c"), "2,3");
}

TEST(InferShapes, AFailureIsADiagnosticAndKeepsWhatIsKnown) {
  TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]> g (float[2,3] x) => (float[2,3] y) {
    a = Relu(x) b = nowhere.Op(a) y = Neg(b) })");
  Diagnostics diagnostics;
  InferShapes(text.model, &diagnostics);
  ASSERT_EQ(diagnostics.size(), 1u);
  EXPECT_EQ(diagnostics[0].code, "SHAPE_INFERENCE_INCOMPLETE");
  EXPECT_EQ(ShapeOf(text.model, "a"), "2,3");
}

TEST(InferShapes, SubgraphBodiesStayAsTheyAre) {
  TextModel text(std::string(kHead) + R"(g (float[2] x, bool c) => (float[2] y) {
    y = If(c) <then_branch = t () => (float[2] p) { h = Neg(x) p = Relu(h) },
               else_branch = e () => (float[2] q) { q = Neg(x) }>
  })");
  const std::string before = TextOf(text.model.graph().node(0));
  InferShapes(text.model);
  EXPECT_EQ(TextOf(text.model.graph().node(0)), before);
}

}  // namespace
}  // namespace ptq
