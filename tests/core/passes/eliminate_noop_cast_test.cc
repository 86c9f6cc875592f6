#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace {

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

}  // namespace
}  // namespace ptq
