// Means by channel, from the reductions in the graph to the statistics and through states.
#include "calibration/channel_means.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "calibration/calibration.h"
#include "calibration/calibration_model.h"
#include "passes/infer_shapes.h"
#include "testing/model_text.h"

namespace ptq {
namespace {

StaticQuantConfig Fast() {
  StaticQuantConfig config;
  config.effort = Effort::kFast;
  return config;
}

constexpr char kConvReluMatMul[] = R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[1,2,2,2] x) => (float[1,3,2,2] y)
    <float[3,2,1,1] w = {1, 2, 3, 4, 5, 6}, float[2,2] m = {1, 2, 3, 4}>
    { c = Conv (x, w)  r = Relu (c)  y = MatMul (r, m) })";

TEST(ChannelMeansTest, WhatLinearLayersReadIsReducedByChannelAlongTheirAxis) {
  TextModel text(kConvReluMatMul);
  InferShapes(text.model);
  const std::vector<CalibratedTensor> tensors = TensorsToCalibrate(text.model, Fast());
  ASSERT_EQ(tensors.size(), 4);
  EXPECT_EQ(tensors[0].name, "x");
  EXPECT_TRUE(tensors[0].has_means);
  EXPECT_EQ(tensors[0].channels, 2);
  EXPECT_FALSE(tensors[1].has_means);  // c, which the Relu reads
  EXPECT_TRUE(tensors[2].has_means);
  EXPECT_EQ(tensors[2].channels, 2);
  EXPECT_FALSE(tensors[3].has_means);
  std::vector<int64_t> kept;
  const CalibrationModel model = BuildReductionModel(text.model, Fast());
  for (const onnx::NodeProto& node : model.proto.graph().node()) {
    if (node.op_type() != "ReduceMean") continue;
    const auto& axes = node.attribute(0).ints();
    kept.push_back(6 - axes.Get(0) - axes.Get(1) - axes.Get(2));  // of the axes 0 to 3
  }
  EXPECT_EQ(kept, (std::vector<int64_t>{1, 3}));
}

TEST(ChannelMeansTest, BehindAReluTheEndsByChannelAreThoseOfItsInputClipped) {
  TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1,2,2,2] x) => (float[1,1,2,2] y, float[1,2,2,2] z) <
        float[2,2,1,1] w = {1, 2, 3, 4}, float[1,2,1,1] v = {5, 6}>
      { c = Conv (x, w)  r = Relu (c)  y = Conv (r, v)  z = Sigmoid (c) })");
  InferShapes(text.model);
  const onnx::GraphProto graph = BuildReductionModel(text.model, Fast()).proto.graph();
  std::string whole;  // reductions of what the model itself makes
  for (const onnx::NodeProto& node : graph.node()) {
    if (node.op_type().rfind("Reduce", 0) != 0 || node.input(0).size() > 1) continue;
    whole += node.op_type() + " " + node.input(0) + ", ";
  }
  EXPECT_EQ(whole,
            "ReduceMin x, ReduceMax x, ReduceMean x, ReduceMin c, ReduceMax c, ReduceSum c, "
            "ReduceMean r, ReduceMin y, ReduceMax y, ReduceSum y, ReduceMin z, ReduceMax z, "
            "ReduceSum z, ");
}

TEST(ChannelMeansTest, WithoutEffortNothingIsReducedByChannel) {
  TextModel text(kConvReluMatMul);
  InferShapes(text.model);
  const auto has_mean = [](const CalibrationModel& model) {
    const auto& nodes = model.proto.graph().node();
    return std::any_of(nodes.begin(), nodes.end(),
                       [](const onnx::NodeProto& node) { return node.op_type() == "ReduceMean"; });
  };
  EXPECT_FALSE(has_mean(BuildReductionModel(text.model, StaticQuantConfig{})));
  EXPECT_TRUE(has_mean(BuildReductionModel(text.model, Fast())));
  EXPECT_FALSE(has_mean(BuildReductionModel(text.model, Fast(), /*for_repairs=*/false)));
  for (const CalibratedTensor& tensor : TensorsToCalibrate(text.model, StaticQuantConfig{})) {
    EXPECT_FALSE(tensor.has_means);
    EXPECT_EQ(tensor.channels, 1);
  }
}

// x has two channels, y none.
Calibration TwoTensors() {
  return Calibration({{"x", FloatType::kFloat, 2, true}, {"y", FloatType::kFloat, 1}}, Fast());
}

TEST(ChannelMeansTest, StatisticsAreRangesAndMeansOfTheMeansOfSamples) {
  Calibration calibration = TwoTensors();
  calibration.ObserveRanges(std::vector<float>{-1, 1, 0.5f, 0, 4, 2, -9, 9, 0});
  calibration.ObserveRanges(std::vector<float>{-3, 0, 0.25f, 1, 2, 1, -9, 9, 0});
  calibration.EndPass();
  EXPECT_EQ(calibration.Ranges().at("x").lowest, -3);
  EXPECT_EQ(calibration.Ranges().at("x").highest, 4);
  const TensorStatistics statistics = calibration.Statistics();
  EXPECT_EQ(statistics.size(), 1);
  EXPECT_EQ(statistics.at("x").lowest, (std::vector<float>{-3, 0}));
  EXPECT_EQ(statistics.at("x").highest, (std::vector<float>{1, 4}));
  EXPECT_EQ(statistics.at("x").mean, (std::vector<double>{0.375, 1.5}));
}

TEST(ChannelMeansTest, SamplesThatAreSetAsideGiveRangesAndNoStatistics) {
  Calibration calibration = TwoTensors();
  calibration.ObserveRanges(std::vector<float>{-1, 1, 0.5f, 0, 4, 2, -9, 9, 0});
  calibration.ObserveRanges(std::vector<float>{-3, 7, 0.25f, 1, 2, 1, -9, 10, 0}, false);
  calibration.EndPass();
  EXPECT_EQ(calibration.Ranges().at("x").lowest, -3);
  EXPECT_EQ(calibration.Ranges().at("x").highest, 7);
  EXPECT_EQ(calibration.Ranges().at("y").highest, 10);
  const TensorStatistics statistics = calibration.Statistics();
  EXPECT_EQ(statistics.at("x").highest, (std::vector<float>{1, 4}));
  EXPECT_EQ(statistics.at("x").mean, (std::vector<double>{0.5, 2}));
}

TEST(ChannelMeansTest, ASampleMayBeReducedWithoutChannels) {
  Calibration calibration = TwoTensors();
  calibration.ObserveRanges(std::vector<float>{-5, 5, 1, -9, 9, 0});
  EXPECT_TRUE(calibration.Statistics().empty());
  calibration.ObserveRanges(std::vector<float>{-1, 1, 0.5f, 0, 4, 2, -9, 9, 0});
  calibration.EndPass();
  EXPECT_EQ(calibration.Ranges().at("x").lowest, -5);
  EXPECT_EQ(calibration.Statistics().at("x").lowest, (std::vector<float>{-1, 0}));
}

TEST(ChannelMeansTest, AMovingAverageOfATensorIsThatOfItsOwnEnds) {
  StaticQuantConfig config = Fast();
  config.calib_moving_average = true;
  Calibration calibration({{"x", FloatType::kFloat, 2, true}}, config);
  calibration.ObserveRanges(std::vector<float>{-1, 1, 0, 0, 4, 2});
  calibration.ObserveRanges(std::vector<float>{0, 6, 1, -3, 0, 0});
  calibration.EndPass();
  EXPECT_EQ(calibration.Ranges().at("x").lowest, -2);
  EXPECT_EQ(calibration.Ranges().at("x").highest, 5);
}

TEST(ChannelMeansTest, NanInAChannelIsCountedOnceForItsTensor) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Calibration calibration = TwoTensors();
  calibration.ObserveRanges(std::vector<float>{nan, 1, nan, 0, 4, nan, -9, 9, 0});
  calibration.EndPass();
  const Diagnostics notes = calibration.Notes();
  ASSERT_EQ(notes.size(), 1);
  EXPECT_EQ(notes[0].code, "NAN_IN_TENSOR");
  EXPECT_NE(notes[0].message.str().find("in 1 of 1 samples"), std::string::npos);
}

TEST(ChannelMeansTest, ASampleWithNanIsPassedOver) {
  ChannelMeans means(1);
  means.Observe(0, std::numeric_limits<float>::quiet_NaN());
  means.Observe(0, 3);
  EXPECT_EQ(means.Mean(0), 3);
}

TEST(ChannelMeansTest, ShardsMergeToTheSameStateInAnyOrder) {
  const std::vector<std::vector<float>> samples = {{-1, 1, 0.1f, 0, 4, 1e9f, -9, 9, 0},
                                                   {-3, 0, 0.7f, 1, 2, 1, -9, 9, 0},
                                                   {-2, 0, -1e-9f, 1, 2, -1e9f, -9, 9, 0}};
  Calibration whole = TwoTensors();
  for (const auto& sample : samples) whole.ObserveRanges(sample);
  Calibration merged = TwoTensors();
  for (size_t i = samples.size(); i-- > 0;) {
    Calibration shard = TwoTensors();
    shard.ObserveRanges(samples[i]);
    merged.Add(shard.Save());
  }
  EXPECT_EQ(merged.Save(), whole.Save());
  Calibration restored = TwoTensors();
  restored.Restore(whole.Save());
  restored.EndPass();
  whole.EndPass();
  EXPECT_EQ(restored.Statistics().at("x").mean, whole.Statistics().at("x").mean);
}

TEST(ChannelMeansTest, AStateWithMoreDigitsThanASumHasIsRefused) {
  Calibration calibration = TwoTensors();
  calibration.ObserveRanges(std::vector<float>{-1, 1, 0.5f, 0, 4, 2, -9, 9, 0});
  std::string state = calibration.Save();
  const size_t means = state.find("\"means\":[[1,") + 12;
  state.replace(means, 1, "99");
  EXPECT_THROW(TwoTensors().Restore(state), Error);
}

}  // namespace
}  // namespace ptq
