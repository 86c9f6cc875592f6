#include "calibration/memory_estimate.h"

#include <gtest/gtest.h>

#include "model/graph_view.h"
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

}  // namespace
}  // namespace ptq
