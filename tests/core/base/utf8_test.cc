#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace ptq {
namespace {

TEST(IsUtf8Test, TextOfAllLengths) {
  for (const char* text :
       {"", "conv1", "\xC3\xA9", "\xE6\x97\xA5", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
}

TEST(IsUtf8Test, NotWhatOtherEncodingsWrite) {
  for (const char* text : {"\xB5\xE7", "caf\xE9", "\x80", "a\xC3"})
    EXPECT_FALSE(IsUtf8(text)) << text;
}

TEST(IsUtf8Test, NotOverlongFormsSurrogatesAndMoreThanUnicode) {
  for (const char* text : {"\xC0\xAF", "\xE0\x80\xAF", "\xF0\x80\x80\xAF", "\xED\xA0\x80",
                           "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80"}) {
    EXPECT_FALSE(IsUtf8(text)) << text;
  }
}

}  // namespace
}  // namespace ptq
