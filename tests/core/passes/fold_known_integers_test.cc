#include <gtest/gtest.h>

#include <memory>

#include "passes/pass_test.h"

namespace ptq {
namespace fold_known_integers_test {

// `integers` compute n of x, float[N,64,5].
std::unique_ptr<PassTest> Folded(const std::string& integers, int changes) {
  auto test = std::make_unique<PassTest>(R"(g (float[N,64,5] x) => (float[A] y)
    <int64 zero = {0}, int64 one = {1}, int64[1] first = {0}, int64[1] two = {2},
     int64[1] end = {9}, int64[2] both = {1, 2}, int64 minus = {-1}> { )" +
                                         integers + " y = acme.Read(x, n) }");
  EXPECT_EQ(FoldKnownIntegers(test->context), changes);
  EXPECT_EQ(FoldKnownIntegers(test->context), 0);
  return test;
}

std::vector<int64_t> Value(const std::string& integers, int changes) {
  const auto test = Folded(integers, changes);
  return test->text.model.tensors().ReadInts(InitializerOf(test->graph(), "n"));
}

TEST(FoldKnownIntegers, AKnownDimensionBesideUnknownOnes) {
  EXPECT_EQ(Value("s = Shape(x) n = Gather(s, one)", 1), (std::vector<int64_t>{64}));
  EXPECT_EQ(Value("s = Shape(x) n = Gather(s, both)", 1), (std::vector<int64_t>{64, 5}));
  EXPECT_EQ(Value("s = Shape(x) n = Slice(s, two, end)", 1), (std::vector<int64_t>{5}));
}

TEST(FoldKnownIntegers, ArithmeticOfThem) {
  EXPECT_EQ(Value("s = Shape(x) c = Gather(s, one) d = Mul(c, c) u = Unsqueeze(d, first) "
                  "n = Concat <axis = 0> (u, two)",
                  4),
            (std::vector<int64_t>{4096, 2}));
}

TEST(FoldKnownIntegers, ADimensionIsNotNegative) {
  EXPECT_EQ(Value("s = Shape(x) b = Gather(s, zero) n = Equal(b, minus)", 1),
            (std::vector<int64_t>{0}));
}

TEST(FoldKnownIntegers, ScalarsStayScalars) {
  const auto test = Folded("s = Shape(x) n = Gather(s, one)", 1);
  EXPECT_EQ(InitializerOf(test->graph(), "n").dims_size(), 0);
}

TEST(FoldKnownIntegers, UnknownOnesStay) {
  EXPECT_EQ(OpTypes(Folded("s = Shape(x) n = Gather(s, zero)", 0)->graph()), "Shape Gather Read");
  EXPECT_EQ(OpTypes(Folded("s = Shape(x) b = Gather(s, zero) n = Equal(b, one)", 0)->graph()),
            "Shape Gather Equal Read");
}

TEST(FoldKnownIntegers, AGraphOutputStays) {
  PassTest test(
      "g (float[N,64] x) => (int64 n) <int64 one = {1}> "
      "{ s = Shape(x) n = Gather(s, one) }");
  EXPECT_EQ(FoldKnownIntegers(test.context), 0);
}

TEST(FoldKnownIntegers, ReadsInBodiesCount) {
  PassTest test(R"(g (float[N,64] x, bool c) => (int64 y) <int64 one = {1}> {
    s = Shape(x) n = Gather(s, one)
    y = If (c) <then_branch = t () => (int64 a) { a = Neg(n) },
                else_branch = e () => (int64 b) { b = Abs(n) }> })");
  EXPECT_EQ(FoldKnownIntegers(test.context), 1);
  EXPECT_EQ(InitializerNames(test.graph()), "one,n");
}

}  // namespace fold_known_integers_test
}  // namespace ptq
