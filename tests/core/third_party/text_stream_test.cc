#include "onnx/text_stream.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <iomanip>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace ptq {
namespace {

template <typename Value>
void ExpectSame(const Value& value) {
  std::ostringstream standard;
  standard << value;
  onnx::TextStream stream;
  stream << value;
  EXPECT_EQ(stream.str(), standard.str());
}

TEST(TextStreamTest, WritesWhatAStreamWrites) {
  ExpectSame("text");
  ExpectSame(std::string("te\0xt", 5));
  ExpectSame(std::string_view("view"));
  ExpectSame('c');
  ExpectSame(true);
  ExpectSame(-7);
  ExpectSame(7U);
  ExpectSame(size_t{12});
  ExpectSame(std::numeric_limits<int64_t>::min());
  ExpectSame(std::numeric_limits<uint64_t>::max());
  for (const double value : {0.0, -0.5, 1.0 / 3, 1e6, 1234567.0, 1e-5, 1e300}) {
    ExpectSame(value);
    ExpectSame(static_cast<float>(value));
  }
}

TEST(TextStreamTest, FillsTheWidthOfOneText) {
  for (const int width : {-3, 0, 1, 4}) {
    std::ostringstream standard;
    standard << std::setw(width) << ' ' << "a" << std::setw(width) << "bc" << 1;
    onnx::TextStream stream;
    stream << onnx::setw(width) << ' ' << "a" << onnx::setw(width) << "bc" << 1;
    EXPECT_EQ(stream.str(), standard.str());
  }
}

TEST(TextStreamTest, GivesTheLinesThatAStreamGives) {
  for (const char* const text : {"", "a", "a,b", "a,,b,", ",", "ij,jk->ik"}) {
    std::stringstream standard{text};
    onnx::TextStream stream{text};
    std::string expected = "before", line = "before";
    while (!standard.eof()) {
      ASSERT_FALSE(stream.eof());
      std::getline(standard, expected, ',');
      getline(stream, line, ',');
      EXPECT_EQ(line, expected);
    }
    EXPECT_TRUE(stream.eof());
  }
}

}  // namespace
}  // namespace ptq
