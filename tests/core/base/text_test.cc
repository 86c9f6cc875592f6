#include "base/text.h"

#include <gtest/gtest.h>

#include <string>

namespace ptq {
namespace {

TEST(TextTest, LiteralsAreTheFormAndTheRestParameters) {
  const std::string name = "x";
  const Text text = Text("tensor '") + name + "' has " + 3 + " values";
  EXPECT_EQ(text.str(), "tensor 'x' has 3 values");
  EXPECT_EQ(text.form(), "tensor '{0}' has {1} values");
  ASSERT_EQ(text.params().size(), 2u);
  EXPECT_EQ(std::get<std::string>(text.params()[0]), "x");
  EXPECT_EQ(std::get<int64_t>(text.params()[1]), 3);
}

TEST(TextTest, BracesOfItsOwnAreDoubledInTheForm) {
  const Text text("such as {\"a\": 1}");
  EXPECT_EQ(text.str(), "such as {\"a\": 1}");
  EXPECT_EQ(text.form(), "such as {{\"a\": 1}}");
  EXPECT_TRUE(text.params().empty());
}

TEST(TextTest, ASentenceWithinASentenceIsAParameter) {
  const Text why = Text("tensor '") + std::string("x") + "' is empty";
  const Text text = Text("The node stays float: ") + why + ".";
  EXPECT_EQ(text.str(), "The node stays float: tensor 'x' is empty.");
  EXPECT_EQ(text.form(), "The node stays float: {0}.");
  EXPECT_EQ(std::get<std::shared_ptr<const Text>>(text.params()[0])->form(),
            "tensor '{0}' is empty");
}

TEST(TextTest, AStringByItselfHasNoFormOfItsOwn) {
  const Text text(std::string("whatever onnx says"));
  EXPECT_EQ(text.str(), "whatever onnx says");
  EXPECT_EQ(text.form(), "{0}");
  EXPECT_TRUE(Text(std::string()).empty());
}

}  // namespace
}  // namespace ptq
