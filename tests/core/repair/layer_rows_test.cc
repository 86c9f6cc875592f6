// Rows of layers, against a convolution that is written out: rows times weights are its outputs.
#include "repair/layer_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "model/attributes.h"
#include "passes/infer_shapes.h"
#include "testing/model_text.h"

namespace ptq {
namespace layer_rows_test {

struct OneLayer {
  explicit OneLayer(const std::string& text)
      : model("<ir_version: 8, opset_import: [\"\" : 13]> g " + text), view(Inferred()) {
    layer = FindLinearLayers(view).at(0);
    node = &view.node(layer.node);
  }
  const onnx::GraphProto& Inferred() {
    InferShapes(model.model);
    return model.model.graph();
  }
  LayerRows Rows(const std::vector<int64_t>& dims, size_t most = 1000000) const {
    return {*node, layer, dims, most};
  }

  TextModel model;
  GraphView view;
  LinearLayer layer;
  const onnx::NodeProto* node = nullptr;
};

// The outputs of a 2D Conv of batch size 1 with explicit pads, one channel after the other, sorted:
// rows come in another order than places.
std::vector<float> Convolved(const onnx::NodeProto& node, const std::vector<float>& x,
                             const std::vector<int64_t>& dims, const std::vector<float>& weight,
                             const std::vector<int64_t>& weight_dims,
                             const std::vector<int64_t>& pads) {
  const std::vector<int64_t> strides = IntsAttribute(node, "strides");
  const std::vector<int64_t> dilations = IntsAttribute(node, "dilations");
  const int64_t group_outputs = weight_dims[0] / IntAttribute(node, "group", 1);
  const auto reach = [&](size_t a) { return (weight_dims[a + 2] - 1) * dilations[a] + 1; };
  const int64_t height = (dims[2] + pads[0] + pads[2] - reach(0)) / strides[0] + 1;
  const int64_t width = (dims[3] + pads[1] + pads[3] - reach(1)) / strides[1] + 1;
  std::vector<float> outputs;
  for (int64_t o = 0; o < weight_dims[0]; ++o) {
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t z = 0; z < width; ++z) {
        double sum = 0;
        for (int64_t c = 0; c < weight_dims[1]; ++c) {
          for (int64_t i = 0; i < weight_dims[2]; ++i) {
            for (int64_t j = 0; j < weight_dims[3]; ++j) {
              const int64_t row = y * strides[0] + i * dilations[0] - pads[0];
              const int64_t column = z * strides[1] + j * dilations[1] - pads[1];
              if (row < 0 || row >= dims[2] || column < 0 || column >= dims[3]) continue;
              const int64_t channel = o / group_outputs * weight_dims[1] + c;
              const auto at = static_cast<size_t>((channel * dims[2] + row) * dims[3] + column);
              const auto tap = static_cast<size_t>(
                  ((o * weight_dims[1] + c) * weight_dims[2] + i) * weight_dims[3] + j);
              sum += static_cast<double>(x[at]) * weight[tap];
            }
          }
        }
        outputs.push_back(static_cast<float>(sum));
      }
    }
  }
  std::sort(outputs.begin(), outputs.end());
  return outputs;
}

void ExpectRowsGiveOutputs(const OneLayer& one, const std::vector<int64_t>& dims,
                           const std::vector<int64_t>& pads) {
  size_t count = 1;
  for (const int64_t dim : dims) count *= static_cast<size_t>(dim);
  const std::vector<float> x = SomeFloats(count, 5);
  const std::vector<float> weight = one.model.model.tensors().ReadFloats(*one.layer.weight);
  const LayerRows places = one.Rows(dims);
  const size_t columns = LayerRows::Columns(one.layer);
  const size_t outputs = static_cast<size_t>(one.layer.outputs / one.layer.groups);
  std::vector<float> rows;
  std::vector<float> found;
  for (size_t group = 0; group < static_cast<size_t>(one.layer.groups); ++group) {
    places.Read(x, group, {}, columns, &rows);
    for (size_t o = 0; o < outputs; ++o) {
      const float* w = weight.data() + (group * outputs + o) * columns;
      for (size_t r = 0; r < places.count(); ++r) {
        double sum = 0;
        for (size_t c = 0; c < columns; ++c) {
          sum += static_cast<double>(rows[r * columns + c]) * w[c];
        }
        found.push_back(static_cast<float>(sum));
      }
    }
  }
  std::sort(found.begin(), found.end());
  const std::vector<int64_t> weight_dims(one.layer.weight->dims().begin(),
                                         one.layer.weight->dims().end());
  const std::vector<float> expected = Convolved(*one.node, x, dims, weight, weight_dims, pads);
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-5);
}

TEST(LayerRowsTest, AreWhatLiesUnderTheKernelOfAConv) {
  const OneLayer one(R"((float[1,3,7,6] x) => (float[1,4,h,w] y)
      <float[4,3,3,2] w = {1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,-1,-2,3,4,-5,6,7,8,-9,1,2,3,4,5,-6,7,8,
       9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,-7,8,9,1,2,3,4,5,6,7,8,9,1,-2,3,4,5,6,7,8,9}>
      { y = Conv <strides = [2, 1], dilations = [1, 2], pads = [1, 0, 2, 1]> (x, w) })");
  ExpectRowsGiveOutputs(one, {1, 3, 7, 6}, {1, 0, 2, 1});
}

TEST(LayerRowsTest, AreThoseOfEachGroup) {
  const OneLayer one(R"((float[1,4,5,5] x) => (float[1,4,h,w] y)
      <float[4,2,2,2] w = {1,2,3,4,5,6,7,8,-1,2,-3,4,-5,6,-7,8,9,8,7,6,5,4,3,2,1,1,2,2,3,3,4,4}>
      { y = Conv <group = 2, strides = [1, 2], dilations = [2, 1], pads = [1, 1, 0, 0]> (x, w) })");
  ExpectRowsGiveOutputs(one, {1, 4, 5, 5}, {1, 1, 0, 0});
  const OneLayer depthwise(R"((float[1,3,6,6] x) => (float[1,3,h,w] y)
      <float[3,1,3,3] w = {1,2,3,4,5,6,7,8,9,-1,2,-3,4,-5,6,-7,8,-9,9,8,7,6,5,4,3,2,1}>
      { y = Conv <group = 3, strides = [1, 1], dilations = [1, 1], pads = [1, 1, 1, 1]> (x, w) })");
  ExpectRowsGiveOutputs(depthwise, {1, 3, 6, 6}, {1, 1, 1, 1});
}

TEST(LayerRowsTest, PadAsAutoPadSays) {
  const std::string conv = R"((float[1,1,5,4] x) => (float[1,1,h,w] y)
      <float[1,1,2,3] w = {1,2,3,4,5,6}>
      { y = Conv <auto_pad = "PAD", strides = [2, 1], dilations = [1, 1]> (x, w) })";
  const auto with = [&](const std::string& pad) {
    std::string text = conv;
    return OneLayer(text.replace(text.find("PAD"), 3, pad));
  };
  ExpectRowsGiveOutputs(with("SAME_UPPER"), {1, 1, 5, 4}, {0, 1, 1, 1});
  ExpectRowsGiveOutputs(with("SAME_LOWER"), {1, 1, 5, 4}, {1, 1, 0, 1});
  ExpectRowsGiveOutputs(with("VALID"), {1, 1, 5, 4}, {0, 0, 0, 0});
}

TEST(LayerRowsTest, OfAConvOverTimeAndOfABatchAreTheirs) {
  const OneLayer one(R"((float[2,1,4] x) => (float[2,1,3] y) <float[1,1,2] w = {1, 10}>
      { y = Conv (x, w) })");
  const LayerRows places = one.Rows({2, 1, 4});
  ASSERT_EQ(places.count(), 6);
  std::vector<float> rows;
  places.Read(std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7}, 0, {}, 2, &rows);
  std::multiset<float> sums;
  for (size_t r = 0; r < 6; ++r) sums.insert(rows[2 * r] + 10 * rows[2 * r + 1]);
  EXPECT_EQ(sums, (std::multiset<float>{10, 21, 32, 54, 65, 76}));
}

TEST(LayerRowsTest, OfAMatrixProductAreItsRows) {
  const OneLayer one(R"((float[2,2,3] x) => (float[2,2,1] y) <float[3,1] w = {1, 10, 100}>
      { y = MatMul (x, w) })");
  const LayerRows places = one.Rows({2, 2, 3});
  ASSERT_EQ(places.count(), 4);
  std::vector<float> x(12);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  std::vector<float> rows;
  places.Read(x, 0, {}, 8, &rows);
  ASSERT_EQ(rows.size(), 32);
  std::multiset<float> sums;
  for (size_t r = 0; r < 4; ++r) {
    sums.insert(rows[8 * r] + 10 * rows[8 * r + 1] + 100 * rows[8 * r + 2]);
    for (size_t c = 3; c < 8; ++c) EXPECT_EQ(rows[8 * r + c], 0);
  }
  EXPECT_EQ(sums, (std::multiset<float>{210, 543, 876, 1209}));
}

TEST(LayerRowsTest, MeansAreTakenOffPaddingTooAndWhatIsNotFiniteIsNothing) {
  const OneLayer one(R"((float[1,2,2] x) => (float[1,1,3] y) <float[1,2,1] w = {1, 1}>
      { y = Conv <pads = [1, 0]> (x, w) })");
  const LayerRows places = one.Rows({1, 2, 2});
  std::vector<float> rows;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  places.Read(std::vector<float>{3, nan, 5, 6}, 0, std::vector<double>{1, 2}, 2, &rows);
  std::multiset<std::pair<float, float>> pairs;
  for (size_t r = 0; r < 3; ++r) pairs.emplace(rows[2 * r], rows[2 * r + 1]);
  EXPECT_EQ(pairs, (std::multiset<std::pair<float, float>>{{-1, -2}, {2, 3}, {0, 4}}));
}

TEST(LayerRowsTest, OfManyPlacesSomeAreTakenAllOverTheTensor) {
  const OneLayer one(R"((float[1,1,100,100] x) => (float[1,1,100,100] y)
      <float[1,1,1,1] w = {1}> { y = Conv (x, w) })");
  const LayerRows places = one.Rows({1, 1, 100, 100}, 200);
  ASSERT_EQ(places.count(), 200);
  std::vector<float> x(10000);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  std::vector<float> rows;
  places.Read(x, 0, {}, 1, &rows);
  std::set<float> seen(rows.begin(), rows.end());
  EXPECT_EQ(seen.size(), 200);
  std::set<int> lines;
  std::set<int> columns;
  for (const float value : rows) {
    lines.insert(static_cast<int>(value) / 100);
    columns.insert(static_cast<int>(value) % 100);
  }
  EXPECT_GT(lines.size(), 80);
  EXPECT_GT(columns.size(), 60);
}

TEST(LayerRowsTest, OfATensorThatDoesNotFitThereAreNone) {
  const OneLayer one(R"((float[1,2,4,4] x) => (float[1,1,4,4] y) <float[1,2,1,1] w = {1, 1}>
      { y = Conv (x, w) })");
  EXPECT_EQ(one.Rows({1, 3, 4, 4}).count(), 0);
  EXPECT_EQ(one.Rows({1, 2, 4}).count(), 0);
  EXPECT_EQ(one.Rows({1, 2, 0, 4}).count(), 0);
}

}  // namespace layer_rows_test
}  // namespace ptq
