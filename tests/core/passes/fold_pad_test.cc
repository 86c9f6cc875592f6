#include <gtest/gtest.h>

#include <limits>

#include "model/attributes.h"
#include "passes/pass_test.h"

namespace ptq {
namespace fold_pad_test {

constexpr char kOpset18[] = R"(<ir_version: 8, opset_import: ["" : 18]> )";
constexpr char kOpset10[] = R"(<ir_version: 5, opset_import: ["" : 10]> )";

// "Conv(x,w)->y 0,1,2,3" where the Pad is gone, "" where it stays. `pad` and what follows write y.
std::string Folded(const std::string& nodes, const std::string& constants = "",
                   const std::string& head = kHead13,
                   const std::string& outputs = "float[1,1,4,4] y") {
  PassTest test("g (float[1,1,4,4] x, bool c) => (" + outputs +
                    ") <float[1,1,3,3] w = {1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0}, "
                    "int64[8] q = {0, 0, 0, 1, 0, 0, 2, 3}" +
                    constants + "> { " + nodes + " }",
                head);
  const std::string before = Wiring(test.graph());
  const int folded = FoldPad(test.context);
  EXPECT_EQ(FoldPad(test.context), 0);
  if (folded == 0) {
    EXPECT_EQ(Wiring(test.graph()), before);
    return "";
  }
  std::string pads;
  const onnx::NodeProto& last = test.graph().node(test.graph().node_size() - 1);
  for (const int64_t pad : IntsAttribute(last, "pads"))
    pads += (pads.empty() ? "" : ",") + std::to_string(pad);
  if (IntAttribute(last, "count_include_pad", 0) != 0) pads += " counted";
  if (FindAttribute(last, "auto_pad") != nullptr) pads += " auto_pad";
  return Wiring(test.graph()) + " " + pads;
}

TEST(FoldPad, BecomesThePaddingOfAConv) {
  EXPECT_EQ(Folded("p = Pad(x, q) y = Conv(p, w)"), "Conv(x,w)->y 0,1,2,3");
  EXPECT_EQ(Folded("p = Pad(x, q) y = Conv<pads = [1, 0, 1, 1]>(p, w)"), "Conv(x,w)->y 1,1,3,4");
  EXPECT_EQ(Folded("p = Pad(x, q) y = Conv<auto_pad = \"VALID\">(p, w)"), "Conv(x,w)->y 0,1,2,3");
  EXPECT_EQ(Folded("p = Pad(x, q) y = Conv<auto_pad = \"SAME_UPPER\">(p, w)"), "");
}

TEST(FoldPad, EveryFormOfTheOperator) {
  EXPECT_EQ(Folded("p = Pad<pads = [0, 0, 0, 1, 0, 0, 2, 3]>(x) y = Conv(p, w)", "", kOpset10),
            "Conv(x,w)->y 0,1,2,3");
  EXPECT_EQ(Folded("p = Pad<pads = [0, 0, 0, 1, 0, 0, 2, 3], value = 1.0>(x) y = Conv(p, w)", "",
                   kOpset10),
            "");
  EXPECT_EQ(Folded("p = Pad(x, q, v) y = Conv(p, w)", ", float v = {0.0}"), "Conv(x,w)->y 0,1,2,3");
  const std::string axes = ", int64[4] s = {1, 2, 3, 4}";
  const std::string nodes = "p = Pad(x, s, , a) y = Conv(p, w)";
  EXPECT_EQ(Folded(nodes, axes + ", int64[2] a = {3, -2}", kOpset18), "Conv(x,w)->y 2,1,4,3");
  EXPECT_EQ(Folded(nodes, axes + ", int64[2] a = {1, 2}", kOpset18), "");
  EXPECT_EQ(Folded(nodes, axes + ", int64[2] a = {2, 4}", kOpset18), "");
  EXPECT_EQ(Folded(nodes, axes + ", int64[1] a = {2}", kOpset18), "");
}

TEST(FoldPad, OnlyZerosAroundSpatialAxes) {
  const std::string nodes = "p = Pad(x, s) y = Conv(p, w)";
  EXPECT_EQ(Folded(nodes, ", int64[8] s = {0, 1, 0, 1, 0, 0, 2, 3}"), "");
  EXPECT_EQ(Folded(nodes, ", int64[8] s = {0, 0, 0, 1, 1, 0, 2, 3}"), "");
  EXPECT_EQ(Folded(nodes, ", int64[8] s = {0, 0, 0, -1, 0, 0, 2, 3}"), "");
  EXPECT_EQ(Folded(nodes, ", int64[6] s = {0, 0, 1, 0, 0, 1}"), "");
  EXPECT_EQ(Folded("p = Pad(x, q, v) y = Conv(p, w)", ", float v = {0.5}"), "");
  EXPECT_EQ(Folded("p = Pad<mode = \"reflect\">(x, q) y = Conv(p, w)"), "");
  EXPECT_EQ(Folded("p = Pad<mode = \"edge\">(x, q) y = Conv(p, w)"), "");
}

TEST(FoldPad, WhatIsComputedStays) {
  EXPECT_EQ(Folded("s = Cast<to = 7>(q) p = Pad(x, s) y = Conv(p, w)"), "");
  EXPECT_EQ(Folded("v = Cast<to = 1>(f) p = Pad(x, q, v) y = Conv(p, w)", ", float f = {0.0}"), "");
  PassTest replaced(R"(g (float[1,1,4,4] x, int64[8] q) => (float[1,1,4,4] y)
      <float[1,1,1,1] w = {1.0}, int64[8] q = {0, 0, 0, 1, 0, 0, 2, 3}> { p = Pad(x, q) y = Conv(p, w) })");
  EXPECT_EQ(FoldPad(replaced.context), 0);
  // A weight that is no constant does not say how many axes there are; the attribute does.
  PassTest computed(R"(g (float[1,1,4,4] x, float[1,1,3,3] w) => (float[1,1,4,4] y)
      <int64[8] q = {0, 0, 0, 1, 0, 0, 2, 3}> { p = Pad(x, q) y = Conv<kernel_shape = [3, 3]>(p, w) })");
  EXPECT_EQ(FoldPad(computed.context), 1);
}

TEST(FoldPad, AllReadersTakeItOrNone) {
  const std::string two = "float[1,1,4,4] y, float[1,1,4,4] z";
  EXPECT_EQ(
      Folded("p = Pad(x, q) y = Conv(p, w) z = Conv<pads = [1, 1, 1, 1]>(p, w)", "", kHead13, two),
      "Conv(x,w)->y; Conv(x,w)->z 1,2,3,4");
  EXPECT_EQ(Folded("p = Pad(x, q) y = Conv(p, w) z = Relu(p)", "", kHead13, two), "");
  EXPECT_EQ(Folded("z = Pad(x, q) y = Conv(z, w)", "", kHead13, two), "");
  EXPECT_EQ(Folded("p = Pad(x, q) y = Conv(p, w) z = If(c) <"
                   "then_branch = t () => (float u) { u = Relu(p) },"
                   " else_branch = e () => (float v) { v = Neg(p) }>",
                   "", kHead13, two),
            "");
  EXPECT_EQ(Folded("p = Pad(w, q) y = Conv(x, p)"), "");  // the weight
}

TEST(FoldPad, AnAveragePoolCountsTheZeros) {
  const std::string pad = "p = Pad(x, q) y = AveragePool<kernel_shape = [4, 4]";
  EXPECT_EQ(Folded(pad + ">(p)"), "AveragePool(x)->y 0,1,2,3 counted");
  EXPECT_EQ(Folded(pad + ", pads = [0, 0, 0, 0]>(p)"), "AveragePool(x)->y 0,1,2,3 counted");
  EXPECT_EQ(Folded(pad + ", pads = [1, 0, 0, 0], count_include_pad = 1>(p)"),
            "AveragePool(x)->y 1,1,2,3 counted");
  EXPECT_EQ(Folded(pad + ", pads = [1, 0, 0, 0]>(p)"), "");  // would count its own, too
  EXPECT_EQ(Folded(pad + ", pads = [0, 0, 0, 1], count_include_pad = 1>(p)"), "");  // kernel
  EXPECT_EQ(Folded(pad + ", ceil_mode = 1>(p)"), "");
  EXPECT_EQ(Folded(pad + ", auto_pad = \"SAME_LOWER\">(p)"), "");
}

TEST(FoldPad, AMaxPoolOnlyWhereNothingIsBelow) {
  const std::string pool = "y = MaxPool<kernel_shape = [4, 4]>(p)";
  EXPECT_EQ(Folded("p = Pad(x, q) " + pool), "");
  EXPECT_EQ(Folded("r = Relu(x) p = Pad(r, q) " + pool), "Relu(x)->r; MaxPool(r)->y 0,1,2,3");
  EXPECT_EQ(Folded("r = Neg(x) p = Pad(r, q) " + pool), "");
  EXPECT_EQ(Folded("r = Relu(x) p = Pad(r, q, v) " + pool, ", float v = {0.5}"), "");
  EXPECT_EQ(Folded("r = Clip(x, a) p = Pad(r, q) " + pool, ", float a = {0.0}"),
            "Clip(x,a)->r; MaxPool(r)->y 0,1,2,3");
  EXPECT_EQ(Folded("r = Clip(x, a) p = Pad(r, q) " + pool, ", float a = {-1.0}"), "");
  EXPECT_EQ(Folded("r = Clip(x, , a) p = Pad(r, q) " + pool, ", float a = {1.0}"), "");
  EXPECT_EQ(Folded("r = Clip<min = 0.0>(x) p = Pad<pads = [0, 0, 0, 1, 0, 0, 2, 3]>(r) " + pool, "",
                   kOpset10),
            "Clip(x)->r; MaxPool(r)->y 0,1,2,3");
  EXPECT_EQ(Folded("r = Relu(x) p = Pad(r, q) y = MaxPool<kernel_shape = [3, 3]>(p)"), "");
  EXPECT_EQ(
      Folded("r = Relu(x) p = Pad(r, q) y = MaxPool<kernel_shape = [4, 4], dilations = [2, 2]>(p)"),
      "");
  EXPECT_EQ(Folded("r = Relu(x) p = Pad(r, q) y, z = MaxPool<kernel_shape = [4, 4]>(p)", "",
                   kHead13, "float y, int64 z"),
            "");
  PassTest lowest(
      "g (float[1,1,4,4] x) => (float y) <int64[8] q = {0, 0, 0, 1, 0, 0, 2, 3}> { p = Pad(x, q, "
      "v) " +
      pool + " }");
  AddFloats(&lowest.graph(), "v", {}, {-std::numeric_limits<float>::infinity()});
  EXPECT_EQ(FoldPad(lowest.context), 1);
}

}  // namespace fold_pad_test
}  // namespace ptq
