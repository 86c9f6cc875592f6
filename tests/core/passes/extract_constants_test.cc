#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace {

TEST(ExtractConstants, EveryNumericFormBecomesAnInitializerNamedByItsOutput) {
  PassTest test(R"(g (float[2] x) => (float[2] y) {
    a = Constant <value = float[2] {1.0, 2.0}> ()
    b = Constant <value_float = 3.0> ()
    c = Constant <value_floats = [4.0, 5.0]> ()
    d = Constant <value_int = 6> ()
    e = Constant <value_ints = [7, 8]> ()
    y = Foo(x, a, b, c, d, e)
  })");
  EXPECT_EQ(ExtractConstants(test.context), 5);
  EXPECT_EQ(Wiring(test.graph()), "Foo(x,a,b,c,d,e)->y");
  EXPECT_EQ(InitializerNames(test.graph()), "a,b,c,d,e");
  const TensorStore& store = test.text.model.tensors();
  EXPECT_EQ(store.ReadFloats(InitializerOf(test.graph(), "a")), (std::vector<float>{1, 2}));
  EXPECT_EQ(store.ReadFloats(InitializerOf(test.graph(), "b")), (std::vector<float>{3}));
  EXPECT_EQ(InitializerOf(test.graph(), "b").dims_size(), 0);
  EXPECT_EQ(store.ReadFloats(InitializerOf(test.graph(), "c")), (std::vector<float>{4, 5}));
  EXPECT_EQ(store.ReadInts(InitializerOf(test.graph(), "d")), (std::vector<int64_t>{6}));
  EXPECT_EQ(store.ReadInts(InitializerOf(test.graph(), "e")), (std::vector<int64_t>{7, 8}));
}

TEST(ExtractConstants, GraphOutputsStringsAndSubgraphsStay) {
  PassTest test(R"(g (bool c) => (float[1] y, float[1] z) {
    y = Constant <value = float[1] {1.0}> ()
    s = Constant <value_string = "text"> ()
    u = Foo(s)
    z = If(c) <
      then_branch = t () => (float[1] p) { p = Constant <value = float[1] {1.0}> () },
      else_branch = e () => (float[1] q) { q = Constant <value = float[1] {2.0}> () }>
  })");
  const std::string before = TextOf(test.graph());
  EXPECT_EQ(ExtractConstants(test.context), 0);
  EXPECT_EQ(TextOf(test.graph()), before);
}

}  // namespace
}  // namespace ptq
