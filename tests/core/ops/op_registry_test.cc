#include "ops/op_registry.h"

#include <gtest/gtest.h>

namespace ptq {
namespace {

TEST(OpRegistryTest, TheReferencesOpTypesAreQuantizedByDefault) {
  EXPECT_EQ(OpRegistry().size(), 34u);
  for (const OpRow& row : OpRegistry()) EXPECT_EQ(FindOp(row.op_type), &row);
  EXPECT_EQ(FindOp("Tanh"), nullptr);
  EXPECT_EQ(FindOp(""), nullptr);
}

TEST(OpRegistryTest, WithoutARowTheRuleIsGeneric) {
  EXPECT_EQ(QdqRuleOf("Tanh"), QdqRule::kGeneric);
  EXPECT_EQ(QdqRuleOf("Gather"), QdqRule::kGather);
  for (const std::string_view op_type : TestedWithoutRow()) EXPECT_EQ(FindOp(op_type), nullptr);
}

TEST(OpRegistryTest, EveryRuleIsDescribed) {
  for (const OpRow& row : OpRegistry()) {
    EXPECT_NE(Describe(row.qdq), "") << row.op_type;
    EXPECT_NE(Describe(row.qoperator), "") << row.op_type;
  }
}

}  // namespace
}  // namespace ptq
