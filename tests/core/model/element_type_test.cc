#include "model/element_type.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace ptq {
namespace {

using onnx::TensorProto;

TEST(ElementTypeTest, BytesOfAnElementAreWholeOrNone) {
  EXPECT_EQ(ElementBytes(TensorProto::FLOAT), 4u);
  EXPECT_EQ(ElementBytes(TensorProto::BFLOAT16), 2u);
  EXPECT_EQ(ElementBytes(TensorProto::FLOAT8E4M3FN), 1u);
  EXPECT_EQ(ElementBytes(TensorProto::FLOAT8E5M2), 1u);
  EXPECT_EQ(ElementBytes(TensorProto::COMPLEX64), 8u);
  EXPECT_EQ(ElementBytes(TensorProto::INT4), 0u);
  EXPECT_EQ(ElementBytes(TensorProto::FLOAT6E2M3), 0u);
  EXPECT_EQ(ElementBytes(TensorProto::STRING), 0u);
  EXPECT_EQ(ElementBytes(99), 0u);
}

TEST(ElementTypeTest, PackedElementsFillTheirLastByte) {
  EXPECT_EQ(PackedBytes(3, ElementBits(TensorProto::INT4)), 2u);
  EXPECT_EQ(PackedBytes(5, ElementBits(TensorProto::UINT2)), 2u);
  EXPECT_EQ(PackedBytes(3, ElementBits(TensorProto::DOUBLE)), 24u);
  EXPECT_EQ(PackedBytes(0, 4), 0u);
}

TEST(ElementTypeTest, NoBitsOfWhatHasNoFixedSize) {
  EXPECT_EQ(FindElementBits(TensorProto::STRING), std::nullopt);
  EXPECT_EQ(FindElementBits(99), std::nullopt);
  EXPECT_THROW(ElementBits(TensorProto::STRING), Error);
}

TEST(ElementTypeTest, NamesForMessages) {
  EXPECT_EQ(ElementTypeName(TensorProto::FLOAT16), "FLOAT16");
  EXPECT_EQ(ElementTypeName(99), "of unknown type 99");
}

}  // namespace
}  // namespace ptq
