#include "model/attributes.h"

#include <gtest/gtest.h>

#include "testing/model_text.h"

namespace ptq {
namespace {

onnx::NodeProto ConvNode() {
  return ParseGraphText(R"(g (float[1] x) => (float[1] y) {
    y = Conv<group = 4, pads = [1, 2, 3, 4], auto_pad = "NOTSET", alpha = 0.5>(x)
  })")
      .node(0);
}

TEST(Attributes, AreReadByNameWithDefaults) {
  const onnx::NodeProto node = ConvNode();
  EXPECT_EQ(IntAttribute(node, "group", 1), 4);
  EXPECT_EQ(IntAttribute(node, "axis", -1), -1);
  EXPECT_EQ(FloatAttribute(node, "alpha", 0.0f), 0.5f);
  EXPECT_EQ(FloatAttribute(node, "beta", 2.0f), 2.0f);
  EXPECT_EQ(StringAttribute(node, "auto_pad", "VALID"), "NOTSET");
  EXPECT_EQ(StringAttribute(node, "mode", "VALID"), "VALID");
  EXPECT_EQ(IntsAttribute(node, "pads"), (std::vector<int64_t>{1, 2, 3, 4}));
  EXPECT_TRUE(IntsAttribute(node, "strides").empty());
  EXPECT_EQ(FindAttribute(node, "strides"), nullptr);
}

TEST(Attributes, SettingReplacesValueAndTypeInPlace) {
  onnx::NodeProto node = ConvNode();
  SetAttribute(&node, "group", std::string("four"));
  SetAttribute(&node, "pads", std::vector<int64_t>{7});
  SetAttribute(&node, "axis", int64_t{1});
  SetAttribute(&node, "alpha", 0.25f);
  ASSERT_EQ(node.attribute_size(), 5);
  EXPECT_EQ(node.attribute(0).type(), onnx::AttributeProto::STRING);
  EXPECT_FALSE(node.attribute(0).has_i());
  EXPECT_EQ(StringAttribute(node, "group", ""), "four");
  EXPECT_EQ(IntsAttribute(node, "pads"), std::vector<int64_t>{7});
  EXPECT_EQ(IntAttribute(node, "axis", 0), 1);
  EXPECT_EQ(FloatAttribute(node, "alpha", 0), 0.25f);
}

TEST(Attributes, RemovingSaysWhetherThereWasOne) {
  onnx::NodeProto node = ConvNode();
  EXPECT_TRUE(RemoveAttribute(&node, "group"));
  EXPECT_FALSE(RemoveAttribute(&node, "group"));
  EXPECT_EQ(node.attribute_size(), 3);
  EXPECT_EQ(IntsAttribute(node, "pads").size(), 4u);
}

}  // namespace
}  // namespace ptq
