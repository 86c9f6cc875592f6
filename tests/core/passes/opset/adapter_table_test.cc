#include <gtest/gtest.h>

#include <utility>

#include "passes/opset/adapter.h"

namespace ptq {
namespace {

TEST(AdapterTable, IsSortedSoThatAdaptersApplyInOrder) {
  const std::span<const AdapterRow> rows = AdapterTable();
  for (size_t i = 1; i < rows.size(); ++i) {
    EXPECT_LT(std::pair(rows[i - 1].op_type, rows[i - 1].opset),
              std::pair(rows[i].op_type, rows[i].opset));
  }
}

}  // namespace
}  // namespace ptq
