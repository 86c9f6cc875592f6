#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace {

std::string Imports(const Model& model) {
  std::string imports;
  for (const onnx::OperatorSetIdProto& import : model.proto().opset_import()) {
    imports += import.domain() + ":" + std::to_string(import.version()) + " ";
  }
  return imports;
}

TEST(DropUnusedImports, OnlyDomainsOfNodesStay) {
  PassTest test(R"(g (float[2] x, bool c) => (float[2] y) {
      y = If(c) <then_branch = t () => (float[2] p) { p = com.microsoft.Gelu(x) },
                 else_branch = e () => (float[2] q) { q = Neg(x) }>
    })",
                R"(<ir_version: 8, opset_import: ["ai.onnx.ml" : 99, "" : 17,
                   "com.microsoft" : 1, "org.pytorch.aten" : 1]> )");
  EXPECT_EQ(DropUnusedImports(test.context), 2);
  EXPECT_EQ(Imports(test.text.model), ":17 com.microsoft:1 ");
}

}  // namespace
}  // namespace ptq
