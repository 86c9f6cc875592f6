#include "calibration/body_ranges.h"

#include <gtest/gtest.h>

#include <limits>

#include "testing/model_text.h"

namespace ptq {
namespace body_ranges_test {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr char kHead[] = R"(<ir_version: 8, opset_import: ["" : 13]> )";

struct Observed {
  Observed(const std::string& text, const std::vector<std::string>& tensors)
      : model(kHead + text), graph(model.model.graph()) {
    const GraphView view(model.model.graph(), Bodies::kInside);
    vector = AddRangeVector(view, tensors, &graph, &order);
  }

  const onnx::NodeProto& Node(const std::string& op_type) const {
    for (const onnx::NodeProto& node : graph.node()) {
      if (node.op_type() == op_type) return node;
    }
    throw std::invalid_argument("no " + op_type);
  }
  const onnx::GraphProto& Body(const std::string& op_type, const std::string& attribute) const {
    for (const onnx::AttributeProto& candidate : Node(op_type).attribute()) {
      if (candidate.name() == attribute) return candidate.g();
    }
    throw std::invalid_argument("no " + attribute);
  }

  TextModel model;
  onnx::GraphProto graph;
  std::vector<std::string> order;
  std::string vector;
};

using Strings = std::vector<std::string>;

TEST(BodyRangesTest, NothingToObserveAddsNothing) {
  const Observed observed("g (float[2] x) => (float[2] y) { y = Relu(x) }", {});
  EXPECT_EQ(observed.vector, "");
  EXPECT_EQ(OpTypes(observed.graph), "Relu");
}

TEST(BodyRangesTest, BothBranchesReturnTheWholeVector) {
  const Observed observed(R"(g (bool c, float[2] x) => (float[2] y) {
      h = Relu(x)
      y = If(c) <then_branch = a () => (float[2] t) { t = Neg(h) },
                 else_branch = b () => (float[2] e) { u = Abs(h) e = Exp(u) }>
    })",
                          {"h", "t", "u", "e"});
  EXPECT_EQ(observed.order, (Strings{"h", "t", "u", "e"}));
  EXPECT_EQ(observed.Node("If").output_size(), 2);
  for (const char* branch : {"then_branch", "else_branch"}) {
    const onnx::GraphProto& body = observed.Body("If", branch);
    ASSERT_EQ(body.output_size(), 2);
    EXPECT_EQ(body.output(1).type().tensor_type().shape().dim(0).dim_value(), 6);
  }
  // t's branch leaves the other four numbers unseen, and vice versa.
  std::vector<int> unseen;
  for (const onnx::TensorProto& tensor : observed.graph.initializer()) {
    if (tensor.name().rfind("ptq_unseen", 0) != 0) continue;
    unseen.push_back(static_cast<int>(tensor.dims(0)));
    EXPECT_EQ(tensor.float_data(0), kInfinity);
  }
  EXPECT_EQ(unseen, (std::vector<int>{4, 2}));
}

TEST(BodyRangesTest, ALoopCarriesTheVectorAndMergesByMin) {
  const Observed observed(R"(g (int64 n, bool go, float[2] x) => (float[2] y, float[K,2] z) {
      y, z = Loop(n, go, x) <body = b (int64 i, bool c, float[2] s) =>
        (bool d, float[2] t, float[2] u) { d = Identity(c) t = Relu(s) u = Neg(t) }>
    })",
                          {"t"});
  EXPECT_EQ(observed.order, Strings{"t"});
  const onnx::NodeProto& loop = observed.Node("Loop");
  ASSERT_EQ(loop.input_size(), 4);
  EXPECT_EQ(loop.input(3).rfind("ptq_unseen", 0), 0u);
  // States come before scan outputs.
  ASSERT_EQ(loop.output_size(), 3);
  EXPECT_EQ(loop.output(2), "z");
  const onnx::GraphProto& body = observed.Body("Loop", "body");
  ASSERT_EQ(body.input_size(), 4);
  ASSERT_EQ(body.output_size(), 4);
  const onnx::NodeProto& merge = body.node(body.node_size() - 1);
  EXPECT_EQ(merge.op_type(), "Min");
  EXPECT_EQ(merge.input(0), body.input(3).name());
  EXPECT_EQ(merge.output(0), body.output(2).name());
}

TEST(BodyRangesTest, AScansStatesComeBeforeItsScanInputs) {
  const Observed observed(R"(g (float[2] s, float[3,2] x) => (float[2] y, float[3,2] z) {
      y, z = Scan <num_scan_inputs = 1, body = b (float[2] a, float[2] e) =>
        (float[2] t, float[2] u) { t = Add(a, e) u = Relu(t) }> (s, x)
    })",
                          {"u"});
  const onnx::NodeProto& scan = observed.Node("Scan");
  ASSERT_EQ(scan.input_size(), 3);
  EXPECT_EQ(scan.input(1).rfind("ptq_unseen", 0), 0u);
  EXPECT_EQ(scan.input(2), "x");
  EXPECT_EQ(scan.output(2), "z");
}

TEST(BodyRangesTest, NodeByNodeWhatItsBodiesHoldAndWhatItMakes) {
  const Observed observed(R"(g (bool c, float[2] x) => (float[2] z) {
      y = If(c) <then_branch = a () => (float[2] t) { t = Neg(x) },
                 else_branch = b () => (float[2] e) { e = Abs(x) }>
      z = Relu(y)
    })",
                          {"z", "y", "e", "x", "t"});
  EXPECT_EQ(observed.order, (Strings{"x", "t", "e", "y", "z"}));
}

TEST(BodyRangesTest, NoConcatJoinsMany) {
  std::string nodes = "t0 = Neg(x)";
  Strings tensors = {"x", "t0"};
  for (int i = 1; i < 100; ++i) {
    tensors.push_back("t" + std::to_string(i));
    nodes += " " + tensors.back() + " = Neg(" + tensors[tensors.size() - 2] + ")";
  }
  const Observed observed(R"(g (bool c, float[2] x) => (float[2] y) {
      y = If(c) <then_branch = a () => (float[2] t99) {)" +
                              nodes + R"(}, else_branch = b () => (float[2] e) { e = Abs(x) }>
    })",
                          tensors);
  for (const onnx::NodeProto& node : observed.Body("If", "then_branch").node()) {
    EXPECT_LE(node.input_size(), 2 * 16 + 1);
  }
}

}  // namespace body_ranges_test
}  // namespace ptq
