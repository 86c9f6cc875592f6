#include "calibration/nan_witnesses.h"

#include <gtest/gtest.h>

#include "testing/model_text.h"

namespace ptq {
namespace nan_witnesses_test {

// Those of `tensors` in a graph of these nodes, which reads x and w.
std::unordered_set<std::string> Witnessed(const std::string& nodes,
                                          const std::vector<std::string>& tensors) {
  const TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,2,8,8] x, float[2,2,3,3] w) => (float[N,C,H,W] y) {)" +
                       nodes + "}");
  return FindWitnessed(GraphView(text.model.graph()), tensors);
}

using Names = std::unordered_set<std::string>;

TEST(NanWitnessesTest, ArithmeticShowsTheNanOfWhatItReads) {
  EXPECT_EQ(Witnessed("s = Sigmoid (x)  y = Mul (x, s)", {"x", "s", "y"}), (Names{"x", "s"}));
  EXPECT_EQ(Witnessed("a = Exp (x)  y = Concat <axis = 1> (x, a)", {"x", "a", "y"}),
            (Names{"x", "a"}));
}

TEST(NanWitnessesTest, WhatComparesOrClampsMaySwallowIt) {
  for (const char* op_type : {"Relu", "Clip", "Sigmoid", "Softmax"}) {
    EXPECT_EQ(Witnessed(std::string("y = ") + op_type + " (x)", {"x", "y"}), Names{}) << op_type;
  }
  EXPECT_EQ(Witnessed("y = MaxPool <kernel_shape = [2, 2]> (x)", {"x", "y"}), Names{});
}

TEST(NanWitnessesTest, AWitnessIsObservedItself) {
  EXPECT_EQ(Witnessed("y = Add (x, x)", {"x"}), Names{});
  // Of another domain: it may do anything.
  TextModel text(R"(<ir_version: 8, opset_import: ["" : 13, "acme" : 1]>
      g (float[2] x) => (float[2] y) { y = acme.Add (x, x) })");
  EXPECT_EQ(FindWitnessed(GraphView(text.model.graph()), {"x", "y"}), Names{});
}

TEST(NanWitnessesTest, WhatIsMovedHasTheWitnessOfWhatItBecomes) {
  const std::string moved = "t = Transpose <perm = [0, 1, 3, 2]> (x) ";
  EXPECT_EQ(Witnessed(moved + "y = Add (t, t)", {"x", "t", "y"}), (Names{"x", "t"}));
  // Its own sum would be that of x.
  EXPECT_EQ(Witnessed(moved + "y = Relu (t)", {"x", "t", "y"}), Names{});
}

TEST(NanWitnessesTest, AConvIsAWitnessOfItsDataWhereWindowsLeaveOutNothing) {
  const auto of_conv = [](const std::string& attributes) {
    return Witnessed("y = Conv <kernel_shape = [3, 3]" + attributes + "> (x, w)", {"x", "y"});
  };
  const Names x = {"x"};
  EXPECT_EQ(of_conv(""), x);
  EXPECT_EQ(of_conv(", strides = [1, 1], dilations = [1, 1]"), x);
  EXPECT_EQ(of_conv(", strides = [2, 2], pads = [1, 1, 1, 1]"), x);
  EXPECT_EQ(of_conv(R"(, strides = [3, 3], auto_pad = "SAME_UPPER")"), x);
  // The last row or column may be left out; so may rows between windows.
  EXPECT_EQ(of_conv(", strides = [2, 2]"), Names{});
  EXPECT_EQ(of_conv(R"(, strides = [2, 2], auto_pad = "VALID")"), Names{});
  EXPECT_EQ(of_conv(", strides = [2, 2], pads = [1, 1, 1, 0]"), Names{});
  EXPECT_EQ(of_conv(", strides = [4, 4], pads = [3, 3, 3, 3]"), Names{});
  EXPECT_EQ(of_conv(", dilations = [2, 2]"), Names{});
  EXPECT_EQ(Witnessed("y = Conv <strides = [2, 2], pads = [1, 1, 1, 1]> (x, w)", {"x", "y"}),
            Names{});  // the size of its windows is not told
}

TEST(NanWitnessesTest, AGemmShowsTheNanOfItsFirstFactor) {
  const auto of_gemm = [](const std::string& attributes, const std::string& inputs) {
    const TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
        g (float[2,2] x, float[2,2] z) => (float[2,2] y) { y = Gemm )" +
                         attributes + " (" + inputs + ") }");
    return FindWitnessed(GraphView(text.model.graph()), {"x", "y"});
  };
  EXPECT_EQ(of_gemm("", "x, z"), Names{"x"});
  EXPECT_EQ(of_gemm("<alpha = 0.0>", "x, z"), Names{});
  EXPECT_EQ(of_gemm("", "z, z, x"), Names{});
}

}  // namespace nan_witnesses_test
}  // namespace ptq
