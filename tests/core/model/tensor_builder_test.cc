#include "model/tensor_builder.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace ptq {
namespace {

using onnx::TensorProto;
using Dims = std::vector<int64_t>;

// The bytes that onnx 1.23.2's helper.make_tensor(...).SerializeToString() gives, in hex.
std::string Hex(const TensorProto& tensor) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : tensor.SerializeAsString()) {
    hex += kDigits[static_cast<uint8_t>(c) >> 4];
    hex += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return hex;
}

TEST(TensorBuilder, TypedFieldsEqualMakeTensor) {
  const std::vector<float> scale = {0.1f};
  EXPECT_EQ(Hex(RealTensor("s", TensorProto::FLOAT, Dims{}, scale)), "10012204cdcccc3d420173");
  EXPECT_EQ(Hex(RealTensor("s", TensorProto::FLOAT16, Dims{}, scale)), "100a2a02e65c420173");
  EXPECT_EQ(Hex(RealTensor("s", TensorProto::BFLOAT16, Dims{}, scale)), "10102a02cd7b420173");
  EXPECT_EQ(Hex(RealTensor("s", TensorProto::DOUBLE, Dims{}, scale)),
            "100b4201735208000000a09999b93f");
  const std::vector<int64_t> values = {3, 0, 7};
  EXPECT_EQ(Hex(IntTensor("z", TensorProto::UINT8, Dims{3}, values)), "080310022a0303000742017a");
  EXPECT_EQ(Hex(IntTensor("z", TensorProto::INT8, Dims{3}, values)), "080310032a0303000742017a");
  EXPECT_EQ(Hex(IntTensor("z", TensorProto::UINT16, Dims{3}, values)), "080310042a0303000742017a");
  EXPECT_EQ(Hex(IntTensor("z", TensorProto::INT16, Dims{3}, values)), "080310052a0303000742017a");
  EXPECT_EQ(Hex(IntTensor("z", TensorProto::INT32, Dims{3}, values)), "080310062a0303000742017a");
  EXPECT_EQ(Hex(IntTensor("z", TensorProto::INT64, Dims{3}, values)), "080310073a0303000742017a");
  EXPECT_EQ(Hex(IntTensor("z", TensorProto::UINT32, Dims{3}, values)), "0803100c42017a5a03030007");
  EXPECT_EQ(Hex(IntTensor("z", TensorProto::UINT64, Dims{3}, values)), "0803100d42017a5a03030007");
  EXPECT_EQ(Hex(IntTensor("z", TensorProto::INT4, Dims{3}, values)), "080310162a02030742017a");
  EXPECT_EQ(Hex(IntTensor("z", TensorProto::UINT4, Dims{3}, values)), "080310152a02030742017a");
  const std::vector<int64_t> negative = {-3};
  EXPECT_EQ(Hex(IntTensor("z", TensorProto::INT8, Dims{}, negative)),
            "10032a0afdffffffffffffffff0142017a");
  EXPECT_EQ(Hex(IntTensor("z", TensorProto::INT16, Dims{}, negative)),
            "10052a0afdffffffffffffffff0142017a");
  EXPECT_EQ(Hex(IntTensor("z", TensorProto::INT32, Dims{}, negative)),
            "10062a0afdffffffffffffffff0142017a");
  EXPECT_EQ(Hex(IntTensor("z", TensorProto::INT64, Dims{}, negative)),
            "10073a0afdffffffffffffffff0142017a");
  EXPECT_EQ(Hex(IntTensor("z", TensorProto::INT4, Dims{}, negative)), "10162a010d42017a");
  EXPECT_EQ(Hex(Int32FieldTensor("z", TensorProto::INT8, Dims{1}, std::vector<int32_t>{-3})),
            "080110032a0afdffffffffffffffff0142017a");
}

TEST(TensorBuilder, RawTensorEqualsFromArray) {
  const std::vector<uint8_t> bytes = {1, 2, 255};
  EXPECT_EQ(Hex(RawTensor("w", TensorProto::UINT8, Dims{3}, bytes)), "080310024201774a030102ff");
}

TEST(TensorBuilder, RealTensorOfAnIntegerTypeIsABug) {
  EXPECT_THROW(RealTensor("x", TensorProto::INT8, Dims{}, std::vector<float>{1}), Error);
}

TEST(TensorBuilder, OddCountsOf4BitValuesLeaveTheLastHighHalfZero) {
  EXPECT_EQ(PackInt4(std::vector<int64_t>{1, -1, -8}), (std::vector<uint8_t>{0xF1, 0x08}));
}

}  // namespace
}  // namespace ptq
