// The passes that change structure only: constants, inputs, Identity, Dropout, what is unused.
#include <gtest/gtest.h>

#include "passes/pass_registry.h"
#include "testing/model_text.h"

namespace ptq {
namespace {

constexpr char kHead13[] = R"(<ir_version: 8, opset_import: ["" : 13]> )";

struct PassTest {
  explicit PassTest(const std::string& graph, const std::string& head = kHead13)
      : text(head + graph), context{text.model, diagnostics} {}
  onnx::GraphProto& graph() { return text.model.graph(); }

  TextModel text;
  Diagnostics diagnostics;
  PassContext context;
};

// "Relu(x)->y; …" of every node, for exact comparison.
std::string Wiring(const onnx::GraphProto& graph) {
  std::string wiring;
  const auto join = [](const auto& names) {
    std::string joined;
    for (const std::string& name : names) joined += (joined.empty() ? "" : ",") + name;
    return joined;
  };
  for (const onnx::NodeProto& node : graph.node()) {
    if (!wiring.empty()) wiring += "; ";
    wiring += node.op_type() + "(" + join(node.input()) + ")->" + join(node.output());
  }
  return wiring;
}

std::string InitializerNames(const onnx::GraphProto& graph) {
  std::string names;
  for (const auto& tensor : graph.initializer())
    names += (names.empty() ? "" : ",") + tensor.name();
  return names;
}

TEST(ExtractConstants, EveryNumericFormBecomesAnInitializerNamedByItsOutput) {
  PassTest test(R"(g (float[2] x) => (float[2] y) {
    a = Constant <value = float[2] {1.0, 2.0}> ()
    b = Constant <value_float = 3.0> ()
    c = Constant <value_floats = [4.0, 5.0]> ()
    d = Constant <value_int = 6> ()
    e = Constant <value_ints = [7, 8]> ()
    y = Foo(x, a, b, c, d, e)
  })");
  EXPECT_EQ(ExtractConstants(test.context), 5);
  EXPECT_EQ(Wiring(test.graph()), "Foo(x,a,b,c,d,e)->y");
  EXPECT_EQ(InitializerNames(test.graph()), "a,b,c,d,e");
  const TensorStore& store = test.text.model.tensors();
  EXPECT_EQ(store.ReadFloats(InitializerOf(test.graph(), "a")), (std::vector<float>{1, 2}));
  EXPECT_EQ(store.ReadFloats(InitializerOf(test.graph(), "b")), (std::vector<float>{3}));
  EXPECT_EQ(InitializerOf(test.graph(), "b").dims_size(), 0);
  EXPECT_EQ(store.ReadFloats(InitializerOf(test.graph(), "c")), (std::vector<float>{4, 5}));
  EXPECT_EQ(store.ReadInts(InitializerOf(test.graph(), "d")), (std::vector<int64_t>{6}));
  EXPECT_EQ(store.ReadInts(InitializerOf(test.graph(), "e")), (std::vector<int64_t>{7, 8}));
}

TEST(ExtractConstants, GraphOutputsStringsAndSubgraphsStay) {
  PassTest test(R"(g (bool c) => (float[1] y, float[1] z) {
    y = Constant <value = float[1] {1.0}> ()
    s = Constant <value_string = "text"> ()
    u = Foo(s)
    z = If(c) <
      then_branch = t () => (float[1] p) { p = Constant <value = float[1] {1.0}> () },
      else_branch = e () => (float[1] q) { q = Constant <value = float[1] {2.0}> () }>
  })");
  const std::string before = TextOf(test.graph());
  EXPECT_EQ(ExtractConstants(test.context), 0);
  EXPECT_EQ(TextOf(test.graph()), before);
}

TEST(DropInitializerInputs, WeightsOfIr3LeaveTheInputsAndIrRises) {
  PassTest test("g (float[2] x, float[2] w) => (float[2] y) { y = Add(x, w) }",
                R"(<ir_version: 3, opset_import: ["" : 7]> )");
  AddFloats(&test.graph(), "w", {2}, {1, 2});
  EXPECT_EQ(DropInitializerInputs(test.context), 1);
  ASSERT_EQ(test.graph().input_size(), 1);
  EXPECT_EQ(test.graph().input(0).name(), "x");
  EXPECT_EQ(test.text.model.proto().ir_version(), 4);
  EXPECT_TRUE(test.diagnostics.empty());
}

TEST(DropInitializerInputs, DefaultsOfNewerFilesAreFixedWithANotice) {
  PassTest test("g (float[2] w, float[2] x) => (float[2] y) { y = Add(x, w) }");
  AddFloats(&test.graph(), "w", {2}, {1, 2});
  EXPECT_EQ(DropInitializerInputs(test.context), 1);
  EXPECT_EQ(test.text.model.proto().ir_version(), 8);
  ASSERT_EQ(test.diagnostics.size(), 1u);
  EXPECT_EQ(test.diagnostics[0].code, "OVERRIDABLE_INITIALIZERS_FIXED");
}

TEST(DropInitializerInputs, BodiesLoseTheirsWhereIrRisesTo4) {
  PassTest test(R"(g (float[2] x, float[2] w, bool c) => (float[2] y) {
      y = If(c) <then_branch = t (float[2] k) => (float[2] a) <float[2] k = {1.0, 2.0}> { a = Add(x, k) },
                 else_branch = e () => (float[2] b) { b = Add(x, w) }>
    })",
                R"(<ir_version: 3, opset_import: ["" : 7]> )");
  AddFloats(&test.graph(), "w", {2}, {1, 2});
  EXPECT_EQ(DropInitializerInputs(test.context), 1);
  EXPECT_EQ(test.graph().node(0).attribute(0).g().input_size(), 0);
}

TEST(EliminateIdentity, ReadersReadTheSourceAlsoThroughChainsAndSubgraphs) {
  PassTest test(R"(g (float[2] x, bool c) => (float[2] y) {
    a = Identity(x)
    b = Identity(a)
    d = Relu(b)
    y = If(c) <then_branch = t () => (float[2] p) { p = Add(b, d) },
               else_branch = e () => (float[2] q) { q = Neg(a) }>
  })");
  EXPECT_EQ(EliminateIdentity(test.context), 2);
  EXPECT_EQ(Wiring(test.graph()), "Relu(x)->d; If(c)->y");
  EXPECT_EQ(Wiring(test.graph().node(1).attribute(0).g()), "Add(x,d)->p");
  EXPECT_EQ(Wiring(test.graph().node(1).attribute(1).g()), "Neg(x)->q");
}

TEST(EliminateIdentity, ProducerWritesTheGraphOutputItself) {
  PassTest test(R"(g (float[2] x) => (float[2] y, float[2] z) {
    a = Relu(x)
    b = Identity(a)
    y = Identity(b)
    n = Neg(b)
    z = Abs(n)
  })");
  EXPECT_EQ(EliminateIdentity(test.context), 2);
  EXPECT_EQ(Wiring(test.graph()), "Relu(x)->y; Neg(y)->n; Abs(n)->z");
}

TEST(EliminateIdentity, StaysWhereBothNamesAreNeeded) {
  PassTest test(R"(g (float[2] x) => (float[2] y, float[2] z, float[2] u, float[2] v)
      <float[2] w = {1.0, 2.0}> {
    y = Identity(x)
    z = Identity(w)
    a = Relu(x)
    u = Identity(a)
    v = Identity(a)
  })");
  EXPECT_EQ(EliminateIdentity(test.context), 1);
  EXPECT_EQ(Wiring(test.graph()), "Identity(x)->y; Identity(w)->z; Relu(x)->u; Identity(u)->v");
}

TEST(EliminateIdentity, NodesOutOfOrderAndCyclesAreSafe) {
  PassTest unordered(R"(g (float[2] x) => (float[2] y) {
    y = Identity(c) d = Relu(b) c = Identity(d) b = Identity(a) a = Identity(x)
  })");
  EXPECT_EQ(EliminateIdentity(unordered.context), 4);
  EXPECT_EQ(Wiring(unordered.graph()), "Relu(x)->y");
  PassTest cycle("g (float[2] x) => (float[2] y) { a = Identity(b) b = Identity(a) y = Relu(a) }");
  EXPECT_EQ(EliminateIdentity(cycle.context), 1);
}

TEST(EliminateIdentity, CustomOperatorsOfThatNameStay) {
  PassTest test("g (float[2] x) => (float[2] y) { a = custom.Identity(x) y = Relu(a) }",
                R"(<ir_version: 8, opset_import: ["" : 13, "custom" : 1]> )");
  EXPECT_EQ(EliminateIdentity(test.context), 0);
}

TEST(EliminateIdentity, LongChainsTakeLinearTime) {
  PassTest test("g (float[2] x) => (float[2] y) { }");
  constexpr int kNodes = 200000;
  for (int i = kNodes; i > 0; --i) {  // back to front, the worst order
    onnx::NodeProto* node = test.graph().add_node();
    node->set_op_type("Identity");
    node->add_input(i == 1 ? "x" : "t" + std::to_string(i - 1));
    node->add_output("t" + std::to_string(i));
  }
  onnx::NodeProto* last = test.graph().add_node();
  last->set_op_type("Relu");
  last->add_input("t" + std::to_string(kNodes));
  last->add_output("y");
  EXPECT_EQ(EliminateIdentity(test.context), kNodes);
  EXPECT_EQ(Wiring(test.graph()), "Relu(x)->y");
}

TEST(EliminateDropout, InferenceFormsGo) {
  PassTest old("g (float[2] x) => (float[2] y) { a, m = Dropout<ratio = 0.3>(x) y = Relu(a) }",
               R"(<ir_version: 8, opset_import: ["" : 7]> )");
  EXPECT_EQ(EliminateDropout(old.context), 1);
  EXPECT_EQ(Wiring(old.graph()), "Relu(x)->y");
  PassTest fresh(R"(g (float[2] x) => (float[2] y)
      <float r = {0.3}, bool no = {0}> { a = Dropout(x, r, no) b = Dropout(a, r) y = Relu(b) })");
  EXPECT_EQ(EliminateDropout(fresh.context), 2);
  EXPECT_EQ(Wiring(fresh.graph()), "Relu(x)->y");
}

TEST(EliminateDropout, TrainingAndUsedMasksStay) {
  PassTest test(R"(g (float[2] x, bool maybe) => (float[2] y, bool[2] m)
      <float r = {0.3}, bool yes = {1}> {
    a = Dropout(x, r, yes)
    b = Dropout(a, r, maybe)
    y, m = Dropout(b)
  })");
  EXPECT_EQ(EliminateDropout(test.context), 0);
}

TEST(EliminateUnused, KeepsExactlyWhatOutputsNeed) {
  PassTest test(R"(g (float[2] x, bool c) => (float[2] y)
      <float[2] w = {1.0, 2.0}, float[2] gone = {1.0, 2.0}, float[2] body = {1.0, 2.0}, float[2] v> {
    dead = Add(x, gone)
    v = Relu(dead)
    k = Add(x, w)
    y = If(c) <then_branch = t () => (float[2] p) { p = Add(k, body) },
               else_branch = e () => (float[2] q) { q = Neg(x) }>
  })");
  ASSERT_EQ(test.graph().value_info_size(), 1);
  EXPECT_EQ(EliminateUnused(test.context), 3);
  EXPECT_EQ(Wiring(test.graph()), "Add(x,w)->k; If(c)->y");
  EXPECT_EQ(InitializerNames(test.graph()), "w,body");
  EXPECT_EQ(test.graph().value_info_size(), 0);
}

TEST(EliminateNoopCast, ToTheTypeThatIsThereGoes) {
  PassTest test(R"(g (float[2] x, int64[2] n) => (float[2] y, float16[2] z)
      <float16[2] a> {
    a = Cast<to = 1>(x)
    b = Relu(a)
    c = Cast<to = 1>(b)
    d = Cast<to = 10>(c)
    z = Cast<to = 10>(d)
    e = Cast<to = 1>(n)
    f = Foo(e)
    g = Cast<to = 1>(f)
    y = Add(c, g)
  })");
  // The file's own word that `a` is float16 does not count, and of Foo nothing is known.
  EXPECT_EQ(EliminateNoopCast(test.context), 3);
  EXPECT_EQ(Wiring(test.graph()),
            "Relu(x)->b; Cast(b)->z; Cast(n)->e; Foo(e)->f; Cast(f)->g; Add(b,g)->y");
}

std::string Imports(const Model& model) {
  std::string imports;
  for (const onnx::OperatorSetIdProto& import : model.proto().opset_import()) {
    imports += import.domain() + ":" + std::to_string(import.version()) + " ";
  }
  return imports;
}

TEST(DropUnusedImports, OnlyDomainsOfNodesStay) {
  PassTest test(R"(g (float[2] x, bool c) => (float[2] y) {
      y = If(c) <then_branch = t () => (float[2] p) { p = com.microsoft.Gelu(x) },
                 else_branch = e () => (float[2] q) { q = Neg(x) }>
    })",
                R"(<ir_version: 8, opset_import: ["ai.onnx.ml" : 99, "" : 17,
                   "com.microsoft" : 1, "org.pytorch.aten" : 1]> )");
  EXPECT_EQ(DropUnusedImports(test.context), 2);
  EXPECT_EQ(Imports(test.text.model), ":17 com.microsoft:1 ");
}

TEST(PassRegistry, NamesAreThoseOfTheFilesAndUnique) {
  std::vector<std::string_view> names;
  for (const Pass& pass : OptimizePasses()) {
    EXPECT_FALSE(pass.description.empty());
    EXPECT_EQ(std::count(names.begin(), names.end(), pass.name), 0) << pass.name;
    names.push_back(pass.name);
  }
  EXPECT_EQ(names.front(), "inline_functions");
}

}  // namespace
}  // namespace ptq
