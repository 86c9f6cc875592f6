#include "quantization/float_reason.h"

#include <gtest/gtest.h>

#include <set>

#include "testing/read_file.h"
#include "testing/test_paths.h"

namespace ptq {
namespace {

TEST(FloatReasonTest, EveryCodeHasANameOfItsOwnThatIsDocumented) {
  const std::string docs = ReadFile(TestsDir() / "../docs/errors.md");
  ASSERT_FALSE(docs.empty());
  std::set<std::string_view> names;
  constexpr auto kLast = static_cast<int>(FloatReasonCode::kPerChannelUnfit);
  for (int code = 1; code <= kLast; ++code) {
    const std::string_view name = FloatReasonName(static_cast<FloatReasonCode>(code));
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_NE(docs.find("| `" + std::string(name) + "` |"), std::string::npos) << name;
  }
  EXPECT_EQ(FloatReasonName(FloatReasonCode::kNone), "");
}

TEST(FloatReasonTest, NoReasonIsEmpty) {
  EXPECT_TRUE(FloatReason{}.empty());
  EXPECT_FALSE(InputNotQuantized().empty());
  EXPECT_EQ(NeedsOpset(12).text, "its integer form needs opset 12 or newer");
}

}  // namespace
}  // namespace ptq
