#include "passes/channel_weights.h"

#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace {

// "outputs x inputs: channels of the first elements" of node 0.
struct Found {
  explicit Found(const std::string& weight, const std::string& body)
      : test("g (float[N,4] x, float[2] r) => (float y) <" + weight +
             ", float[2] two = {1.0, 2.0}, float[1,2] row = {1.0, 2.0}, float one = {3.0}> { " +
             body + " }"),
        view(test.graph()),
        weights(FindChannelWeights(view, test.graph().node(0))) {}
  std::string Rows(const ChannelLayout& layout, uint64_t elements) const {
    std::string rows;
    for (uint64_t i = 0; i < elements; ++i) rows += std::to_string(layout.ChannelOf(i));
    return rows;
  }
  PassTest test;
  GraphView view;
  std::optional<ChannelWeights> weights;
};

TEST(ChannelWeights, ChannelsOfEveryElement) {
  const std::string matrix = "float[2,4] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0}";
  const Found transposed(matrix, "y = Gemm<transB = 1>(x, w)");
  EXPECT_EQ(transposed.Rows(transposed.weights->outputs, 8), "00001111");
  EXPECT_EQ(transposed.Rows(transposed.weights->inputs, 8), "01230123");
  const Found product(matrix, "y = MatMul(x, w)");
  EXPECT_EQ(product.Rows(product.weights->outputs, 8), "01230123");
  EXPECT_EQ(product.Rows(product.weights->inputs, 8), "00001111");
  const std::string kernel = "float[4,1,2] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0}";
  const Found conv(kernel, "y = Conv<group = 2>(x, w)");
  EXPECT_EQ(conv.weights->inputs.channels, 2);
  EXPECT_EQ(conv.Rows(conv.weights->outputs, 8), "00112233");
  EXPECT_EQ(conv.Rows(conv.weights->inputs, 8), "00001111");
  const Found transposed_conv(kernel, "y = ConvTranspose<group = 2>(x, w)");
  EXPECT_EQ(transposed_conv.weights->outputs.channels, 2);
  EXPECT_EQ(transposed_conv.Rows(transposed_conv.weights->outputs, 8), "00001111");
  EXPECT_EQ(transposed_conv.Rows(transposed_conv.weights->inputs, 8), "00112233");
}

TEST(ChannelWeights, EveryFormOfABias) {
  const std::string matrix = "float[4,2] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0}";
  const auto bias = [&](const std::string& body) -> std::vector<float> {
    const Found found(matrix, body);
    if (!found.weights) return {-1};
    if (found.weights->bias == nullptr) return {};
    return ReadBias(found.test.text.model, *found.weights);
  };
  const std::vector<float> two = {1, 2};
  const std::vector<float> threes = {3, 3};
  EXPECT_EQ(bias("y = Gemm(x, w)"), std::vector<float>{});
  EXPECT_EQ(bias("y = Gemm(x, w, two)"), two);
  EXPECT_EQ(bias("y = Gemm(x, w, row)"), two);
  EXPECT_EQ(bias("y = Gemm(x, w, one)"), threes);
  EXPECT_EQ(bias("y = Gemm(x, w, r)"), std::vector<float>{-1});
  EXPECT_EQ(bias("y = Gemm<beta = 0.5>(x, w, two)"), std::vector<float>{-1});
  EXPECT_EQ(bias("p = MatMul(x, w) y = Add(two, p)"), two);
  EXPECT_EQ(bias("p = MatMul(x, w) y = Add(p, one)"), threes);
  EXPECT_EQ(bias("p = MatMul(x, w) y = Add(p, row)"), std::vector<float>{});
  EXPECT_EQ(bias("p = MatMul(x, w) y = Add(p, r)"), std::vector<float>{});
  EXPECT_EQ(bias("p = MatMul(x, w) y = Add(p, p)"), std::vector<float>{});
}

TEST(ChannelWeights, NoMatrixIsNoLayer) {
  EXPECT_FALSE(
      Found("float[1,2,4] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0}", "y = MatMul(x, w)")
          .weights.has_value());
  EXPECT_FALSE(Found("float[4] w = {1.0, 2.0, 3.0, 4.0}", "y = MatMul(x, w)").weights.has_value());
  EXPECT_FALSE(
      Found("double[4,1] w = {1.0, 2.0, 3.0, 4.0}", "y = MatMul(x, w)").weights.has_value());
  EXPECT_FALSE(Found("float[2,2] w = {1.0, 2.0, 3.0, 4.0}", "y = Conv(x, w)").weights.has_value());
}

}  // namespace
}  // namespace ptq
