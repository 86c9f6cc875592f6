#include "model/graph_view.h"

#include <gtest/gtest.h>

#include "testing/model_text.h"

namespace ptq {
namespace {

constexpr char kIfGraph[] = R"(g (bool cond, float[2] x) => (float[2] y, float[2] r)
    <float[2] w = {1.0, 2.0}, float[2] unused = {0.0, 0.0}> {
  r = Relu(x)
  y = If(cond) <
    then_branch = t () => (float[2] a) { a0 = Add(r, w) a1 = Add(a0, r) a = Relu(a1) },
    else_branch = e () => (float[2] b) { r = Neg(x) b = Neg(r) }>
})";

std::vector<std::pair<int, int>> UsesOf(const GraphView& view, std::string_view tensor) {
  std::vector<std::pair<int, int>> uses;
  for (const Use& use : view.Uses(tensor)) uses.emplace_back(use.node, use.input);
  return uses;
}

using Pairs = std::vector<std::pair<int, int>>;

TEST(GraphView, KnowsWhoMakesAndReadsEachTensor) {
  const onnx::GraphProto graph = ParseGraphText(R"(
    g (float[2] x) => (float[2] z) <float[2] w = {1.0, 2.0}, float16 h, float[2] m> {
      a, m = Split(x) b = Add(a, a) z = Clip(b, , w)
    })");
  const GraphView view(graph);
  EXPECT_EQ(view.Producer("x"), -1);
  EXPECT_EQ(view.Producer("w"), -1);
  EXPECT_EQ(view.Producer("nothing"), -1);
  EXPECT_EQ(view.Producer("m"), 0);
  EXPECT_EQ(view.Producer("z"), 2);
  EXPECT_EQ(UsesOf(view, "a"), (Pairs{{1, 0}, {1, 1}}));
  EXPECT_EQ(UsesOf(view, "w"), (Pairs{{2, 2}}));
  EXPECT_TRUE(view.Uses("").empty());
  EXPECT_TRUE(view.Uses("z").empty());
  EXPECT_TRUE(view.IsGraphInput("x"));
  EXPECT_FALSE(view.IsGraphInput("w"));
  EXPECT_TRUE(view.IsGraphOutput("z"));
  EXPECT_FALSE(view.IsGraphOutput("b"));
  ASSERT_NE(view.Initializer("w"), nullptr);
  EXPECT_EQ(view.Initializer("x"), nullptr);
  EXPECT_EQ(view.ElementType("w"), onnx::TensorProto::FLOAT);
  EXPECT_EQ(view.ElementType("x"), onnx::TensorProto::FLOAT);
  EXPECT_EQ(view.ElementType("h"), onnx::TensorProto::FLOAT16);
  EXPECT_EQ(view.ElementType("b"), 0);
  EXPECT_EQ(view.ValueInfo("m")->name(), "m");
  EXPECT_EQ(view.ValueInfo("b"), nullptr);
}

TEST(GraphView, InitializersRepeatedAsInputsAreBoth) {
  onnx::GraphProto graph =
      ParseGraphText("g (float[2] x, float[2] w) => (float[2] y) { y = Add(x, w) }");
  AddFloats(&graph, "w", {2}, {1, 2});
  const GraphView view(graph);
  EXPECT_TRUE(view.IsGraphInput("w"));
  EXPECT_NE(view.Initializer("w"), nullptr);
}

TEST(GraphView, ReadsInsideSubgraphsCountOnceANodeAndOwnTensorsHideOuterOnes) {
  const onnx::GraphProto graph = ParseGraphText(kIfGraph);
  const GraphView view(graph);
  EXPECT_EQ(UsesOf(view, "r"), (Pairs{{1, -1}}));
  EXPECT_EQ(UsesOf(view, "w"), (Pairs{{1, -1}}));
  EXPECT_EQ(UsesOf(view, "x"), (Pairs{{0, 0}, {1, -1}}));
  EXPECT_TRUE(view.Uses("a0").empty());
  EXPECT_TRUE(view.Uses("b").empty());
}

TEST(UniqueNames, AddsTheFirstFreeNumber) {
  onnx::GraphProto graph = ParseGraphText("g (float[1] x) => (float[1] x_1) { x_1 = Relu(x) }");
  graph.mutable_node(0)->set_name("n");
  UniqueNames names(graph);
  EXPECT_EQ(names.Make("y"), "y");
  EXPECT_EQ(names.Make("y"), "y_1");
  EXPECT_EQ(names.Make("x"), "x_2");
  EXPECT_EQ(names.Make("n"), "n_1");
  EXPECT_EQ(names.Make("x"), "x_3");
}

TEST(UniqueNames, NamesInsideSubgraphsAreTaken) {
  UniqueNames names(ParseGraphText(kIfGraph));
  EXPECT_EQ(names.Make("a0"), "a0_1");
}

TEST(RemoveNodes, KeepsTheOrderOfTheRest) {
  onnx::GraphProto graph = ParseGraphText(
      "g (float[1] x) => (float[1] d) { a = Relu(x) b = Neg(x) c = Abs(x) d = Exp(x) }");
  RemoveNodes(&graph, {true, false, true, false});
  EXPECT_EQ(OpTypes(graph), "Neg Exp");
  RemoveNodes(&graph, {false, false});
  EXPECT_EQ(OpTypes(graph), "Neg Exp");
}

TEST(RenameReads, ReachesSubgraphsButNotHiddenNamesNorOutputs) {
  onnx::GraphProto graph = ParseGraphText(kIfGraph);
  RenameReads(&graph, {{"r", "s"}, {"x", "r"}});
  EXPECT_EQ(graph.node(0).input(0), "r");   // once, not on to "s"
  EXPECT_EQ(graph.node(0).output(0), "r");  // only reads
  EXPECT_EQ(graph.output(1).name(), "r");
  const onnx::GraphProto& then_branch = graph.node(1).attribute(0).g();
  EXPECT_EQ(then_branch.node(0).input(0), "s");
  EXPECT_EQ(then_branch.node(1).input(1), "s");
  const onnx::GraphProto& else_branch = graph.node(1).attribute(1).g();
  EXPECT_EQ(else_branch.node(0).input(0), "r");  // x of outside
  EXPECT_EQ(else_branch.node(1).input(0), "r");  // its own
}

TEST(RenameReads, ASubgraphThatPassesAnOuterTensorOnFollows) {
  onnx::GraphProto graph = ParseGraphText(R"(g (bool c, float[1] x) => (float[1] y) {
    y = If(c) <then_branch = t () => (float[1] x) {},
               else_branch = e () => (float[1] b) { b = Neg(x) }> })");
  RenameReads(&graph, {{"x", "x2"}});
  EXPECT_EQ(graph.node(0).attribute(0).g().output(0).name(), "x2");
  EXPECT_EQ(graph.output(0).name(), "y");
}

TEST(RemoveUnusedInitializers, DropsThemAndTheirInputsButNotWhatSubgraphsOrOutputsRead) {
  onnx::GraphProto graph = ParseGraphText(kIfGraph);
  AddFloats(&graph, "repeated", {1}, {0});
  graph.add_input()->set_name("repeated");
  AddFloats(&graph, "out", {1}, {0});
  graph.add_output()->set_name("out");
  RemoveUnusedInitializers(&graph);
  ASSERT_EQ(graph.initializer_size(), 2);
  EXPECT_EQ(graph.initializer(0).name(), "w");
  EXPECT_EQ(graph.initializer(1).name(), "out");
  ASSERT_EQ(graph.input_size(), 2);
  EXPECT_EQ(graph.input(1).name(), "x");
}

}  // namespace
}  // namespace ptq
