#include "passes/infer_shapes.h"

#include <gtest/gtest.h>

#include <unordered_map>

#include "onnx/shape_inference/implementation.h"
#include "passes/bounded_schemas.h"
#include "passes/shape_text.h"
#include "testing/model_text.h"

namespace ptq {
namespace infer_shapes_test {

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

TEST(InferShapes, KnowsOperatorsThatOnnxGivesABodyOnly) {
  TextModel text(R"(<ir_version: 8, opset_import: ["" : 18]>
      g (float[2,4,5] x, float[4,1] k, float[2] s) => (bool[A,B,C] y) {
    a = GroupNormalization<num_groups = 2>(x, s, s)
    b = MeanVarianceNormalization(a)
    c = GreaterOrEqual(b, k)
    d = LessOrEqual(k, b)
    y = And(c, d)
  })");
  InferShapes(text.model);
  for (const char* name : {"a", "b", "c", "d"}) {
    EXPECT_EQ(ShapeOf(text.model, name), "2,4,5") << name;
  }
  const GraphView view(text.model.graph());
  EXPECT_EQ(view.ElementType("b"), onnx::TensorProto::FLOAT);
  EXPECT_EQ(view.ElementType("c"), onnx::TensorProto::BOOL);
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

// Elements that data propagation keeps, at some 65 bytes each.
uint64_t PropagatedElements(const Model& model) {
  onnx::ModelProto copy = model.proto();
  const BoundedSchemas schemas;
  const onnx::ShapeInferenceOptions options(false, 0, true);
  std::unordered_map<std::string, onnx::TensorShapeProto> values;
  onnx::shape_inference::InferShapes(copy, &schemas, options, &values);
  uint64_t elements = 0;
  for (const auto& [tensor, value] : values) elements += static_cast<uint64_t>(value.dim_size());
  return elements;
}

TEST(InferShapes, LongVectorsAreNotPropagated) {
  TextModel text(std::string(kHead) + R"(g (float[480000] x, int64[9600000] n) => (float[A] y)
      <int64[1] one = {1}, int64[1] axis = {0}> {
    a = Add(x, x) b = Mul(a, x) c = Sub(b, a) d = Cast<to = 1>(c)
    e = Concat<axis = 0>(d, x) f = Add(n, n) h = Cast<to = 7>(e) i = Mul(h, h)
    j = Slice(i, one, one) k = Squeeze(j, axis) y = Foo(k)
  })");
  EXPECT_LT(PropagatedElements(text.model), 100u);
  Diagnostics diagnostics;
  InferShapes(text.model, &diagnostics);
  EXPECT_TRUE(diagnostics.empty());
  EXPECT_EQ(ShapeOf(text.model, "i"), "960000");
  EXPECT_EQ(ShapeOf(text.model, "f"), "9600000");
}

TEST(InferShapes, EndlessAndVeryLongRangesHaveNoLength) {
  const auto range = [](const std::string& start, const std::string& limit,
                        const std::string& delta) {
    TextModel text(std::string(kHead) + "g (float[2] x) => (int64[A] y) <int64 s = {" + start +
                   "}, int64 l = {" + limit + "}, int64 d = {" + delta +
                   "}> { r = Range(s, l, d) y = Neg(r) }");
    EXPECT_LT(PropagatedElements(text.model), 100u);
    Diagnostics diagnostics;
    InferShapes(text.model, &diagnostics);
    EXPECT_TRUE(diagnostics.empty());
    return ShapeOf(text.model, "r");
  };
  EXPECT_EQ(range("0", "10", "3"), "4");
  EXPECT_EQ(range("0", "100000", "1"), "100000");
  EXPECT_EQ(range("0", "10", "0").substr(0, 3), "unk");  // a name that inference makes up
  EXPECT_EQ(range("0", "9000000000000", "1").substr(0, 3), "unk");
}

}  // namespace infer_shapes_test
}  // namespace ptq
