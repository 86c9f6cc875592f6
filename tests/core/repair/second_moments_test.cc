// Which layers are observed, and what their matrices hold.
#include "repair/second_moments.h"

#include <gtest/gtest.h>

#include "passes/infer_shapes.h"
#include "testing/model_text.h"

namespace ptq {
namespace second_moments_test {

StaticQuantConfig Qdq() {
  StaticQuantConfig config;
  config.quant_format = QuantFormat::kQDQ;
  config.weight_type = QuantType::kInt8;
  return config;
}

struct Observed {
  explicit Observed(const std::string& text, StaticQuantConfig given = Qdq())
      : model("<ir_version: 8, opset_import: [\"\" : 13]> g " + text), config(std::move(given)) {
    InferShapes(model.model);
  }
  // `samples` that will come.
  SecondMoments Moments(const TensorStatistics& statistics, size_t samples = 1) const {
    return {PlanContext(model.model, config, {}), statistics, samples};
  }

  TextModel model;
  StaticQuantConfig config;
};

TEST(SecondMomentsTest, AreOfRowsMinusTheMeanWhereThereIsABias) {
  const Observed one(R"((float[1,2,1,2] x) => (float[1,1,1,2] y)
      <float[1,2,1,1] w = {1, 1}, float[1] b = {1}> { y = Conv (x, w, b) })");
  SecondMoments moments = one.Moments({{"x", {{0, 0}, {4, 8}, {2, 5}}}});
  ASSERT_EQ(moments.Inputs(), std::vector<std::string>{"x"});
  EXPECT_EQ(moments.Find("w"), nullptr);
  const std::vector<int64_t> dims = {1, 2, 1, 2};
  moments.Observe("x", dims, std::vector<float>{3, 4, 1, 8});
  const SecondMoments::OfLayer* layer = moments.Find("w");
  ASSERT_NE(layer, nullptr);
  EXPECT_EQ(layer->rows, 2);
  EXPECT_EQ(layer->by_group[0].At(0, 0), 1 + 4);           // 3 and 4, minus 2
  EXPECT_EQ(layer->by_group[0].At(0, 1), 1 * -4 + 2 * 3);  // times 1 and 8, minus 5
  EXPECT_EQ(layer->by_group[0].At(1, 1), 16 + 9);
}

TEST(SecondMomentsTest, AreOfTheRowsThemselvesWhereNoBiasCanTakeTheMean) {
  const Observed one(R"((float[1,2] x) => (float[1,1] y) <float[2,1] w = {1, 1}>
      { y = MatMul (x, w) })");
  SecondMoments moments = one.Moments({{"x", {{0, 0}, {4, 8}, {2, 5}}}});
  const std::vector<int64_t> dims = {1, 2};
  moments.Observe("x", dims, std::vector<float>{3, 8});
  ASSERT_NE(moments.Find("w"), nullptr);
  EXPECT_EQ(moments.Find("w")->by_group[0].At(0, 1), 24);
}

TEST(SecondMomentsTest, CostsGrowWithTheSquareOfARow) {
  const auto products = [](const std::string& layer) {
    const std::vector<float> ones(64, 1);
    const TensorStatistics statistics = {{"x", {ones, ones, std::vector<double>(64, 1)}}};
    const Observed one(layer);
    return one.Moments(statistics).Products();
  };
  std::string weights = "1";
  for (int i = 1; i < 64 * 2; ++i) weights += ",1";
  const std::string full =
      "(float[1,64] x) => (float[1,2] y) <float[64,2] w = {" + weights + "}> { y = MatMul (x, w) }";
  weights.resize(64 * 2 - 1);
  const std::string depthwise =
      "(float[1,64,4,4] x) => (float[1,64,4,4] y) <float[64,1,1,1] w = {" + weights +
      "}> { y = Conv <group = 64> (x, w) }";
  EXPECT_NEAR(products(full), 64 * 64 / 2 * (16 * 64 + 64 / 3.0 + 2), 1);
  EXPECT_NEAR(products(depthwise), 64 * (512 + 1 / 3.0 + 1) / 2, 1);
}

TEST(SecondMomentsTest, EachSampleGivesItsShareOfTheRows) {
  const Observed one(R"((float[1,1,64,64] x) => (float[1,1,64,64] y)
      <float[1,1,1,1] w = {1}, float[1] b = {1}> { y = Conv (x, w, b) })");
  SecondMoments moments = one.Moments({{"x", {{0}, {1}, {0}}}}, 4);
  const std::vector<int64_t> dims = {1, 1, 64, 64};
  for (int i = 0; i < 4; ++i) moments.Observe("x", dims, std::vector<float>(64 * 64, 1));
  EXPECT_EQ(moments.Find("w")->rows, 512);
  EXPECT_EQ(moments.Find("w")->by_group[0].At(0, 0), 512);
}

TEST(SecondMomentsTest, LayersThatShareAnInputAreObservedTogether) {
  const Observed one(R"((float[1,2] x) => (float[1,1] y, float[1,1] z)
      <float[2,1] w = {1, 1}, float[2,1] v = {1, 2}> { y = MatMul (x, w) z = MatMul (x, v) })");
  SecondMoments moments = one.Moments({{"x", {{0, 0}, {4, 8}, {2, 5}}}});
  EXPECT_EQ(moments.Inputs().size(), 1);
  const std::vector<int64_t> dims = {1, 2};
  moments.Observe("x", dims, std::vector<float>{3, 8});
  EXPECT_NE(moments.Find("w"), nullptr);
  EXPECT_NE(moments.Find("v"), nullptr);
}

TEST(SecondMomentsTest, LayersThatMayNotBeRoundedAreNotObserved) {
  const TensorStatistics statistics = {{"x", {{0, 0}, {4, 8}, {2, 5}}}};
  const std::string shared = R"((float[1,2] x) => (float[1,1] y, float[2,1] z)
      <float[2,1] w = {1, 1}> { y = MatMul (x, w) z = Exp (w) })";
  EXPECT_TRUE(Observed(shared).Moments(statistics).Inputs().empty());
  const std::string own = R"((float[1,2] x) => (float[1,1] y) <float[2,1] w = {1, 1}>
      { [product] y = MatMul (x, w) })";
  EXPECT_EQ(Observed(own).Moments(statistics).Inputs().size(), 1);
  EXPECT_TRUE(Observed(own).Moments({}).Inputs().empty());
  StaticQuantConfig config = Qdq();
  config.nodes_to_exclude = {"product"};
  EXPECT_TRUE(Observed(own, config).Moments(statistics).Inputs().empty());
  config = Qdq();
  TensorOverride override;
  override.channels.emplace_back().quant_type = QuantType::kUInt8;
  config.tensor_overrides.Add("w", override);
  EXPECT_TRUE(Observed(own, config).Moments(statistics).Inputs().empty());
}

TEST(SecondMomentsTest, LongRowsAreNotObserved) {
  const auto inputs = [](int64_t length) {
    onnx::ModelProto proto = ParseModelText(
        R"(<ir_version: 8, opset_import: ["" : 13]> g (float[1,K] x) => (float[1,1] y)
           { y = MatMul (x, w) })");
    AddFloats(proto.mutable_graph(), "w", {length, 1}, std::vector<float>(length, 1));
    auto* shape = proto.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type();
    shape->mutable_shape()->mutable_dim(1)->set_dim_value(length);
    TextModel text(std::move(proto));
    InferShapes(text.model);
    const std::vector<float> ones(static_cast<size_t>(length), 1);
    const StaticQuantConfig config = Qdq();
    const TensorStatistics statistics = {
        {"x", {ones, ones, std::vector<double>(static_cast<size_t>(length), 1)}}};
    return SecondMoments(PlanContext(text.model, config, {}), statistics, 1).Inputs().size();
  };
  EXPECT_EQ(inputs(static_cast<int64_t>(kMostColumns)), 1);
  EXPECT_EQ(inputs(static_cast<int64_t>(kMostColumns) + 1), 0);
}

TEST(SecondMomentsTest, WhatDoesNotFitIsPassedOver) {
  const Observed one(R"((float[1,2] x) => (float[1,1] y) <float[2,1] w = {1, 1}>
      { y = MatMul (x, w) })");
  SecondMoments moments = one.Moments({{"x", {{0, 0}, {4, 8}, {2, 5}}}});
  const std::vector<float> values = {1, 2, 3};
  moments.Observe("x", std::vector<int64_t>{1, 3}, values);
  moments.Observe("x", std::vector<int64_t>{1, 2}, values);
  moments.Observe("y", std::vector<int64_t>{1, 3}, values);
  EXPECT_EQ(moments.Find("w"), nullptr);
}

}  // namespace second_moments_test
}  // namespace ptq
