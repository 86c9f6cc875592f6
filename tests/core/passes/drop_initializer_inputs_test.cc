#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace {

TEST(DropInitializerInputs, WeightsOfIr3LeaveTheInputsAndIrRises) {
  PassTest test("g (float[2] x, float[2] w) => (float[2] y) { y = Add(x, w) }",
                R"(<ir_version: 3, opset_import: ["" : 7]> )");
  AddFloats(&test.graph(), "w", {2}, {1, 2});
  EXPECT_EQ(DropInitializerInputs(test.context), 1);
  ASSERT_EQ(test.graph().input_size(), 1);
  EXPECT_EQ(test.graph().input(0).name(), "x");
  EXPECT_EQ(test.text.model.proto().ir_version(), 4);
  EXPECT_TRUE(test.diagnostics.empty());
}

TEST(DropInitializerInputs, DefaultsOfNewerFilesAreFixedWithANotice) {
  PassTest test("g (float[2] w, float[2] x) => (float[2] y) { y = Add(x, w) }");
  AddFloats(&test.graph(), "w", {2}, {1, 2});
  EXPECT_EQ(DropInitializerInputs(test.context), 1);
  EXPECT_EQ(test.text.model.proto().ir_version(), 8);
  ASSERT_EQ(test.diagnostics.size(), 1u);
  EXPECT_EQ(test.diagnostics[0].code, "OVERRIDABLE_INITIALIZERS_FIXED");
}

TEST(DropInitializerInputs, BodiesLoseTheirsWhereIrRisesTo4) {
  PassTest test(R"(g (float[2] x, float[2] w, bool c) => (float[2] y) {
      y = If(c) <then_branch = t (float[2] k) => (float[2] a) <float[2] k = {1.0, 2.0}> { a = Add(x, k) },
                 else_branch = e () => (float[2] b) { b = Add(x, w) }>
    })",
                R"(<ir_version: 3, opset_import: ["" : 7]> )");
  AddFloats(&test.graph(), "w", {2}, {1, 2});
  EXPECT_EQ(DropInitializerInputs(test.context), 1);
  EXPECT_EQ(test.graph().node(0).attribute(0).g().input_size(), 0);
}

}  // namespace
}  // namespace ptq
