#include <gtest/gtest.h>

#include <memory>

#include "model/attributes.h"
#include "passes/pass_test.h"

namespace ptq {
namespace fuse_depth_to_space_test {

std::string Graph(const std::string& input, const std::string& split, const std::string& order,
                  const std::string& joined, const std::string& outputs = "float[A,B,C,D] y") {
  return "g (" + input + " x) => (" + outputs + ") <int64[6] split = {" + split +
         "}, int64[4] joined = {" + joined + "}> { a = Reshape(x, split) b = Transpose <perm = [" +
         order + "]> (a) y = Reshape(b, joined) }";
}

std::unique_ptr<PassTest> Fused(const std::string& graph) {
  auto test = std::make_unique<PassTest>(graph);
  EXPECT_EQ(FuseDepthToSpace(test->context), 1);
  EliminateUnused(test->context);
  EXPECT_EQ(FuseDepthToSpace(test->context), 0);
  EXPECT_EQ(IntAttribute(test->graph().node(0), "blocksize", 0), 2);
  return test;
}

void ExpectKept(const std::string& graph, const std::string& head = kHead13) {
  PassTest test(graph, head);
  EXPECT_EQ(FuseDepthToSpace(test.context), 0);
  EXPECT_EQ(OpTypes(test.graph()), "Reshape Transpose Reshape");
}

TEST(FuseDepthToSpace, PixelShuffleTakesColumnsFirst) {
  const auto test = Fused(Graph("float[2,12,5,7]", "2,3,2,2,5,7", "0,1,4,2,5,3", "2,3,10,14"));
  EXPECT_EQ(Wiring(test->graph()), "DepthToSpace(x)->y");
  EXPECT_EQ(StringAttribute(test->graph().node(0), "mode", ""), "CRD");
}

TEST(FuseDepthToSpace, BlocksBeforeChannelsAreDepthFirst) {
  const auto test = Fused(Graph("float[2,12,5,7]", "2,2,2,3,5,7", "0,3,4,1,5,2", "2,3,10,14"));
  EXPECT_EQ(Wiring(test->graph()), "DepthToSpace(x)->y");
  EXPECT_EQ(StringAttribute(test->graph().node(0), "mode", ""), "DCR");
}

TEST(FuseDepthToSpace, TheWayBackIsSpaceToDepth) {
  const auto test = Fused(Graph("float[2,3,10,14]", "2,3,5,2,7,2", "0,3,5,1,2,4", "2,12,5,7"));
  EXPECT_EQ(Wiring(test->graph()), "SpaceToDepth(x)->y");
  EXPECT_EQ(FindAttribute(test->graph().node(0), "mode"), nullptr);
}

TEST(FuseDepthToSpace, ABatchOfAnySize) {
  const auto test = Fused(Graph("float[N,12,5,7]", "0,3,2,2,5,7", "0,1,4,2,5,3", "0,3,10,14"));
  EXPECT_EQ(Wiring(test->graph()), "DepthToSpace(x)->y");
}

TEST(FuseDepthToSpace, PixelUnshuffleHasNoOperator) {
  ExpectKept(Graph("float[2,3,10,14]", "2,3,5,2,7,2", "0,1,3,5,2,4", "2,12,5,7"));
}

TEST(FuseDepthToSpace, OtherSplitsStay) {
  // Blocks that are not square, one dimension too many in a row, another type, an old opset.
  ExpectKept(Graph("float[2,18,5,7]", "2,3,2,3,5,7", "0,1,4,2,5,3", "2,3,10,21"));
  ExpectKept(Graph("float[2,12,5,7]", "2,3,2,2,5,7", "0,1,4,2,5,3", "2,6,5,14"));
  ExpectKept(Graph("float[2,12,7,5]", "2,3,2,2,5,7", "0,1,4,2,5,3", "2,3,10,14"));
  ExpectKept(Graph("int64[2,12,5,7]", "2,3,2,2,5,7", "0,1,4,2,5,3", "2,3,10,14"));
  ExpectKept(Graph("float[2,12,5,7]", "2,3,2,2,5,7", "0,1,4,2,5,3", "2,3,10,14"),
             R"(<ir_version: 4, opset_import: ["" : 9]> )");
}

TEST(FuseDepthToSpace, UnknownRankStays) {
  ExpectKept(Graph("float", "2,3,2,2,5,7", "0,1,4,2,5,3", "2,3,10,14"));
}

TEST(FuseDepthToSpace, WhatOthersReadStays) {
  ExpectKept(Graph("float[2,12,5,7]", "2,3,2,2,5,7", "0,1,4,2,5,3", "2,3,10,14",
                   "float[A,B,C,D] y, float[E,F,G,H,I,J] b"));
}

}  // namespace fuse_depth_to_space_test
}  // namespace ptq
