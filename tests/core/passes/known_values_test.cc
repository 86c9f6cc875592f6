#include "passes/known_values.h"

#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace {

// The elements of `tensor` as text: numbers, names of dimensions, ? for a name that was made up.
std::string Text(const std::optional<Elements>& elements) {
  if (!elements) return "unknown";
  std::string text;
  for (const Element& element : *elements) {
    const bool made_up = element.symbol.size() != 1;
    const std::string name = element.IsNumber() ? std::to_string(element.value)
                             : made_up          ? "?"
                                                : element.symbol;
    text += (text.empty() ? "" : " ") + name;
  }
  return text;
}

// Of the tensor `v` that `nodes` compute from x float[N,3,H,8], t int64[2] and constants.
std::string ValueOf(const std::string& nodes) {
  PassTest test(R"(g (float[N,3,H,8] x, int64[2] t) => (int64 v)
    <int64 zero = {0}, int64[1] first = {0}, int64[1] two = {2}, int64[1] last = {-1},
     int64[2] outer = {0, 3}, int64[1] four = {4}, bool[1] yes = {1}, bool[1] no = {0}> { )" +
                nodes + " }");
  const GraphView view(test.graph());
  KnownValues known(test.context, view);
  return Text(known.ElementsOf("v"));
}

TEST(KnownValues, DimensionsAreNumbersOrNames) {
  PassTest test("g (float[N,3,H,8] x) => (float y) { y = Relu(x) }");
  const GraphView view(test.graph());
  KnownValues known(test.context, view);
  EXPECT_EQ(Text(known.DimsOf("x")), "N 3 H 8");
  EXPECT_EQ(Text(known.DimsOf("nothing")), "unknown");
}

TEST(KnownValues, PartsOfAShape) {
  EXPECT_EQ(ValueOf("v = Shape(x)"), "N 3 H 8");
  EXPECT_EQ(ValueOf("s = Shape(x) v = Gather(s, zero)"), "N");
  EXPECT_EQ(ValueOf("s = Shape(x) v = Gather(s, outer)"), "N 8");
  EXPECT_EQ(ValueOf("s = Shape(x) v = Slice(s, first, two)"), "N 3");
  EXPECT_EQ(ValueOf("s = Shape(x) a = Slice(s, first, two) v = Concat <axis = 0> (a, last)"),
            "N 3 -1");
  EXPECT_EQ(ValueOf("s = Shape(x) v = Cast <to = 7> (s)"), "N 3 H 8");
}

TEST(KnownValues, ArithmeticOfNumbersIsDone) {
  EXPECT_EQ(ValueOf("s = Shape(x) a = Gather(s, outer) v = Mul(a, four)"), "? 32");
  EXPECT_EQ(ValueOf("v = Add(four, two)"), "6");
  EXPECT_EQ(ValueOf("v = Sub(two, four)"), "-2");
  EXPECT_EQ(ValueOf("v = Div(four, two)"), "2");
}

TEST(KnownValues, WhereChoosesByAKnownCondition) {
  EXPECT_EQ(ValueOf("v = Where(yes, four, two)"), "4");
  EXPECT_EQ(ValueOf("v = Where(no, four, two)"), "2");
}

TEST(KnownValues, WhatSamplesDecideIsNotKnown) {
  EXPECT_EQ(ValueOf("v = Add(t, four)"), "unknown");
  EXPECT_EQ(ValueOf("v = NonZero(t)"), "unknown");
  EXPECT_EQ(ValueOf("a = Div(four, first) v = Identity(a)"), "?");
}

TEST(KnownValues, AnInputThatCallersMayReplaceIsNoConstant) {
  PassTest test("g (int64[1] a) => (int64 v) <int64[1] a = {5}> { v = Identity(a) }");
  const GraphView view(test.graph());
  KnownValues known(test.context, view);
  EXPECT_NE(Text(known.ElementsOf("v")), "5");
}

}  // namespace
}  // namespace ptq
