#include "model/topological_sort.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "nlohmann/json.hpp"
#include "testing/model_text.h"
#include "testing/test_paths.h"

namespace ptq {
namespace {

std::string Sorted(const std::string& text) {
  onnx::GraphProto graph = ParseGraphText(text);
  for (onnx::NodeProto& node : *graph.mutable_node()) node.set_name(node.output(0));
  TopologicalSort(&graph);
  return NodeNames(graph);
}

// Orders made by onnxruntime 1.32's ONNXModel.topological_sort: see
// fixtures/model/make_topological_sort.py.
TEST(TopologicalSort, OrdersRandomGraphsAsTheReferenceDoes) {
  std::ifstream file(TestsDir() / "fixtures/model/topological_sort.json");
  const nlohmann::json cases = nlohmann::json::parse(file);
  ASSERT_EQ(cases.size(), 48u);
  for (const nlohmann::json& fixture : cases) {
    onnx::GraphProto graph;
    for (const auto& name : fixture["inputs"]) graph.add_input()->set_name(name);
    for (const auto& name : fixture["initializers"]) graph.add_initializer()->set_name(name);
    for (const auto& [_, node] : fixture["nodes"].items()) {
      onnx::NodeProto* proto = graph.add_node();
      proto->set_name(node[0]);
      for (const auto& name : node[1]) proto->add_input(name);
      for (const auto& name : node[2]) proto->add_output(name);
    }
    TopologicalSort(&graph);
    std::vector<std::string> order;
    for (const onnx::NodeProto& node : graph.node()) order.push_back(node.name());
    EXPECT_EQ(order, fixture["order"].get<std::vector<std::string>>());
  }
}

TEST(TopologicalSort, ConstantsThenReadersByInputNameThenBreadthFirst) {
  EXPECT_EQ(Sorted(R"(g (float[1] z, float[1] b) => (float[1] r) {
    r = Add(p, q)
    p = Relu(z)
    q = Add(b, c)
    s = Neg(b)
    c = Constant<value_float = 1.0>()
  })"),
            "c s p q r");
}

TEST(TopologicalSort, ASubgraphsReadsComeBeforeItsNode) {
  EXPECT_EQ(Sorted(R"(g (bool cond, float[1] x) => (float[1] y) {
    y = If(cond) <
      then_branch = t () => (float[1] a) { a = Relu(late) },
      else_branch = e () => (float[1] b) { b = Neg(x) }>
    late = Sigmoid(x)
  })"),
            "late y");
}

TEST(TopologicalSort, SortingTwiceChangesNothingInAChain) {
  const std::string text = "g (float[1] x) => (float[1] c) { a = Relu(x) b = Relu(a) c = Relu(b) }";
  EXPECT_EQ(Sorted(text), "a b c");
}

TEST(TopologicalSort, ACycleIsAnErrorThatNamesANode) {
  try {
    Sorted("g (float[1] x) => (float[1] b) { ok = Relu(x) a = Add(ok, b) b = Relu(a) }");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidModel);
    EXPECT_EQ(error.node(), "a");
  }
}

TEST(TopologicalSort, AHundredThousandNodesBackwardsAreSorted) {
  onnx::GraphProto graph;
  graph.add_input()->set_name("t0");
  constexpr int kCount = 100000;
  for (int i = kCount; i > 0; --i) {
    onnx::NodeProto* node = graph.add_node();
    node->add_input("t" + std::to_string(i - 1));
    node->add_output("t" + std::to_string(i));
  }
  TopologicalSort(&graph);
  ASSERT_EQ(graph.node_size(), kCount);
  for (int i = 0; i < kCount; ++i) {
    ASSERT_EQ(graph.node(i).output(0), "t" + std::to_string(i + 1));
  }
}

}  // namespace
}  // namespace ptq
