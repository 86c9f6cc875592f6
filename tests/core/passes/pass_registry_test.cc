#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace {

TEST(PassRegistry, NamesAreThoseOfTheFilesAndUnique) {
  std::vector<std::string_view> names;
  for (const Pass& pass : OptimizePasses()) {
    EXPECT_FALSE(pass.description.empty());
    EXPECT_EQ(std::count(names.begin(), names.end(), pass.name), 0) << pass.name;
    names.push_back(pass.name);
  }
  EXPECT_EQ(names.front(), "inline_functions");
}

}  // namespace
}  // namespace ptq
