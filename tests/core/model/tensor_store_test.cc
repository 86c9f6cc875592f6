#include "model/tensor_store.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/error.h"
#include "base/float16.h"
#include "model/external_data.h"
#include "model/tensor_builder.h"
#include "testing/memory_files.h"
#include "testing/model_text.h"

namespace ptq {
namespace {

using onnx::TensorProto;

std::vector<uint8_t> RawOf(const TensorStore& store, const TensorProto& tensor) {
  std::vector<uint8_t> bytes(store.ByteSize(tensor));
  store.ReadBytes(tensor, 0, bytes);
  return bytes;
}

template <typename T>
std::vector<uint8_t> BytesOf(const std::vector<T>& values) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(values.data());
  return {bytes, bytes + values.size() * sizeof(T)};
}

class TensorStoreTest : public testing::Test {
 protected:
  MemoryFiles files_;
  TensorStore store_{&files_};
};

TEST_F(TensorStoreTest, TypedFieldsReadAsTheirRawBytes) {
  const std::vector<int64_t> dims = {3};
  const std::vector<int64_t> values = {-2, 0, 5}, unsigned_values = {2, 0, 200};
  const auto raw = [&](int32_t type, const std::vector<int64_t>& of) {
    return RawOf(store_, IntTensor("t", type, dims, of));
  };
  EXPECT_EQ(raw(TensorProto::INT64, values), BytesOf(values));
  EXPECT_EQ(raw(TensorProto::INT32, values), BytesOf(std::vector<int32_t>{-2, 0, 5}));
  EXPECT_EQ(raw(TensorProto::INT16, values), BytesOf(std::vector<int16_t>{-2, 0, 5}));
  EXPECT_EQ(raw(TensorProto::INT8, values), BytesOf(std::vector<int8_t>{-2, 0, 5}));
  EXPECT_EQ(raw(TensorProto::UINT64, unsigned_values), BytesOf(std::vector<uint64_t>{2, 0, 200}));
  EXPECT_EQ(raw(TensorProto::UINT32, unsigned_values), BytesOf(std::vector<uint32_t>{2, 0, 200}));
  EXPECT_EQ(raw(TensorProto::UINT16, unsigned_values), BytesOf(std::vector<uint16_t>{2, 0, 200}));
  EXPECT_EQ(raw(TensorProto::UINT8, unsigned_values), BytesOf(std::vector<uint8_t>{2, 0, 200}));
  EXPECT_EQ(raw(TensorProto::BOOL, {1, 0, 1}), (std::vector<uint8_t>{1, 0, 1}));
  EXPECT_EQ(raw(TensorProto::INT4, {-2, 1, 7}), (std::vector<uint8_t>{0x1E, 0x07}));
  EXPECT_EQ(raw(TensorProto::UINT4, {15, 1, 7}), (std::vector<uint8_t>{0x1F, 0x07}));

  const std::vector<float> floats = {1.5f, -0.0f, 3e-8f};
  const auto real = [&](int32_t type) {
    return RawOf(store_, RealTensor("t", type, dims, floats));
  };
  EXPECT_EQ(real(TensorProto::FLOAT), BytesOf(floats));
  EXPECT_EQ(real(TensorProto::DOUBLE), BytesOf(std::vector<double>{1.5, -0.0, 3e-8f}));
  EXPECT_EQ(real(TensorProto::FLOAT16), BytesOf(std::vector<uint16_t>{0x3E00, 0x8000, 0x0001}));
  EXPECT_EQ(real(TensorProto::BFLOAT16), BytesOf(std::vector<uint16_t>{0x3FC0, 0x8000, 0x3301}));
}

TEST_F(TensorStoreTest, PartsOfTypedFieldsMayBeginInsideAnElement) {
  const TensorProto tensor = IntTensor("t", TensorProto::INT16, std::vector<int64_t>{3},
                                       std::vector<int64_t>{0x0102, 0x0304, 0x0506});
  std::vector<uint8_t> part(3);
  store_.ReadBytes(tensor, 1, part);
  EXPECT_EQ(part, (std::vector<uint8_t>{0x01, 0x04, 0x03}));
}

TEST_F(TensorStoreTest, IntegersReadTheSameFromEveryTypeAndPlace) {
  const std::vector<int64_t> dims = {3}, values = {3, 0, 7};
  for (const int32_t type :
       {TensorProto::INT64, TensorProto::INT32, TensorProto::INT16, TensorProto::INT8,
        TensorProto::UINT64, TensorProto::UINT32, TensorProto::UINT16, TensorProto::UINT8,
        TensorProto::INT4, TensorProto::UINT4, TensorProto::BOOL}) {
    const TensorProto typed = IntTensor("t", type, dims, values);
    EXPECT_EQ(store_.ReadInts(typed), values) << type;
    const TensorProto raw = RawTensor("t", type, dims, RawOf(store_, typed));
    EXPECT_EQ(store_.ReadInts(raw), values) << type;
  }
  const std::vector<int64_t> negative = {-8, -1, 7};
  for (const int32_t type : {TensorProto::INT64, TensorProto::INT32, TensorProto::INT16,
                             TensorProto::INT8, TensorProto::INT4}) {
    EXPECT_EQ(store_.ReadInts(IntTensor("t", type, dims, negative)), negative) << type;
  }
  const TensorProto two_bits =
      RawTensor("t", TensorProto::INT2, std::vector<int64_t>{5}, std::vector<uint8_t>{0xE4, 0x02});
  EXPECT_EQ(store_.ReadInts(two_bits), (std::vector<int64_t>{0, 1, -2, -1, -2}));
}

TEST_F(TensorStoreTest, FloatsReadFromHalvesAndDoublesRounded) {
  const std::vector<int64_t> dims = {2};
  EXPECT_EQ(store_.ReadFloats(
                RealTensor("t", TensorProto::FLOAT16, dims, std::vector<float>{0.1f, -3.0f})),
            (std::vector<float>{HalfToFloat(0x2E66), -3.0f}));
  TensorProto doubles = EmptyTensor("t", TensorProto::DOUBLE, dims);
  doubles.add_double_data(0.1);
  doubles.add_double_data(16777217.0);
  EXPECT_EQ(store_.ReadFloats(doubles), (std::vector<float>{0.1f, 16777216.0f}));
}

TEST_F(TensorStoreTest, PartsAreThoseOfTheWhole) {
  const int64_t count = (1 << 18) + 21;  // of integers more than two windows
  std::vector<int64_t> integers(count);
  std::vector<float> reals(count);
  for (size_t i = 0; i < integers.size(); ++i) {
    integers[i] = static_cast<int64_t>(i % 13) - 6;
    reals[i] = static_cast<float>(integers[i]) / 4;
  }
  const std::vector<int64_t> dims = {count};
  for (const int32_t type : {TensorProto::INT4, TensorProto::INT8, TensorProto::INT64}) {
    const TensorProto tensor = IntTensor("t", type, dims, integers);
    EXPECT_EQ(store_.ReadInts(tensor), integers) << type;
    std::vector<int64_t> part((1 << 17) + 5);
    store_.ReadInts(tensor, 16, part);
    EXPECT_TRUE(std::equal(part.begin(), part.end(), integers.begin() + 16)) << type;
    part.resize(30);  // more than there are
    EXPECT_THROW(store_.ReadInts(tensor, 1 << 18, part), Error) << type;
  }
  for (const int32_t type : {TensorProto::FLOAT, TensorProto::FLOAT16}) {
    const TensorProto tensor = RealTensor("t", type, dims, reals);
    std::vector<float> part(100);
    store_.ReadFloats(tensor, 1 << 18, std::span(part).first(21));
    EXPECT_TRUE(std::equal(part.begin(), part.begin() + 21, reals.end() - 21)) << type;
    EXPECT_THROW(store_.ReadFloats(tensor, 1 << 18, part), Error) << type;
  }
}

TEST_F(TensorStoreTest, ScalarsAndEmptyTensorsHaveOneAndNoElement) {
  const std::vector<int64_t> none, empty = {3, 0, 2};
  EXPECT_EQ(store_.ReadFloats(FloatTensor("t", none, std::vector<float>{4.0f})),
            std::vector<float>{4.0f});
  EXPECT_TRUE(store_.ReadFloats(FloatTensor("t", empty, {})).empty());
  EXPECT_TRUE(store_.ReadInts(RawTensor("t", TensorProto::INT4, empty, {})).empty());
}

TEST_F(TensorStoreTest, WindowsCoverALargeTensorInOrderAndBoundTheReads) {
  const uint64_t count = (2 << 20) + 17;
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 0.0f);
  files_.Put("w.bin", BytesOf(values));
  TensorProto tensor =
      EmptyTensor("w", TensorProto::FLOAT, std::vector<int64_t>{static_cast<int64_t>(count)});
  SetExternal(&tensor, "w.bin", 0, count * 4);
  uint64_t expected = 0;
  store_.VisitFloats(tensor, [&](uint64_t first, std::span<const float> part) {
    ASSERT_EQ(first, expected);
    ASSERT_EQ(part.front(), static_cast<float>(first));
    ASSERT_EQ(part.back(), static_cast<float>(first + part.size() - 1));
    expected += part.size();
  });
  EXPECT_EQ(expected, count);
  EXPECT_EQ(files_.largest_read(), uint64_t{4} << 20);
  EXPECT_EQ(store_.ReadFloats(tensor), values);
}

TEST_F(TensorStoreTest, SmallDataStaysInlineAndLargeDataGoesToScratch) {
  const std::vector<uint8_t> small(1023, 7), large(1024, 8), more(5000, 9);
  TensorProto a = EmptyTensor("a", TensorProto::UINT8, std::vector<int64_t>{1023});
  TensorProto b = FloatTensor("b", std::vector<int64_t>{256}, SomeFloats(256));
  TensorProto c = EmptyTensor("c", TensorProto::INT8, std::vector<int64_t>{5000});
  store_.SetBytes(&a, small);
  EXPECT_FALSE(files_.Has(kScratchFile));
  store_.SetBytes(&b, large);
  TensorStore other(&files_);  // scratch belongs to the files, not to one model
  other.SetBytes(&c, more);
  EXPECT_FALSE(IsExternal(a));
  EXPECT_EQ(b.float_data_size(), 0);
  EXPECT_EQ(ExternalRangeOf(b).location, kScratchFile);
  EXPECT_EQ(ExternalRangeOf(c).offset, 1024u);
  EXPECT_EQ(RawOf(store_, a), small);
  EXPECT_EQ(RawOf(store_, b), large);
  EXPECT_EQ(RawOf(store_, c), more);
}

TEST_F(TensorStoreTest, ShapeLikeDataStaysInlineUpTo64KiB) {
  TensorProto shape = EmptyTensor("s", TensorProto::INT64, std::vector<int64_t>{8192});
  store_.SetBytes(&shape, std::vector<uint8_t>(65536));
  EXPECT_FALSE(IsExternal(shape));
  shape = EmptyTensor("s", TensorProto::INT64, std::vector<int64_t>{8193});
  store_.SetBytes(&shape, std::vector<uint8_t>(65544));
  EXPECT_TRUE(IsExternal(shape));
}

TEST_F(TensorStoreTest, PiecesAddUpToTheWholeInBothPlaces) {
  for (const size_t size : {600u, 6000u}) {
    std::vector<uint8_t> bytes(size);
    std::iota(bytes.begin(), bytes.end(), uint8_t{0});
    TensorProto tensor =
        EmptyTensor("t", TensorProto::UINT8, std::vector<int64_t>{static_cast<int64_t>(size)});
    TensorStore::Writer out = store_.Begin(&tensor, size);
    out.Append(std::span(bytes).first(100));
    out.Append(std::span(bytes).subspan(100));
    EXPECT_EQ(RawOf(store_, tensor), bytes);
  }
}

TEST_F(TensorStoreTest, DataThatDoesNotFitItsShapeIsRefused) {
  TensorProto short_raw =
      RawTensor("w", TensorProto::FLOAT, std::vector<int64_t>{2, 2}, std::vector<uint8_t>(12));
  try {
    store_.ReadFloats(short_raw);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidModel);
    EXPECT_EQ(error.tensor(), "w");
    EXPECT_EQ(error.message(), "Tensor \"w\" holds 12 bytes of data where FLOAT[2,2] needs 16.");
  }
  const TensorProto short_typed =
      FloatTensor("w", std::vector<int64_t>{5}, std::vector<float>{1, 2});
  EXPECT_THROW(store_.ReadFloats(short_typed), Error);
  const TensorProto huge = EmptyTensor("w", TensorProto::FLOAT,
                                       std::vector<int64_t>{int64_t{1} << 40, int64_t{1} << 40});
  EXPECT_THROW(store_.ReadFloats(huge), Error);
  const TensorProto negative = EmptyTensor("w", TensorProto::FLOAT, std::vector<int64_t>{-1});
  EXPECT_THROW(store_.ByteSize(negative), Error);
}

TEST_F(TensorStoreTest, OtherTypesThanAskedForAreRefusedByName) {
  const TensorProto ints =
      IntTensor("i", TensorProto::INT64, std::vector<int64_t>{1}, std::vector<int64_t>{1});
  const TensorProto floats = FloatTensor("f", std::vector<int64_t>{1}, std::vector<float>{1});
  TensorProto text = EmptyTensor("s", TensorProto::STRING, std::vector<int64_t>{1});
  text.add_string_data("x");
  EXPECT_THROW(store_.ReadFloats(ints), Error);
  EXPECT_THROW(store_.ReadInts(floats), Error);
  EXPECT_THROW(store_.ReadInts(text), Error);
  EXPECT_THROW(ElementBits(99), Error);
}

}  // namespace
}  // namespace ptq
