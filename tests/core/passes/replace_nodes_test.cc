#include "passes/replace_nodes.h"

#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace {

TEST(ReplaceNodes, SeveralOneOrNoneStandInTheNodesPlace) {
  PassTest test("g (float[1] x) => (float[1] z) { a = Relu(x) b = Neg(a) c = Abs(b) z = Exp(c) }");
  onnx::NodeProto first, second;
  first.set_op_type("Sin");
  second.set_op_type("Cos");
  ReplaceNodes(&test.graph(), {{1, {first, second}}, {2, {}}});
  EXPECT_EQ(OpTypes(test.graph()), "Relu Sin Cos Exp");
  ReplaceNodes(&test.graph(), {});
  EXPECT_EQ(OpTypes(test.graph()), "Relu Sin Cos Exp");
}

}  // namespace
}  // namespace ptq
