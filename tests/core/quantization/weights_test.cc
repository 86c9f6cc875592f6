#include "quantization/weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/error.h"
#include "base/float16.h"
#include "model/tensor_builder.h"
#include "testing/memory_files.h"

namespace ptq {
namespace {

using Dims = std::vector<int64_t>;

class WeightsTest : public testing::Test {
 protected:
  // Values that differ from channel to channel along any axis.
  static onnx::TensorProto Weight(const Dims& dims) {
    std::vector<float> values(Count(dims));
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = std::sin(static_cast<float>(i) * 1.7f) * static_cast<float>(1 + i % 7);
    }
    return FloatTensor("w", dims, values);
  }

  static size_t Count(const Dims& dims) {
    size_t count = 1;
    for (const int64_t dim : dims) count *= static_cast<size_t>(dim);
    return count;
  }

  std::vector<int> Quantized(const onnx::TensorProto& weight, const QuantParams& params) {
    const onnx::TensorProto quantized = QuantizeWeight(&tensors_, weight, "w_quantized", params);
    EXPECT_EQ(quantized.name(), "w_quantized");
    EXPECT_EQ(quantized.data_type(), OnnxType(params.type));
    std::vector<int> values;
    for (const int64_t value : tensors_.ReadInts(quantized))
      values.push_back(static_cast<int>(value));
    return values;
  }

  MemoryFiles files_;
  TensorStore tensors_{&files_};
};

// Per channel is per tensor, slice by slice: checked against a plain walk over all indices.
TEST_F(WeightsTest, PerChannelEqualsPerTensorOfEachSliceForAnyAxisAndShape) {
  const std::vector<Dims> shapes = {{4},       {1, 5},       {5, 1},       {3, 4},
                                    {2, 3, 4}, {3, 1, 2, 5}, {1, 1, 1, 1}, {2, 2, 2, 2, 2}};
  for (const Dims& dims : shapes) {
    const onnx::TensorProto weight = Weight(dims);
    const std::vector<float> values = tensors_.ReadFloats(weight);
    for (size_t axis = 0; axis < dims.size(); ++axis) {
      size_t inner = 1;
      for (size_t d = axis + 1; d < dims.size(); ++d) inner *= static_cast<size_t>(dims[d]);
      const auto channels = static_cast<size_t>(dims[axis]);
      const QuantParams params =
          FitWeight(tensors_, weight,
                    {QuantType::kInt8, static_cast<int64_t>(axis), 0, {true, false, {}}, nullptr});
      const std::vector<int> quantized = Quantized(weight, params);
      ASSERT_EQ(params.scales.size(), channels);
      ASSERT_EQ(params.zero_points.size(), channels);
      ASSERT_EQ(quantized.size(), values.size());
      for (size_t c = 0; c < channels; ++c) {
        std::vector<float> slice;
        std::vector<int> expected;
        for (size_t i = 0; i < values.size(); ++i) {
          if (i / inner % channels != c) continue;
          slice.push_back(values[i]);
          expected.push_back(quantized[i]);
        }
        const onnx::TensorProto one =
            FloatTensor("s", Dims{static_cast<int64_t>(slice.size())}, slice);
        const QuantParams own =
            FitWeight(tensors_, one, {QuantType::kInt8, {}, 0, {true, false, {}}, nullptr});
        EXPECT_EQ(params.scales[c], own.scales[0]);
        EXPECT_EQ(params.zero_points[c], own.zero_points[0]);
        EXPECT_EQ(Quantized(one, own), expected);
      }
    }
  }
}

TEST_F(WeightsTest, WindowsOfALargeWeightDoNotShow) {
  // More than one window of 1 Mi elements, channels that straddle their border.
  const Dims dims = {3, 500009};
  const onnx::TensorProto weight = Weight(dims);
  const QuantParams params =
      FitWeight(tensors_, weight, {QuantType::kInt8, 0, 0, {true, false, {}}, nullptr});
  const std::vector<int> quantized = Quantized(weight, params);
  const std::vector<float> values = tensors_.ReadFloats(weight);
  for (size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(quantized[i], std::nearbyint(values[i] / params.scales[i / 500009])) << i;
  }
}

TEST_F(WeightsTest, SymmetricInt8NeverReachesTheLowestValue) {
  const onnx::TensorProto weight = FloatTensor("w", Dims{3}, std::vector<float>{-2, 1, 2});
  const QuantParams params =
      FitWeight(tensors_, weight, {QuantType::kInt8, {}, 0, {true, false, {}}, nullptr});
  EXPECT_EQ(Quantized(weight, params), (std::vector<int>{-127, 64, 127}));
}

TEST_F(WeightsTest, AnEmptyTensorGetsScaleOneAndZeroPointZero) {
  const onnx::TensorProto weight = FloatTensor("w", Dims{2, 0}, std::vector<float>{});
  for (const QuantType type : {QuantType::kInt8, QuantType::kUInt8}) {
    const QuantParams params = FitWeight(tensors_, weight, {type, 0, 0, {}, nullptr});
    EXPECT_EQ(params.scales, (std::vector<float>{1, 1}));
    EXPECT_EQ(params.zero_points, (std::vector<int32_t>{0, 0}));
    EXPECT_TRUE(Quantized(weight, params).empty());
  }
}

TEST_F(WeightsTest, AChannelOfZerosGetsScaleOne) {
  const onnx::TensorProto weight = FloatTensor("w", Dims{2, 2}, std::vector<float>{0, 0, 1, -1});
  const QuantParams params =
      FitWeight(tensors_, weight, {QuantType::kInt8, 0, 0, {true, false, {}}, nullptr});
  EXPECT_EQ(params.scales[0], 1.0f);
  EXPECT_EQ(Quantized(weight, params), (std::vector<int>{0, 0, 127, -127}));
}

TEST_F(WeightsTest, HalfWeightsHaveHalfScales) {
  const onnx::TensorProto weight =
      HalfTensor("w", onnx::TensorProto::FLOAT16, Dims{3}, std::vector<float>{-1, 0.25f, 2});
  const QuantParams params = FitWeight(tensors_, weight, {QuantType::kUInt8, {}, 0, {}, nullptr});
  EXPECT_EQ(params.scale_type, FloatType::kFloat16);
  EXPECT_EQ(params.scales[0], HalfToFloat(FloatToHalf(3.0f / 255)));
  EXPECT_EQ(params.zero_points[0], 85);
  EXPECT_EQ(ScaleTensor("s", params).data_type(), onnx::TensorProto::FLOAT16);
  EXPECT_EQ(tensors_.ReadFloats(ScaleTensor("s", params)), params.scales);
  EXPECT_EQ(Quantized(weight, params), (std::vector<int>{0, 106, 255}));
}

TEST_F(WeightsTest, ScalesAndZeroPointsAreScalarsPerTensorAndVectorsPerChannel) {
  const QuantParams one{QuantType::kInt8, FloatType::kFloat, {}, 0, {}, {0.5f}, {3}};
  EXPECT_EQ(ScaleTensor("s", one).dims_size(), 0);
  EXPECT_EQ(ScaleTensor("s", one).float_data(0), 0.5f);
  EXPECT_EQ(ZeroPointTensor("z", one).int32_data(0), 3);
  const QuantParams many{QuantType::kUInt8, FloatType::kFloat, 1, 0, {1}, {0.5f}, {3}};
  EXPECT_EQ(ScaleTensor("s", many).dims_size(), 1);
  EXPECT_EQ(ZeroPointTensor("z", many).dims(0), 1);
}

TEST_F(WeightsTest, InfiniteWeightsAreAnErrorThatNamesTheTensor) {
  const float infinity = std::numeric_limits<float>::infinity();
  const onnx::TensorProto weight = FloatTensor("w", Dims{2}, std::vector<float>{1, infinity});
  try {
    FitWeight(tensors_, weight, {QuantType::kInt8, {}, 0, {}, nullptr});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidRange);
    EXPECT_EQ(error.tensor(), "w");
  }
}

TEST_F(WeightsTest, NanIsPassedOverForTheRangeAndBecomesZero) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const onnx::TensorProto weight = FloatTensor("w", Dims{3}, std::vector<float>{-1, nan, 1});
  const QuantParams params =
      FitWeight(tensors_, weight, {QuantType::kInt8, {}, 0, {true, false, {}}, nullptr});
  EXPECT_EQ(Quantized(weight, params), (std::vector<int>{-127, 0, 127}));
}

}  // namespace
}  // namespace ptq
