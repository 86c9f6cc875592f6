#include "base/error.h"

#include <gtest/gtest.h>

#include <set>

#include "testing/read_file.h"
#include "testing/test_paths.h"

namespace ptq {
namespace {

TEST(ErrorTest, EveryCodeHasANameOfItsOwnThatIsDocumented) {
  const std::string docs = ReadFile(TestsDir() / "../docs/errors.md");
  ASSERT_FALSE(docs.empty());
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    const std::string_view name = ErrorCodeName(static_cast<ErrorCode>(code));
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_NE(docs.find("| `" + std::string(name) + "` |"), std::string::npos) << name;
  }
  EXPECT_EQ(ErrorCodeName(ErrorCode::kOutOfMemory), "OUT_OF_MEMORY");
}

}  // namespace
}  // namespace ptq
