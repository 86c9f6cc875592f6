#include "model/node_queries.h"

#include <gtest/gtest.h>

#include "model/domains.h"
#include "model/node_builder.h"

namespace ptq {
namespace {

TEST(NodeQueriesTest, OnnxHasTwoSpellingsOfItsDomain) {
  for (const char* domain : {"", "ai.onnx"}) {
    EXPECT_TRUE(IsOp(MakeNode("Relu", {"x"}, {"y"}, "", domain), "Relu"));
    EXPECT_TRUE(MovesValues(MakeNode("Reshape", {"x", "s"}, {"y"}, "", domain)));
  }
  for (const char* domain : {kMicrosoftDomain, "acme", "ai.onnx.ml"}) {
    EXPECT_FALSE(IsOp(MakeNode("Relu", {"x"}, {"y"}, "", domain), "Relu"));
    EXPECT_FALSE(MovesValues(MakeNode("Reshape", {"x", "s"}, {"y"}, "", domain)));
  }
}

TEST(NodeQueriesTest, OnlyOperatorsThatKeepEveryValueMoveValues) {
  for (const char* op_type :
       {"Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"}) {
    EXPECT_TRUE(MovesValues(MakeNode(op_type, {"x"}, {"y"}, "")));
  }
  for (const char* op_type : {"Slice", "Gather", "Pad", "Concat", "MaxPool", "Resize"}) {
    EXPECT_FALSE(MovesValues(MakeNode(op_type, {"x"}, {"y"}, "")));
  }
}

TEST(NodeQueriesTest, AnInputWithoutANameIsNotThere) {
  const onnx::NodeProto node = MakeNode("Clip", {"x", "", "top"}, {"y"}, "");
  EXPECT_TRUE(HasInput(node, 0));
  EXPECT_FALSE(HasInput(node, 1));
  EXPECT_TRUE(HasInput(node, 2));
  EXPECT_FALSE(HasInput(node, 3));
}

TEST(NodeBuilderTest, NodesOfAGraphHaveNoName) {
  onnx::GraphProto graph;
  onnx::NodeProto* node = AddNode(&graph, "Neg", {"x"}, "y");
  EXPECT_EQ(node, &graph.node(0));
  EXPECT_EQ(node->output(0), "y");
  EXPECT_FALSE(node->has_name());
  EXPECT_FALSE(node->has_domain());
  EXPECT_EQ(MakeNode("QGemm", {"x"}, {"y"}, "n", kMicrosoftDomain).domain(), "com.microsoft");
}

}  // namespace
}  // namespace ptq
