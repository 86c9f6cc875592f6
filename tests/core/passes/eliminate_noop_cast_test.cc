#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace eliminate_noop_cast_test {

TEST(EliminateNoopCast, ToTheTypeThatIsThereGoes) {
  PassTest test(R"(g (float[2] x, int64[2] n) => (float[2] y, float16[2] z)
      <float16[2] a> {
    a = Cast<to = 1>(x)
    b = Relu(a)
    c = Cast<to = 1>(b)
    d = Cast<to = 10>(c)
    z = Cast<to = 10>(d)
    e = Cast<to = 1>(n)
    f = Foo(e)
    g = Cast<to = 1>(f)
    y = Add(c, g)
  })");
  // The file's own word that `a` is float16 does not count, and of Foo nothing is known.
  EXPECT_EQ(EliminateNoopCast(test.context), 3);
  EXPECT_EQ(Wiring(test.graph()),
            "Relu(x)->b; Cast(b)->z; Cast(n)->e; Foo(e)->f; Cast(f)->g; Add(b,g)->y");
}

// y = Neg(c), with `casts` computing c from x.
std::string After(const std::string& type, const std::string& casts) {
  PassTest test("g (" + type + "[2] x) => (float[2] y) { " + casts + " y = Neg(c) }");
  EliminateNoopCast(test.context);
  EliminateUnused(test.context);
  EXPECT_EQ(EliminateNoopCast(test.context), 0);
  return Wiring(test.graph());
}

TEST(EliminateNoopCast, ARoundTripThatLosesNothingGoes) {
  EXPECT_EQ(After("int32", "a = Cast <to = 7> (x) c = Cast <to = 6> (a)"), "Neg(x)->y");
  EXPECT_EQ(After("float16", "a = Cast <to = 1> (x) c = Cast <to = 10> (a)"), "Neg(x)->y");
  EXPECT_EQ(After("int32", "a = Cast <to = 7> (x) b = Cast <to = 11> (a) c = Cast <to = 6> (b)"),
            "Neg(x)->y");
}

TEST(EliminateNoopCast, ARoundTripThatRoundsOrWrapsStays) {
  EXPECT_EQ(After("float", "a = Cast <to = 10> (x) c = Cast <to = 1> (a)"),
            "Cast(x)->a; Cast(a)->c; Neg(c)->y");
  EXPECT_EQ(After("int64", "a = Cast <to = 6> (x) c = Cast <to = 7> (a)"),
            "Cast(x)->a; Cast(a)->c; Neg(c)->y");
  EXPECT_EQ(After("int32", "a = Cast <to = 1> (x) c = Cast <to = 6> (a)"),
            "Cast(x)->a; Cast(a)->c; Neg(c)->y");
  EXPECT_EQ(After("uint8", "a = Cast <to = 3> (x) c = Cast <to = 2> (a)"),
            "Cast(x)->a; Cast(a)->c; Neg(c)->y");
}

TEST(EliminateNoopCast, TwoOfWhichTheFirstLosesNothingAreOne) {
  EXPECT_EQ(After("int32", "a = Cast <to = 7> (x) c = Cast <to = 1> (a)"), "Cast(x)->c; Neg(c)->y");
  EXPECT_EQ(After("uint8", "a = Cast <to = 1> (x) c = Cast <to = 7> (a)"), "Cast(x)->c; Neg(c)->y");
}

TEST(EliminateNoopCast, AFloatBeyondAnIntegersRangeIsNotAsked) {
  EXPECT_EQ(After("int16", "a = Cast <to = 1> (x) c = Cast <to = 2> (a)"),
            "Cast(x)->a; Cast(a)->c; Neg(c)->y");
}

}  // namespace eliminate_noop_cast_test
}  // namespace ptq
