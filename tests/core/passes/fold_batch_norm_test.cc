#include <gtest/gtest.h>

#include <cmath>

#include "base/float16.h"
#include "model/tensor_builder.h"
#include "passes/fold_channels.h"

namespace ptq {
namespace {

constexpr char kNorm2[] = R"(float[2] g = {2.0, -3.0}, float[2] b = {0.5, 1.0},
    float[2] m = {1.0, -2.0}, float[2] v = {0.24999, 3.99999})";  // sqrt(v + 1e-5) = 0.5, 2

TEST(FoldBatchNorm, WeightsAndBiasFollowTheFormula) {
  Channels test(
      std::string(
          R"(g (float[1,2,4,4] x) => (float[1,2,4,4] z) <float[2,2,1,1] w = {1.0, 2.0, 3.0, 4.0}, )") +
      kNorm2 + R"(> {
    [conv] c = Conv(x, w)
    [norm] y = BatchNormalization(c, g, b, m, v)
    z = Relu(y)
  })");
  EXPECT_EQ(test.Run(FoldBatchNorm), 1);
  EXPECT_EQ(OpTypes(test.graph()), "Conv Relu");
  EXPECT_EQ(NodeNames(test.graph()).substr(0, 4), "conv");
  EXPECT_EQ(test.graph().node(0).output(0), "y");
  // s = g / sqrt(v + eps) = {4, -1.5}
  ExpectNear(test.Input(0, 1), {4, 8, -4.5, -6});
  ExpectNear(test.Input(0, 2), {0.5f - 1 * 4, 1 - -2 * -1.5f});
}

TEST(FoldBatchNorm, AnOldBiasIsShiftedAndScaled) {
  Channels test(
      std::string("g (float[1,1,4,4] x) => (float[1,2,4,4] y) <float[2,1,1,1] w = {1.0, 1.0}, "
                  "float[2] k = {3.0, 5.0}, ") +
      kNorm2 + "> { c = Conv(x, w, k) y = BatchNormalization(c, g, b, m, v) }");
  EXPECT_EQ(test.Run(FoldBatchNorm), 1);
  EXPECT_EQ(test.graph().output(0).name(), test.graph().node(0).output(0));
  ExpectNear(test.Input(0, 2), {(3.0f - 1) * 4 + 0.5f, (5.0f + 2) * -1.5f + 1});
}

TEST(FoldBatchNorm, SinglePrecisionInTheOrderOfTheReference) {
  Channels test(R"(g (float[1,1,4,4] x) => (float[1,1,4,4] y)
      <float[1,1,1,1] w = {0.3}, float[1] k = {0.7}, float[1] g = {1.1}, float[1] b = {0.013},
       float[1] m = {-0.21}, float[1] v = {0.037}> {
    c = Conv(x, w, k) y = BatchNormalization<epsilon = 0.001>(c, g, b, m, v) })");
  EXPECT_EQ(test.Run(FoldBatchNorm), 1);
  const float scale = 1.1f / std::sqrt(0.037f + 0.001f);
  EXPECT_EQ(test.Input(0, 1)[0], 0.3f * scale);
  volatile float shifted = (0.7f - -0.21f) * scale;  // rounded before the sum, on every compiler
  EXPECT_EQ(test.Input(0, 2)[0], shifted + 0.013f);
}

TEST(FoldBatchNorm, TransposedConvolutionsHaveChannelsWithinGroups) {
  // Two groups of one input and two output channels: [inputs 2, channels / group 2, 1, 2].
  Channels test(R"(g (float[1,2,4,4] x) => (float[1,4,4,5] y)
      <float[2,2,1,2] w = {1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0}, float[4] g = {2.0, 3.0, 4.0, 5.0},
       float[4] b = {0.0, 0.0, 0.0, 0.0}, float[4] m = {0.0, 0.0, 0.0, 0.0}, float[4] v = {1.0, 1.0, 1.0, 1.0}> {
    c = ConvTranspose<group = 2>(x, w) y = BatchNormalization<epsilon = 0.0>(c, g, b, m, v) })");
  EXPECT_EQ(test.Run(FoldBatchNorm), 1);
  ExpectNear(test.Input(0, 1), {2, 2, 3, 3, 4, 4, 5, 5});
}

TEST(FoldBatchNorm, GemmByBothLayouts) {
  const std::string norm = R"(float[2] g = {2.0, 3.0}, float[2] b = {0.0, 0.0},
      float[2] m = {0.0, 0.0}, float[2] v = {1.0, 1.0}> )";
  Channels plain(
      "g (float[1,3] x) => (float[1,2] y) <float[3,2] w = {1.0, 1.0, 1.0, 1.0, 1.0, 1.0}, " + norm +
      "{ c = Gemm(x, w) y = BatchNormalization<epsilon = 0.0>(c, g, b, m, v) }");
  EXPECT_EQ(plain.Run(FoldBatchNorm), 1);
  ExpectNear(plain.Input(0, 1), {2, 3, 2, 3, 2, 3});
  Channels transposed(
      "g (float[1,3] x) => (float[1,2] y) <float[2,3] w = {1.0, 1.0, 1.0, 1.0, 1.0, 1.0}, " + norm +
      "{ c = Gemm<transB = 1>(x, w) y = BatchNormalization<epsilon = 0.0>(c, g, b, m, v) }");
  EXPECT_EQ(transposed.Run(FoldBatchNorm), 1);
  ExpectNear(transposed.Input(0, 1), {2, 2, 2, 3, 3, 3});
  Channels scaled(
      "g (float[1,3] x) => (float[1,2] y) <float[3,2] w = {1.0, 1.0, 1.0, 1.0, 1.0, 1.0}, " + norm +
      "{ c = Gemm<beta = 0.5>(x, w) y = BatchNormalization(c, g, b, m, v) }");
  EXPECT_EQ(scaled.Run(FoldBatchNorm), 0);
}

TEST(FoldBatchNorm, SharedWeightsAreCopiedForEach) {
  Channels test(R"(g (float[1,1,4,4] x) => (float[1,1,4,4] y, float[1,1,4,4] z, float[1,1,4,4] u)
      <float[1,1,1,1] w = {1.0}, float[1] g = {2.0}, float[1] h = {3.0}, float[1] b = {0.0}, float[1] m = {0.0},
       float[1] v = {1.0}> {
    c = Conv(x, w) y = BatchNormalization<epsilon = 0.0>(c, g, b, m, v)
    d = Conv(x, w) z = BatchNormalization<epsilon = 0.0>(d, h, b, m, v)
    u = Conv(x, w)
  })");
  EXPECT_EQ(test.Run(FoldBatchNorm), 2);
  ExpectNear(test.Input(0, 1), {2});
  ExpectNear(test.Input(1, 1), {3});
  ExpectNear(test.Input(2, 1), {1});
}

TEST(FoldBatchNorm, HalfPrecisionWeightsStayHalf) {
  Channels test(R"(g (float16[1,1,4,4] x) => (float16[1,1,4,4] y) {
    c = Conv(x, w) y = BatchNormalization<epsilon = 0.0>(c, g, b, m, v) })");
  const auto add = [&](const char* name, std::vector<int64_t> dims, float value) {
    *test.graph().add_initializer() =
        HalfTensor(name, onnx::TensorProto::FLOAT16, dims, std::vector<float>{value});
  };
  add("w", {1, 1, 1, 1}, 0.75f);
  add("g", {1}, 3.0f);
  add("b", {1}, 0.25f);
  add("m", {1}, 1.0f);
  add("v", {1}, 4.0f);
  EXPECT_EQ(test.Run(FoldBatchNorm), 1);
  EXPECT_EQ(InitializerOf(test.graph(), test.graph().node(0).input(1)).data_type(),
            onnx::TensorProto::FLOAT16);
  EXPECT_EQ(test.Input(0, 1)[0], 1.125f);
  EXPECT_EQ(test.Input(0, 2)[0], -1.25f);
}

TEST(FoldBatchNorm, LargeWeightsAreStreamed) {
  Channels test(
      "g (float[1,512,4,4] x) => (float[1,1024,4,4] y) { c = Conv(x, w) y = "
      "BatchNormalization<epsilon = 0.0>(c, g, b, m, v) }");
  const std::vector<float> weight = SomeFloats(1024 * 512 * 9);  // 18 MB
  AddRawFloats(&test.graph(), "w", {1024, 512, 3, 3}, weight);
  onnx::TensorProto* w = test.graph().mutable_initializer(0);
  const std::string bytes = w->raw_data();
  test.text.model.tensors().SetBytes(
      w, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  std::vector<float> gamma(1024);
  for (size_t c = 0; c < gamma.size(); ++c) gamma[c] = static_cast<float>(c) / 7.0f;
  AddFloats(&test.graph(), "g", {1024}, gamma);
  AddFloats(&test.graph(), "b", {1024}, std::vector<float>(1024, 0.0f));
  AddFloats(&test.graph(), "m", {1024}, std::vector<float>(1024, 0.0f));
  AddFloats(&test.graph(), "v", {1024}, std::vector<float>(1024, 1.0f));
  test.text.files.ResetCounters();
  EXPECT_EQ(test.Run(FoldBatchNorm), 1);
  EXPECT_LE(test.text.files.largest_read(), 4u << 20);
  EXPECT_LE(test.text.files.largest_append(), 4u << 20);
  const std::vector<float> folded = test.Input(0, 1);
  ASSERT_EQ(folded.size(), weight.size());
  for (size_t i = 0; i < folded.size(); ++i) {
    ASSERT_EQ(folded[i], weight[i] * gamma[i / (512 * 9)]) << i;
  }
}

TEST(FoldBatchNorm, StaysWhereTheResultWouldDiffer) {
  const std::string weights =
      std::string(" <float[2,2,1,1] w = {1.0, 2.0, 3.0, 4.0}, ") + kNorm2 + "> ";
  const auto folds = [&](const std::string& inputs, const std::string& outputs,
                         const std::string& body) {
    Channels test("g (" + inputs + ") => (" + outputs + ")" + weights + "{ " + body + " }");
    return test.Run(FoldBatchNorm);
  };
  const std::string x = "float[1,2,4,4] x";
  const std::string y = "float[1,2,4,4] y";
  EXPECT_EQ(folds(x, y, "c = Conv(x, w) y = BatchNormalization(c, g, b, m, v)"), 1);
  EXPECT_EQ(folds(x, y + ", float[1,2,4,4] z",
                  "c = Conv(x, w) y = BatchNormalization(c, g, b, m, v) z = Relu(c)"),
            0);
  EXPECT_EQ(
      folds(x, y + ", float[1,2,4,4] c", "c = Conv(x, w) y = BatchNormalization(c, g, b, m, v)"),
      0);
  EXPECT_EQ(
      folds(x + ", float[2,2,1,1] k", y, "c = Conv(x, k) y = BatchNormalization(c, g, b, m, v)"),
      0);
  EXPECT_EQ(folds(x + ", float[2] k", y, "c = Conv(x, w, k) y = BatchNormalization(c, g, b, m, v)"),
            0);
  EXPECT_EQ(folds(x, y, "c = Conv(x, w) y = BatchNormalization(c, g, b, x, v)"), 0);
}

TEST(FoldBatchNorm, TrainingFormStays) {
  Channels test(
      std::string(
          "g (float[1,2,4,4] x) => (float[1,2,4,4] y) <float[2,2,1,1] w = {1.0, 2.0, 3.0, 4.0}, ") +
          kNorm2 + "> { c = Conv(x, w) y = BatchNormalization<training_mode = 1>(c, g, b, m, v) }",
      R"(<ir_version: 8, opset_import: ["" : 15]> )");
  EXPECT_EQ(test.Run(FoldBatchNorm), 0);
}

std::string Numbers(size_t count, const char* value) {
  std::string text = "{";
  for (size_t i = 0; i < count; ++i) text += std::string(i > 0 ? ", " : "") + value;
  return text + "}";
}

// Two Conv of one weight of 16 channels, each with its own BatchNormalization.
std::string TwoNorms(const std::string& second_gamma) {
  return "g (float[1,16,4,4] x) => (float[1,16,4,4] z) <float[16] g = " + Numbers(16, "2.0") +
         ", float[16] h = " + Numbers(16, second_gamma.c_str()) +
         ", float[16] b = " + Numbers(16, "0.5") + ", float[16] m = " + Numbers(16, "1.0") +
         ", float[16] v = " + Numbers(16, "0.99999") + R"(> {
    c = Conv(x, w) y = BatchNormalization(c, g, b, m, v)
    d = Conv(y, w) z = BatchNormalization(d, h, b, m, v)
  })";
}

TEST(FoldBatchNorm, AWeightThatSeveralShareStaysOne) {
  Channels same(TwoNorms("2.0"));
  AddFloats(&same.graph(), "w", {16, 16, 1, 1}, SomeFloats(256));
  EXPECT_EQ(same.Run(FoldBatchNorm), 2);
  EXPECT_EQ(same.graph().node(0).input(1), "w_bn_folded");
  EXPECT_EQ(same.graph().node(1).input(1), "w_bn_folded");
  Channels other(TwoNorms("3.0"));
  AddFloats(&other.graph(), "w", {16, 16, 1, 1}, SomeFloats(256));
  EXPECT_EQ(other.Run(FoldBatchNorm), 0);
}

}  // namespace
}  // namespace ptq
