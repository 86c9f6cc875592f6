#include "calibration/memory_estimate.h"

#include <gtest/gtest.h>

#include "model/tensor_builder.h"
#include "testing/model_text.h"

namespace ptq {
namespace {

TEST(MemoryEstimateTest, CountsWhatIsAliveAtTheSameTime) {
  const TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
    agraph (float[N, 4] x) => (float[N, 4] y)
    <float[4] w = {1, 2, 3, 4}>
    { a = Add(x, w)  b = Relu(a)  c = Relu(b)  y = Add(c, b) })");
  // A batch of 10: tensors of 160 bytes. At the last Add x (an input), b, c and y are alive.
  const MemoryEstimate estimate = EstimateMemory(text.model, {"a", "y", "none"}, {{"x", {10, 4}}});
  EXPECT_EQ(estimate.weights, 16u);
  EXPECT_EQ(estimate.activations, 640u);
  EXPECT_EQ(estimate.tensors, (std::vector<uint64_t>{160, 160, 0}));
}

TEST(MemoryEstimateTest, WeightsOfSmallTypesTakeNoMoreThanTheyAreStoredIn) {
  TextModel text(R"(<ir_version: 10, opset_import: ["" : 21]>
    agraph (float[4] x) => (float[4] y) { y = Relu(x) })");
  const std::vector<int64_t> dims = {4, 8};
  const auto weights = [&](int32_t type) {
    text.model.graph().clear_initializer();
    *text.model.graph().add_initializer() = EmptyTensor("w", type, dims);
    return EstimateMemory(text.model, {}, {}).weights;
  };
  EXPECT_EQ(weights(onnx::TensorProto::INT4), 16u);
  EXPECT_EQ(weights(onnx::TensorProto::FLOAT8E4M3FN), 32u);
  EXPECT_EQ(weights(onnx::TensorProto::DOUBLE), 256u);
  EXPECT_EQ(weights(onnx::TensorProto::STRING), 128u);  // as float32
}

TEST(MemoryEstimateTest, CountsTheProductsOfConvTranspose) {
  const TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
    agraph (float[1, 2, 5, 5] x, float[2, 3, 4, 4] w) => (float[1, 3, 8, 8] y)
    { y = ConvTranspose(x, w) })");
  Model model = text.model;
  *model.graph().add_initializer() =
      EmptyTensor("w", onnx::TensorProto::FLOAT, std::vector<int64_t>{2, 3, 4, 4});
  // x and y, and 3 × 4 × 4 products at each of 5 × 5 positions.
  EXPECT_EQ(EstimateMemory(model, {}, {}).activations, 4u * (50 + 192 + 25 * 48));
}

TEST(MemoryEstimateTest, CountsFloat16WithItsCopyInFloat32) {
  const TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
    agraph (float16[10] x) => (float16[10] y) { y = Relu(x) })");
  EXPECT_EQ(EstimateMemory(text.model, {}, {}).activations, 2u * 60);
}

TEST(MemoryEstimateTest, SaysThatAShapeIsUnknown) {
  const TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
    agraph (float[N] x) => (float[M] y) { y = Foo(x) })");
  EXPECT_FALSE(EstimateMemory(text.model, {"y"}, {{"x", {4}}}).all_known);
}

}  // namespace
}  // namespace ptq
