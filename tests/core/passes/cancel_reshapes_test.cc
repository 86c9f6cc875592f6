#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace cancel_reshapes_test {

PassTest Graph(const std::string& input, const std::string& nodes,
               const std::string& outputs = "float[A,B] y") {
  return PassTest("g (" + input + " x) => (" + outputs + R"()
    <float two = {2}, float[1,1,1] cube = {2}, float[8] row = {1,2,3,4,5,6,7,8}, int64[1] one = {1},
     int64[2] matrix = {3, 8}, int64[2] other = {8, 3}, int64[2] flat = {0, -1}> { )" +
                  nodes + " }");
}

std::string After(const std::string& input, const std::string& nodes) {
  PassTest test = Graph(input, nodes);
  EXPECT_GT(CancelReshapes(test.context), 0);
  EliminateUnused(test.context);
  return Wiring(test.graph());
}

bool Stays(const std::string& input, const std::string& nodes,
           const std::string& outputs = "float[A,B] y") {
  PassTest test = Graph(input, nodes, outputs);
  const std::string before = Wiring(test.graph());
  return CancelReshapes(test.context) == 0 && Wiring(test.graph()) == before;
}

TEST(CancelReshapes, AroundElementwiseNodesTheyGo) {
  EXPECT_EQ(After("float[3,8]", "a = Unsqueeze(x, one) b = Relu(a) y = Reshape(b, matrix)"),
            "Relu(x)->y");
  EXPECT_EQ(
      After("float[N,8]", "a = Unsqueeze(x, one) b = Mul(two, a) c = Relu(b) y = Reshape(c, flat)"),
      "Mul(two,x)->b_reshaped; Relu(b_reshaped)->y");
}

TEST(CancelReshapes, OneBehindTheOtherInTwoRounds) {
  PassTest test = Graph("float[3,8]",
                        "a = Unsqueeze(x, one) b = Relu(a) c = Reshape(b, matrix) "
                        "d = Unsqueeze(c, one) e = Tanh(d) y = Reshape(e, matrix)");
  EXPECT_EQ(CancelReshapes(test.context), 2);
  EliminateUnused(test.context);
  EXPECT_EQ(Wiring(test.graph()), "Relu(x)->c; Tanh(c)->y");
  PassTest close = Graph("float[3,8]",
                         "a = Unsqueeze(x, one) b = Relu(a) c = Reshape(b, matrix) "
                         "e = Tanh(c) y = Reshape(e, matrix)");
  EXPECT_EQ(CancelReshapes(close.context), 1);
  EXPECT_EQ(Wiring(close.graph()),
            "Unsqueeze(x,one)->a; Relu(x)->c; Tanh(c)->e; Reshape(e,matrix)->y");
}

TEST(CancelReshapes, WhatOthersReadStaysForThem) {
  PassTest test =
      Graph("float[3,8]", "a = Unsqueeze(x, one) z = Neg(a) b = Relu(a) y = Reshape(b, matrix)",
            "float[A,B] y, float[C,D,E] z");
  EXPECT_EQ(CancelReshapes(test.context), 1);
  EXPECT_EQ(Wiring(test.graph()), "Unsqueeze(x,one)->a; Neg(a)->z; Relu(x)->y");
}

TEST(CancelReshapes, AnotherReaderInBetweenKeepsThem) {
  EXPECT_TRUE(Stays("float[3,8]",
                    "a = Unsqueeze(x, one) b = Relu(a) z = Neg(b) y = Reshape(b, matrix)",
                    "float[A,B] y, float[C,D,E] z"));
  EXPECT_TRUE(Stays("float[3,8]", "a = Unsqueeze(x, one) z = Relu(a) y = Reshape(z, matrix)",
                    "float[A,B] y, float[C,D,E] z"));
}

TEST(CancelReshapes, ToAnotherShapeTheyStay) {
  EXPECT_TRUE(Stays("float[3,8]", "a = Unsqueeze(x, one) b = Relu(a) y = Reshape(b, other)"));
  EXPECT_TRUE(Stays("float", "a = Unsqueeze(x, one) b = Relu(a) y = Reshape(b, flat)"));
}

TEST(CancelReshapes, OtherOperandsThanNumbersKeepThem) {
  EXPECT_TRUE(Stays("float[3,8]", "a = Unsqueeze(x, one) b = Mul(a, row) y = Reshape(b, matrix)"));
  EXPECT_TRUE(Stays("float[3,8]", "a = Unsqueeze(x, one) b = Mul(a, cube) y = Reshape(b, matrix)"));
  EXPECT_TRUE(Stays("float[3,8]", "a = Unsqueeze(x, one) b = Add(a, a) y = Reshape(b, matrix)"));
  EXPECT_TRUE(Stays("float[3,8]", "a = Unsqueeze(x, one) b = Softmax(a) y = Reshape(b, matrix)"));
}

}  // namespace cancel_reshapes_test
}  // namespace ptq
