#include <gtest/gtest.h>

#include "base/error.h"
#include "passes/optimize_model.h"
#include "passes/pass_registry.h"
#include "testing/model_text.h"
#include "testing/refusals.h"

namespace ptq {
namespace inline_functions_test {

constexpr char kHead[] = R"(<ir_version: 10, opset_import: ["" : 18, "local" : 1]> )";
constexpr char kFunction[] = R"(<domain: "local", opset_import: ["" : 18, "local" : 1]> )";

struct Inlined {
  explicit Inlined(const std::string& model) : text(model) {
    PassContext context{text.model, diagnostics};
    count = InlineFunctions(context);
  }
  onnx::GraphProto& graph() { return text.model.graph(); }
  // Of the main graph: "Relu(x)->y".
  std::string Wiring() {
    std::string wiring;
    for (const onnx::NodeProto& node : graph().node()) {
      wiring += (wiring.empty() ? "" : "; ") + node.op_type() + "(";
      for (int i = 0; i < node.input_size(); ++i) wiring += (i > 0 ? "," : "") + node.input(i);
      wiring += ")->";
      for (int i = 0; i < node.output_size(); ++i) wiring += (i > 0 ? "," : "") + node.output(i);
    }
    return wiring;
  }

  TextModel text;
  Diagnostics diagnostics;
  int count = 0;
};

TEST(InlineFunctions, CallsBecomeNodesWithNamesOfTheirOwn) {
  Inlined test(std::string(kHead) + R"(g (float[1,3] x, float[3,3] w) => (float[1,3] y) {
      [first] h = local.Block(x, w)
      y = local.Block(h, w)
    })" + kFunction +
               R"(Block (a, b) => (z) { [mm] c = MatMul(a, b) z = Relu(c) })");
  EXPECT_EQ(test.count, 2);
  EXPECT_EQ(test.Wiring(),
            "MatMul(x,w)->first/c; Relu(first/c)->h; MatMul(h,w)->y/c; Relu(y/c)->y");
  EXPECT_EQ(test.graph().node(0).name(), "first/mm");
  EXPECT_EQ(test.graph().node(2).name(), "y/mm");
  EXPECT_EQ(test.text.model.proto().functions_size(), 0);
}

TEST(InlineFunctions, NestedCallsAndThoseInBodiesToo) {
  Inlined test(std::string(kHead) + R"(g (float[2] x, bool c) => (float[2] y) {
      h = local.Outer(x)
      y = If(c) <then_branch = t () => (float[2] p) { p = local.Inner(h) },
                 else_branch = e () => (float[2] q) { q = Neg(h) }>
    })" + kFunction +
               "Outer (a) => (z) { b = local.Inner(a) z = local.Inner(b) }" + kFunction +
               "Inner (a) => (z) { t = Abs(a) z = Sqrt(t) }");
  EXPECT_EQ(test.count, 4);
  EXPECT_EQ(OpTypes(test.graph()), "Abs Sqrt Abs Sqrt If");
  const onnx::GraphProto& body = test.graph().node(4).attribute(0).g();
  EXPECT_EQ(OpTypes(body), "Abs Sqrt");
  EXPECT_EQ(body.node(0).input(0), "h");
  EXPECT_EQ(body.node(1).output(0), "p");
}

TEST(InlineFunctions, AttributesAreTheCallsOrTheDefaults) {
  Inlined test(std::string(kHead) + R"(g (float[2] x) => (float[2] y, float[2] z) {
      y = local.Leak <slope = 0.5> (x)
      z = local.Leak (x)
    })" + kFunction +
               "Leak <slope: float = 0.25, other> (a) => (r) "
               "{ b = LeakyRelu <alpha: float = @slope> (a) r = Foo <to: int = @other> (b) }");
  EXPECT_EQ(test.count, 2);
  ASSERT_EQ(OpTypes(test.graph()), "LeakyRelu Foo LeakyRelu Foo");
  EXPECT_EQ(test.graph().node(0).attribute(0).name(), "alpha");
  EXPECT_EQ(test.graph().node(0).attribute(0).f(), 0.5f);
  EXPECT_EQ(test.graph().node(2).attribute(0).f(), 0.25f);
  EXPECT_EQ(test.graph().node(1).attribute_size(), 0);  // not given: the operator's own default
}

TEST(InlineFunctions, BodiesInFunctionsGetNewNamesAndReadTheCall) {
  Inlined test(std::string(kHead) + R"(g (float[2] x, bool c) => (float[2] y, float[2] z) {
      y = local.Choose(x, c)
      z = local.Choose(y, c)
    })" + kFunction +
               R"(Choose (a, b) => (r) {
      t = Neg(a)
      r = If(b) <then_branch = t () => (float[2] p) { o = Abs(a) p = Add(o, t) },
                 else_branch = e () => (float[2] q) { q = Identity(t) }>
    })");
  ASSERT_EQ(test.count, 2);
  const onnx::GraphProto& first = test.graph().node(1).attribute(0).g();
  const onnx::GraphProto& second = test.graph().node(3).attribute(0).g();
  EXPECT_EQ(first.node(0).input(0), "x");
  EXPECT_EQ(second.node(0).input(0), "y");
  EXPECT_EQ(second.node(1).input(1), test.graph().node(2).output(0));
  EXPECT_NE(first.node(0).output(0), second.node(0).output(0));
  EXPECT_EQ(first.output(0).name(), first.node(1).output(0));
  Diagnostics diagnostics;
  EXPECT_NO_THROW(OptimizeModel(test.text.model, diagnostics, {Bodies::kInside}));
}

TEST(InlineFunctions, OptionalInputsAndOutputsMayBeAbsent) {
  Inlined test(std::string(kHead) + R"(g (float[2] x) => (float[2] y, float[2] u) {
      y = local.Clamp(x)
      u = local.Pass(x)
    })" + kFunction +
               "Clamp (a, low, high) => (r, extra) { r = Clip(a, low, high) extra = Neg(a) }" +
               kFunction + "Pass (a) => (a) { b = Neg(a) }");
  EXPECT_EQ(test.count, 2);
  const onnx::NodeProto& clip = test.graph().node(0);
  EXPECT_EQ(clip.input(0), "x");
  for (int i = 1; i < clip.input_size(); ++i) EXPECT_EQ(clip.input(i), "");
  EXPECT_NE(test.graph().node(1).output(0), "");
  // An output that is an input has no node of its own.
  const onnx::NodeProto& copy = test.graph().node(test.graph().node_size() - 1);
  EXPECT_EQ(copy.op_type() + " " + copy.input(0) + " " + copy.output(0), "Identity x u");
}

TEST(InlineFunctions, ALargeConstantOfAFunctionStaysOne) {
  onnx::ModelProto proto = ParseModelText(
      std::string(kHead) + R"(g (float[1,32] x) => (float[1,32] y) {
      h = local.Layer(x) y = local.Layer(h) })" +
      kFunction + "Layer (a) => (z) { w = Constant <value = float[1] {0.0}> () z = MatMul(a, w) }");
  onnx::TensorProto* value =
      proto.mutable_functions(0)->mutable_node(0)->mutable_attribute(0)->mutable_t();
  onnx::GraphProto other;
  *value = *AddRawFloats(&other, "w", {32, 32}, SomeFloats(32 * 32));
  TextModel text(proto);
  Diagnostics diagnostics;
  PassContext context{text.model, diagnostics};
  EXPECT_EQ(InlineFunctions(context), 2);
  EXPECT_EQ(OpTypes(text.model.graph()), "MatMul MatMul");
  ASSERT_EQ(text.model.graph().initializer_size(), 1);
  for (const onnx::NodeProto& node : text.model.graph().node()) EXPECT_EQ(node.input(1), "Layer/w");
}

TEST(InlineFunctions, AnOlderFunctionIsConvertedToTheModelsOpset) {
  // Squeeze of opset 12 has its axes as an attribute.
  Inlined test(
      std::string(kHead) + R"(g (float[2,1,3] x) => (float[2,3] y) { y = local.Old(x) })" +
      R"(<domain: "local", opset_import: ["" : 12]> Old (a) => (z) { z = Squeeze <axes = [1]> (a) })");
  EXPECT_EQ(test.count, 1);
  ASSERT_EQ(OpTypes(test.graph()), "Constant Squeeze");
  EXPECT_EQ(test.graph().node(1).input(1), test.graph().node(0).output(0));
  EXPECT_EQ(test.graph().node(1).attribute_size(), 0);
  EXPECT_TRUE(test.diagnostics.empty());
}

TEST(InlineFunctions, ImportsOfFunctionsBecomeTheModels) {
  Inlined test(std::string(kHead) + "g (float[2] x) => (float[2] y) { y = local.F(x) }" +
               R"(<domain: "local", opset_import: ["" : 18, "com.microsoft" : 1]> )" +
               "F (a) => (z) { z = com.microsoft.Gelu(a) }");
  EXPECT_EQ(test.count, 1);
  EXPECT_EQ(test.text.model.Opset("com.microsoft"), 1);
}

TEST(InlineFunctions, RecursionIsRefusedAndExplosionLeft) {
  EXPECT_EQ(
      RefusalOf([] {
        Inlined(std::string(kHead) + "g (float[2] x) => (float[2] y) { y = local.F(x) }" +
                kFunction + "F (a) => (z) { z = local.F(a) }");
      }),
      (Refusal{ErrorCode::kInvalidModel, "The function 'F' of the model calls itself.", "", ""}));
  std::string model = std::string(kHead) + "g (float[2] x) => (float[2] y) { y = local.F40(x) }" +
                      kFunction + "F0 (a) => (z) { z = Neg(a) }";
  for (int i = 1; i <= 40; ++i) {
    const std::string inner = "local.F" + std::to_string(i - 1);
    model += kFunction + ("F" + std::to_string(i)) + " (a) => (z) { b = " + inner +
             "(a) z = " + inner + "(b) }";
  }
  Inlined test(model);
  EXPECT_EQ(test.count, 0);
  ASSERT_EQ(test.diagnostics.size(), 1u);
  EXPECT_EQ(test.diagnostics[0].code, "FUNCTION_NOT_INLINED");
}

}  // namespace inline_functions_test
}  // namespace ptq
