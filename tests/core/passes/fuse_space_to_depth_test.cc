#include <gtest/gtest.h>

#include "model/attributes.h"
#include "passes/pass_test.h"

namespace ptq {
namespace fuse_space_to_depth_test {

constexpr char kConstants[] = R"(
    <int64[1] zero = {0}, int64[1] one = {1}, int64[1] two = {2}, int64[1] three = {3},
     int64[1] end = {9223372036854775807}, int64[1] six = {6}>)";

// A quarter of x: rows from `row` on, columns from `column` on.
std::string Quarter(const std::string& name, const std::string& row, const std::string& column,
                    const std::string& end = "end") {
  return name + "h = Slice(x, " + row + ", end, two, two) " + name + " = Slice(" + name + "h, " +
         column + ", " + end + ", three, two) ";
}

std::string Focus(const std::string& input, const std::string& quarters, const std::string& order) {
  return "g (" + input + " x) => (float[A,B,C,D] y)" + kConstants + "{ " + quarters +
         "c = Concat <axis = 1> (" + order + ") y = Relu(c) }";
}

std::string AllQuarters() {
  return Quarter("tl", "zero", "zero") + Quarter("tr", "zero", "one") +
         Quarter("bl", "one", "zero") + Quarter("br", "one", "one");
}

void ExpectKept(const std::string& graph) {
  PassTest test(graph);
  const std::string before = Wiring(test.graph());
  EXPECT_EQ(FuseSpaceToDepth(test.context), 0);
  EXPECT_EQ(Wiring(test.graph()), before);
}

TEST(FuseSpaceToDepth, InItsOrderItIsTheOnlyNode) {
  PassTest test(Focus("float[N,3,H,W]", AllQuarters(), "tl, tr, bl, br"));
  EXPECT_EQ(FuseSpaceToDepth(test.context), 1);
  EliminateUnused(test.context);
  EXPECT_EQ(Wiring(test.graph()), "SpaceToDepth(x)->c; Relu(c)->y");
  EXPECT_EQ(IntAttribute(test.graph().node(0), "blocksize", 0), 2);
  EXPECT_EQ(FuseSpaceToDepth(test.context), 0);
}

TEST(FuseSpaceToDepth, AnotherOrderIsRestoredByAGather) {
  PassTest test(Focus("float[N,3,H,W]", AllQuarters(), "tl, bl, tr, br"));
  EXPECT_EQ(FuseSpaceToDepth(test.context), 1);
  EliminateUnused(test.context);
  EXPECT_EQ(
      Wiring(test.graph()),
      "SpaceToDepth(x)->c_space_to_depth; Gather(c_space_to_depth,c_channels)->c; Relu(c)->y");
  EXPECT_EQ(IntAttribute(test.graph().node(1), "axis", 0), 1);
  EXPECT_EQ(test.text.model.tensors().ReadInts(InitializerOf(test.graph(), "c_channels")),
            (std::vector<int64_t>{0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11}));
}

TEST(FuseSpaceToDepth, AnotherOrderOfUnknownChannelsStays) {
  ExpectKept(Focus("float[N,C,H,W]", AllQuarters(), "tl, bl, tr, br"));
}

TEST(FuseSpaceToDepth, RowsAndColumnsMayBeSlicedTogether) {
  std::string quarters;
  for (const std::string row : {"0", "1"}) {
    for (const std::string column : {"0", "1"}) {
      quarters += "q" + row + column + " = Slice(x, s" + row + column + ", ends, axes, steps) ";
    }
  }
  PassTest test(R"(g (float[N,3,8,6] x) => (float[A,B,C,D] y)
    <int64[2] s00 = {0, 0}, int64[2] s01 = {0, 1}, int64[2] s10 = {1, 0}, int64[2] s11 = {1, 1},
     int64[2] ends = {8, 6}, int64[2] axes = {-2, -1}, int64[2] steps = {2, 2}> { )" +
                quarters + "c = Concat <axis = 1> (q00, q01, q10, q11) y = Relu(c) }");
  EXPECT_EQ(FuseSpaceToDepth(test.context), 1);
  EliminateUnused(test.context);
  EXPECT_EQ(Wiring(test.graph()), "SpaceToDepth(x)->c; Relu(c)->y");
}

TEST(FuseSpaceToDepth, AQuarterThatIsThereTwiceStays) {
  ExpectKept(Focus("float[N,3,H,W]", AllQuarters(), "tl, tr, bl, bl"));
  ExpectKept(Focus("float[N,3,H,W]", AllQuarters(), "tl, tr, bl, br, br"));
}

TEST(FuseSpaceToDepth, ASliceThatEndsEarlyStays) {
  ExpectKept(Focus("float[N,3,H,W]",
                   Quarter("tl", "zero", "zero", "six") + Quarter("tr", "zero", "one", "six") +
                       Quarter("bl", "one", "zero", "six") + Quarter("br", "one", "one", "six"),
                   "tl, tr, bl, br"));
}

TEST(FuseSpaceToDepth, AnotherRankOrTypeStays) {
  ExpectKept(Focus("float[N,3,H,W,D]", AllQuarters(), "tl, tr, bl, br"));
  ExpectKept(Focus("float", AllQuarters(), "tl, tr, bl, br"));
  ExpectKept(Focus("int64[N,3,H,W]", AllQuarters(), "tl, tr, bl, br"));
}

TEST(FuseSpaceToDepth, AnotherAxisStays) {
  PassTest test("g (float[N,3,H,W] x) => (float[A,B,C,D] y)" + std::string(kConstants) + "{ " +
                AllQuarters() + "c = Concat <axis = 2> (tl, tr, bl, br) y = Relu(c) }");
  EXPECT_EQ(FuseSpaceToDepth(test.context), 0);
}

TEST(FuseSpaceToDepth, ComputedStartsStay) {
  PassTest test("g (float[N,3,H,W] x, int64[1] first) => (float[A,B,C,D] y)" +
                std::string(kConstants) + "{ " + Quarter("tl", "first", "zero") +
                Quarter("tr", "first", "one") + Quarter("bl", "one", "zero") +
                Quarter("br", "one", "one") +
                "c = Concat <axis = 1> (tl, tr, bl, br) y = Relu(c) }");
  EXPECT_EQ(FuseSpaceToDepth(test.context), 0);
}

TEST(FuseSpaceToDepth, SlicesThatOthersReadStayForThem) {
  PassTest test("g (float[N,3,H,W] x) => (float[A,B,C,D] y, float[A,B,C,D] tl)" +
                std::string(kConstants) + "{ " + AllQuarters() +
                "c = Concat <axis = 1> (tl, tr, bl, br) y = Relu(c) }");
  EXPECT_EQ(FuseSpaceToDepth(test.context), 1);
  EliminateUnused(test.context);
  EXPECT_EQ(Wiring(test.graph()),
            "Slice(x,zero,end,two,two)->tlh; Slice(tlh,zero,end,three,two)->tl; "
            "SpaceToDepth(x)->c; Relu(c)->y");
}

}  // namespace fuse_space_to_depth_test
}  // namespace ptq
