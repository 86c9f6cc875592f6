// Adaptive rounding of a model's weights: what the layer makes of its rows comes closer, on the
// grid that was planned.
#include "repair/round_weights.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/tensor_builder.h"
#include "passes/infer_shapes.h"
#include "testing/model_text.h"

namespace ptq {
namespace round_weights_test {

constexpr size_t kPlaces = 256;

StaticQuantConfig Qdq(bool per_channel, QuantType type = QuantType::kInt8) {
  StaticQuantConfig config;
  config.quant_format = QuantFormat::kQDQ;
  config.weight_type = type;
  config.per_channel = per_channel;
  return config;
}

// Values of channels that all move together, with the mean 1.
std::vector<float> Input(size_t channels) {
  const std::vector<float> common = SomeFloats(kPlaces, 7);
  std::vector<float> x = SomeFloats(channels * kPlaces, 8);
  for (size_t i = 0; i < x.size(); ++i) x[i] = 1 + common[i % kPlaces] + 0.1f * x[i];
  return x;
}

// A layer with the weight [outputs, inputs] or, for MatMul, [inputs, outputs].
struct OneLayer {
  OneLayer(const std::string& text, std::vector<int64_t> weight_dims, StaticQuantConfig given)
      : model(WithWeight(text, weight_dims)), config(std::move(given)) {
    InferShapes(model.model);
    const GraphView view(model.model.graph());
    const LinearLayer layer = FindLinearLayers(view).at(0);
    const auto inputs = static_cast<size_t>(layer.inputs);
    x = Input(inputs);
    // Rows of channels where there is no place for these: a batch.
    if (layer.axis == layer.rank - 1) {
      std::vector<float> rows(x.size());
      for (size_t i = 0; i < x.size(); ++i) rows[i % kPlaces * inputs + i / kPlaces] = x[i];
      x = rows;
      dims = {static_cast<int64_t>(kPlaces), layer.inputs};
    } else {
      dims = {1, layer.inputs, 16, 16};
    }
    ChannelStatistics seen;
    seen.lowest.assign(inputs, 0);
    seen.highest.assign(inputs, 2);
    seen.mean.assign(inputs, 1);
    statistics["x"] = seen;
    for (const std::string& tensor : view.TensorNames()) ranges[tensor] = {-4, 4};
  }

  static onnx::ModelProto WithWeight(const std::string& text, const std::vector<int64_t>& dims) {
    onnx::ModelProto proto =
        ParseModelText("<ir_version: 10, opset_import: [\"\" : 21]> g " + text);
    size_t count = 1;
    for (const int64_t dim : dims) count *= static_cast<size_t>(dim);
    const std::vector<float> values = SomeFloats(count, 3);
    if (text.find("float16") == std::string::npos) {
      AddFloats(proto.mutable_graph(), "w", dims, values);
    } else {
      *proto.mutable_graph()->add_initializer() =
          HalfTensor("w", onnx::TensorProto::FLOAT16, dims, values);
    }
    return proto;
  }

  QuantPlan Plan() const { return PlanQdq(PlanContext(model.model, config, ranges)); }
  SecondMoments Moments() const {
    SecondMoments moments(PlanContext(model.model, config, ranges), statistics, 1);
    moments.Observe("x", dims, x);
    return moments;
  }
  RoundedWeights Rounded() {
    const SecondMoments moments = Moments();
    return WeightRounder(&moments).Round(Plan(), statistics, &model.model);
  }
  std::vector<float> Weight() const {
    return model.model.tensors().ReadFloats(InitializerOf(model.model.graph(), "w"));
  }
  std::vector<float> Values(const RoundedWeights& rounded) const {
    return model.model.tensors().ReadFloats(rounded.at("w"));
  }

  TextModel model;
  StaticQuantConfig config;
  std::vector<float> x;
  std::vector<int64_t> dims;
  TensorStatistics statistics;
  TensorRanges ranges;
};

// The variance over all places of what errors of the weights [outputs, inputs] add to the outputs.
double Noise(const std::vector<float>& x, const std::vector<float>& weight,
             const std::vector<float>& rounded, size_t inputs) {
  double noise = 0;
  for (size_t o = 0; o < weight.size() / inputs; ++o) {
    for (size_t p = 0; p < kPlaces; ++p) {
      double error = 0;
      for (size_t c = 0; c < inputs; ++c) {
        error += (static_cast<double>(weight[o * inputs + c]) - rounded[o * inputs + c]) *
                 (x[c * kPlaces + p] - 1);
      }
      noise += error * error;
    }
  }
  return noise;
}

std::vector<float> Nearest(const std::vector<float>& weight, const QuantParams& params,
                           size_t inputs) {
  std::vector<float> rounded = weight;
  for (size_t i = 0; i < weight.size(); ++i) {
    const float scale = params.scales[params.axis ? i / inputs : 0];
    rounded[i] = std::nearbyint(weight[i] / scale) * scale;
  }
  return rounded;
}

constexpr char kConv[] = R"((float[1,24,16,16] x) => (float[1,20,16,16] y)
    <float[20] b = {1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1}> { y = Conv (x, w, b) })";

TEST(WeightRounderTest, TakesBackMostOfTheNoiseOfInputsThatMoveTogether) {
  for (const bool per_channel : {false, true}) {
    for (const QuantType type : {QuantType::kInt8, QuantType::kInt4}) {
      OneLayer run(kConv, {20, 24, 1, 1}, Qdq(per_channel, type));
      const RoundedWeights rounded = run.Rounded();
      ASSERT_EQ(rounded.size(), 1);
      const QuantParams params = run.Plan().Find("w")->params;
      const std::vector<float> weight = run.Weight();
      const std::vector<float> values = run.Values(rounded);
      EXPECT_LT(Noise(run.x, weight, values, 24),
                Noise(run.x, weight, Nearest(weight, params, 24), 24) / 3);
      // On the grid, whose ends they keep to: quantizing gives these values again.
      for (size_t i = 0; i < values.size(); ++i) {
        const float q = values[i] / params.scales[per_channel ? i / 24 : 0];
        EXPECT_NEAR(q, std::nearbyint(q), 1e-3);
        EXPECT_LE(std::fabs(q), static_cast<float>(FullRange(type).max) + 1.001f);
      }
    }
  }
}

TEST(WeightRounderTest, AMatMulIsRoundedAsTheConvThatIsTheSame) {
  OneLayer conv(kConv, {20, 24, 1, 1}, Qdq(false));
  OneLayer product(R"((float[256,24] x) => (float[256,20] y)
      <float[20] b = {1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1}>
      { m = MatMul (x, w) y = Add (m, b) })",
                   {24, 20}, Qdq(false));
  // The same weights, transposed.
  const std::vector<float> weight = conv.Weight();
  std::vector<float> transposed(weight.size());
  for (size_t i = 0; i < weight.size(); ++i) transposed[i % 24 * 20 + i / 24] = weight[i];
  for (onnx::TensorProto& initializer : *product.model.model.graph().mutable_initializer()) {
    if (initializer.name() != "w") continue;
    initializer.mutable_float_data()->Assign(transposed.begin(), transposed.end());
  }
  const std::vector<float> of_conv = conv.Values(conv.Rounded());
  const std::vector<float> of_product = product.Values(product.Rounded());
  for (size_t i = 0; i < of_conv.size(); ++i) {
    EXPECT_FLOAT_EQ(of_product[i % 24 * 20 + i / 24], of_conv[i]);
  }
}

TEST(WeightRounderTest, ChannelsThatWereScaledSinceCountAsMuch) {
  // x / 2 times 2 w is the same layer: its weights are rounded to twice the values.
  OneLayer plain(kConv, {20, 24, 1, 1}, Qdq(true));
  const std::vector<float> values = plain.Values(plain.Rounded());
  OneLayer scaled(kConv, {20, 24, 1, 1}, Qdq(true));
  const SecondMoments moments = scaled.Moments();
  for (onnx::TensorProto& initializer : *scaled.model.model.graph().mutable_initializer()) {
    if (initializer.name() != "w") continue;
    for (float& value : *initializer.mutable_float_data()) value *= 2;
  }
  ChannelStatistics& seen = scaled.statistics["x"];
  for (size_t c = 0; c < 24; ++c) {
    seen.highest[c] /= 2;
    seen.mean[c] /= 2;
  }
  const RoundedWeights rounded =
      WeightRounder(&moments).Round(scaled.Plan(), scaled.statistics, &scaled.model.model);
  const std::vector<float> twice = scaled.Values(rounded);
  for (size_t i = 0; i < values.size(); ++i) EXPECT_FLOAT_EQ(twice[i], 2 * values[i]);
}

TEST(WeightRounderTest, DepthwiseChannelsAreRoundedByThemselves) {
  OneLayer run(R"((float[1,20,16,16] x) => (float[1,20,16,16] y)
      <float[20] b = {1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1}>
      { y = Conv <group = 20, pads = [1, 1, 1, 1]> (x, w, b) })",
               {20, 1, 3, 3}, Qdq(true));
  const std::vector<float> values = run.Values(run.Rounded());
  // A channel whose input is constant has nothing to make up for: it is rounded to nearest.
  OneLayer constant = OneLayer(R"((float[1,20,16,16] x) => (float[1,20,16,16] y)
      <float[20] b = {1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1}>
      { y = Conv <group = 20> (x, w, b) })",
                               {20, 1, 3, 3}, Qdq(true));
  constant.x.assign(constant.x.size(), 1);
  const std::vector<float> weight = constant.Weight();
  EXPECT_EQ(constant.Values(constant.Rounded()),
            Nearest(weight, constant.Plan().Find("w")->params, 9));
  EXPECT_NE(values, Nearest(weight, run.Plan().Find("w")->params, 9));
}

TEST(WeightRounderTest, WhatWasRoundedIsKeptAsLongAsNothingChanges) {
  OneLayer run(kConv, {20, 24, 1, 1}, Qdq(true));
  const SecondMoments moments = run.Moments();
  WeightRounder rounder(&moments);
  const RoundedWeights first = rounder.Round(run.Plan(), run.statistics, &run.model.model);
  const RoundedWeights again = rounder.Round(run.Plan(), run.statistics, &run.model.model);
  EXPECT_EQ(run.Values(again), run.Values(first));
  run.config.per_channel = false;
  const RoundedWeights other = rounder.Round(run.Plan(), run.statistics, &run.model.model);
  EXPECT_NE(run.Values(other), run.Values(first));
}

TEST(WeightRounderTest, PartByPartItIsTheSame) {
  OneLayer run(kConv, {20, 24, 1, 1}, Qdq(true));
  const std::vector<float> values = run.Values(run.Rounded());
  SecondMoments moments = run.Moments();
  WeightRounder rounder(&moments);
  rounder.Begin(run.Plan(), run.statistics, run.model.model);
  int parts = 0;
  while (rounder.Continue(1)) ++parts;
  EXPECT_EQ(parts, 3) << "the factor, a panel of 16 outputs, and one of 4";
  // Nothing is left to do: other moments would round it otherwise.
  run.x = SomeFloats(run.x.size(), 11);
  for (int i = 0; i < 10; ++i) moments.Observe("x", run.dims, run.x);
  const RoundedWeights rounded = rounder.Round(run.Plan(), run.statistics, &run.model.model);
  EXPECT_EQ(run.Values(rounded), values);
  WeightRounder anew(&moments);
  EXPECT_NE(run.Values(anew.Round(run.Plan(), run.statistics, &run.model.model)), values);
}

TEST(WeightRounderTest, WhatWasBegunIsGivenUpForAnother) {
  OneLayer run(kConv, {20, 24, 1, 1}, Qdq(true));
  const std::vector<float> values = run.Values(run.Rounded());
  const SecondMoments moments = run.Moments();
  WeightRounder rounder(&moments);
  EXPECT_FALSE(rounder.Continue(1)) << "nothing was begun";
  run.config.per_channel = false;
  rounder.Begin(run.Plan(), run.statistics, run.model.model);
  EXPECT_TRUE(rounder.Continue(1));
  run.config.per_channel = true;
  rounder.Begin(run.Plan(), run.statistics, run.model.model);
  while (rounder.Continue(1e9)) {
  }
  EXPECT_EQ(run.Values(rounder.Round(run.Plan(), run.statistics, &run.model.model)), values);
}

TEST(WeightRounderTest, WhatIsKeptIsOfNoFileThatIsWrittenAnew) {
  OneLayer run(kConv, {20, 24, 1, 1}, Qdq(true));
  const SecondMoments moments = run.Moments();
  WeightRounder rounder(&moments);
  const RoundedWeights first = rounder.Round(run.Plan(), run.statistics, &run.model.model);
  ASSERT_TRUE(first.at("w").external_data_size() > 0) << "in the scratch file";
  OneLayer next(kConv, {20, 24, 1, 1}, Qdq(true));  // with a scratch file of its own
  const RoundedWeights again = rounder.Round(next.Plan(), next.statistics, &next.model.model);
  EXPECT_EQ(next.Values(again), run.Values(first));
}

TEST(WeightRounderTest, WhatIsNotQuantizedOrOfAnotherKindIsLeftAlone) {
  OneLayer excluded(kConv, {20, 24, 1, 1}, Qdq(true));
  const SecondMoments moments = excluded.Moments();
  excluded.config.op_types_to_quantize = {"Add"};
  EXPECT_TRUE(WeightRounder(&moments)
                  .Round(excluded.Plan(), excluded.statistics, &excluded.model.model)
                  .empty());
  OneLayer wide(kConv, {20, 24, 1, 1}, Qdq(true, QuantType::kInt16));
  EXPECT_TRUE(wide.Rounded().empty());
  StaticQuantConfig blocks = Qdq(false, QuantType::kInt4);
  blocks.block_size = 8;
  OneLayer blocked(R"((float[256,24] x) => (float[256,20] y) { y = MatMul (x, w) })", {24, 20},
                   blocks);
  EXPECT_TRUE(blocked.Rounded().empty());
}

TEST(WeightRounderTest, HalvesStayHalvesOnTheGrid) {
  OneLayer run(R"((float16[1,24,16,16] x) => (float16[1,20,16,16] y) { y = Conv (x, w) })",
               {20, 24, 1, 1}, Qdq(true));
  const RoundedWeights rounded = run.Rounded();
  ASSERT_EQ(rounded.size(), 1);
  EXPECT_EQ(rounded.at("w").data_type(), onnx::TensorProto::FLOAT16);
  const QuantParams params = run.Plan().Find("w")->params;
  const std::vector<float> values = run.Values(rounded);
  for (size_t i = 0; i < values.size(); ++i) {
    const float q = values[i] / params.scales[i / 24];
    EXPECT_NEAR(q, std::nearbyint(q), 0.1);
  }
}

}  // namespace round_weights_test
}  // namespace ptq
