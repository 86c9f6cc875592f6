// Reconfigure and PlanOnly: one prepared model, planned and quantized with many settings.
#include <gtest/gtest.h>

#include "testing/quantize_text.h"
#include "testing/refusals.h"

namespace ptq {
namespace reconfigure_test {

constexpr char kModel[] = R"(<ir_version: 7, opset_import: ["" : 11]>
    g (float[1,1,2,2] x) => (float[1,2,2,2] y) <float[2,1,1,1] w = {1, 2}> {
      [conv] c = Conv (x, w)
      [relu] r = Relu (c)
      [sin] y = Sin (r)
    })";

constexpr char kPerChannel[] =
    R"({"quant_format": "QDQ", "weight_type": "QInt8", "per_channel": true})";

const TensorRanges kRanges = {{"x", {-1, 1}}, {"c", {-2, 2}}, {"r", {0, 2}}, {"y", {-1, 1}}};

// A quantizer that is prepared with `options`.
class Prepared {
 public:
  explicit Prepared(const std::string& options, const std::string& model = kModel)
      : files_(ParseModelText(model).SerializeAsString()), quantizer_(&files_) {
    quantizer_.Configure(ParseConfig(options));
    quantizer_.Prepare();
  }

  StaticQuantizer& operator*() { return quantizer_; }
  StaticQuantizer* operator->() { return &quantizer_; }

  std::string Bytes() {
    files_.Put(kOutputFile, std::string());  // it is appended to
    quantizer_.SetRanges(kRanges);
    quantizer_.Quantize("");
    return files_.String(kOutputFile);
  }

 private:
  MemoryFiles files_;
  StaticQuantizer quantizer_;
};

std::vector<std::string> Floats(const std::vector<QuantizedNode>& nodes) {
  std::vector<std::string> names;
  for (const QuantizedNode& node : nodes) {
    if (node.plan.action == NodeAction::kFloat) names.push_back(node.name);
  }
  return names;
}

TEST(Reconfigure, GivesTheBytesOfAModelThatWasPreparedForTheSettings) {
  Prepared changed(kQOperator);
  for (const std::string options : {kPerChannel, kQOperator, kQdq, kPerChannel}) {
    changed->Reconfigure(ParseConfig(options));
    EXPECT_EQ(changed.Bytes(), Prepared(options).Bytes()) << options;
  }
}

TEST(Reconfigure, SettlesTheOpsetAnew) {
  Prepared prepared(kQOperator);
  EXPECT_EQ(prepared->Reconfigure(ParseConfig(kPerChannel)).opset_after, 13);
  EXPECT_EQ(prepared->Reconfigure(ParseConfig(kQOperator)).opset_after, 11);
}

TEST(Reconfigure, RefusesNodesThatTheModelLacks) {
  Prepared prepared(kQdq);
  const Refusal refusal =
      RefusalOf([&] { prepared->Reconfigure(ParseConfig(R"({"nodes_to_exclude": ["comv"]})")); });
  EXPECT_EQ(refusal.code, ErrorCode::kInvalidOption);
  EXPECT_EQ(refusal.hint, "did you mean \"conv\"?");
}

TEST(PlanOnly, NamesTheNodesThatQuantizeLeavesFloat) {
  for (const std::string options : {kQdq, kQOperator, kPerChannel}) {
    Prepared prepared(options);
    const PlanReport before = prepared->PlanOnly();
    EXPECT_FALSE(before.with_ranges);
    prepared->SetRanges(kRanges);
    const PlanReport after = prepared->PlanOnly();
    EXPECT_TRUE(after.with_ranges);
    const QuantizeReport report = prepared->Quantize("");
    EXPECT_EQ(Floats(before.nodes), Floats(report.nodes)) << options;
    EXPECT_EQ(Floats(after.nodes), Floats(report.nodes)) << options;
    EXPECT_EQ(after.opset, report.opset) << options;
  }
}

TEST(PlanOnly, EstimatesTheSizeOfTheOutputAndOfItsWeights) {
  Prepared prepared(kQdq);
  const PlanReport plan = prepared->PlanOnly();
  EXPECT_EQ(plan.given_weights, 8u);
  EXPECT_EQ(plan.integer_weights, 2u);
  EXPECT_EQ(plan.weights.float_bytes, 0u);
  const auto written = static_cast<double>(prepared.Bytes().size());
  EXPECT_NEAR(static_cast<double>(plan.bytes), written, 0.5 * written);
}

// As float_data, which stays in the graph.
TEST(PlanOnly, CountsWeightsThatTheGraphHoldsItselfOnce) {
  std::string values = "1";
  for (int i = 1; i < 4096; ++i) values += ", " + std::to_string(i % 7);
  Prepared prepared(kQdq, R"(<ir_version: 7, opset_import: ["" : 11]>
    g (float[1,64,2,2] x) => (float[1,64,2,2] y) <float[64,64,1,1] w = {)" +
                              values + R"(}> { [conv] y = Conv (x, w) })");
  const auto planned = static_cast<double>(prepared->PlanOnly().bytes);
  const auto written = static_cast<double>(prepared.Bytes().size());
  EXPECT_NEAR(planned, written, 0.1 * written);
}

TEST(PlanOnly, ChangesNothing) {
  Prepared planned(kQdq);
  planned->PlanOnly();
  EXPECT_EQ(planned.Bytes(), Prepared(kQdq).Bytes());
}

}  // namespace reconfigure_test
}  // namespace ptq
