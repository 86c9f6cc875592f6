#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace eliminate_noop_arithmetic_test {

// y = <reader>(a), with `arithmetic` computing a from x.
PassTest Computed(const std::string& input, const std::string& arithmetic,
                  const std::string& reader = "Neg") {
  return PassTest("g (" + input + R"( x) => (float[A,B] y)
    <float zero = {0.0}, float minus = {-0.0}, float one = {1.0}, float[1] ones1 = {1.0},
     float[3] ones = {1.0, 1.0, 1.0}, float[3] nearly = {1.0, 1.0, 2.0}, float[1,1,1] deep = {1.0},
     int64 none = {0}, int64 single = {1}> { )" +
                  arithmetic + " y = " + reader + "(a) }");
}

void ExpectBypassed(PassTest test) {
  EXPECT_EQ(EliminateNoopArithmetic(test.context), 1);
  EXPECT_TRUE(Wiring(test.graph()).ends_with("(x)->y")) << Wiring(test.graph());
  EXPECT_EQ(EliminateNoopArithmetic(test.context), 0);
}

void ExpectKept(PassTest test) {
  const std::string before = Wiring(test.graph());
  EXPECT_EQ(EliminateNoopArithmetic(test.context), 0);
  EXPECT_EQ(Wiring(test.graph()), before);
}

TEST(EliminateNoopArithmetic, TimesOverAndToThePowerOfOne) {
  ExpectBypassed(Computed("float[N,M]", "a = Mul(x, one)"));
  ExpectBypassed(Computed("float[N,M]", "a = Mul(one, x)"));
  ExpectBypassed(Computed("float[N,M]", "a = Div(x, one)"));
  ExpectBypassed(Computed("float[N,M]", "a = Pow(x, one)"));
  ExpectBypassed(Computed("float[N,M]", "a = Pow(x, single)"));
  ExpectKept(Computed("float[N,M]", "a = Div(one, x)"));
  ExpectKept(Computed("float[N,M]", "a = Pow(one, x)"));
  ExpectKept(Computed("float[N,M]", "a = Mul(x, zero)"));
}

TEST(EliminateNoopArithmetic, PlusZeroOnlyWhereNobodyTellsZerosApart) {
  ExpectKept(Computed("float[N,M]", "a = Add(x, zero)"));
  ExpectKept(Computed("float[N,M]", "a = Add(x, zero)", "Reciprocal"));
  ExpectBypassed(Computed("float[N,M]", "a = Add(x, zero)", "Softmax"));
  ExpectBypassed(Computed("float[N,M]", "a = Add(x, minus)"));
  ExpectBypassed(Computed("float[N,M]", "a = Sub(x, zero)"));
  ExpectKept(Computed("float[N,M]", "a = Sub(x, minus)"));
  ExpectKept(Computed("float[N,M]", "a = Sub(zero, x)"));
}

TEST(EliminateNoopArithmetic, IntegersHaveOneZero) {
  ExpectBypassed(Computed("int64[N,M]", "a = Add(x, none)"));
  ExpectBypassed(Computed("int64[N,M]", "a = Add(none, x)"));
  ExpectKept(Computed("int64[N,M]", "a = Mul(x, none)"));
}

TEST(EliminateNoopArithmetic, EveryElementCounts) {
  ExpectBypassed(Computed("float[N,3]", "a = Mul(x, ones)"));
  ExpectKept(Computed("float[N,3]", "a = Mul(x, nearly)"));
}

TEST(EliminateNoopArithmetic, WhereBroadcastingChangesTheShapeItStays) {
  ExpectKept(Computed("float[N,1]", "a = Mul(x, ones)"));
  ExpectKept(Computed("float[N,M]", "a = Mul(x, ones)"));
  ExpectKept(Computed("float[N,M]", "a = Mul(x, deep)"));
  ExpectKept(Computed("float", "a = Mul(x, ones1)"));
  ExpectBypassed(Computed("float", "a = Mul(x, one)"));
}

TEST(EliminateNoopArithmetic, ASumOfOneTensor) {
  ExpectBypassed(Computed("float[N,M]", "a = Sum(x)"));
  ExpectBypassed(Computed("float[N,M]", "a = Max(x)"));
  ExpectKept(Computed("float[N,M]", "a = Max(x, one)"));
}

TEST(EliminateNoopArithmetic, AConstantThatCallersMayReplaceStays) {
  ExpectKept(
      PassTest("g (float[N] x, float one) => (float[N] y) <float one = {1.0}> "
               "{ a = Mul(x, one) y = Neg(a) }"));
}

TEST(EliminateNoopArithmetic, AGraphOutputIsWrittenByTheProducer) {
  PassTest test(
      "g (float[N] x) => (float[N] y) <float one = {1.0}> { a = Neg(x) y = Mul(a, one) }");
  EXPECT_EQ(EliminateNoopArithmetic(test.context), 1);
  EXPECT_EQ(Wiring(test.graph()), "Neg(x)->y");
}

}  // namespace eliminate_noop_arithmetic_test
}  // namespace ptq
