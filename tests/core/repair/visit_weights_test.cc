#include "repair/visit_weights.h"

#include <gtest/gtest.h>

namespace ptq {
namespace {

LinearLayer Layer(int64_t outputs, int64_t inputs, int64_t groups, uint64_t kernel,
                  bool inputs_first) {
  LinearLayer layer;
  layer.outputs = outputs;
  layer.inputs = inputs;
  layer.groups = groups;
  layer.kernel = kernel;
  layer.inputs_first = inputs_first;
  return layer;
}

void ExpectThePlacesOfAllElements(const LinearLayer& layer) {
  const int64_t rows = layer.outputs * layer.inputs / layer.groups;
  PlaceSteps steps(layer);
  for (uint64_t element = 0; element < static_cast<uint64_t>(rows) * layer.kernel; ++element) {
    const LinearLayer::Place expected = layer.PlaceOf(element);
    EXPECT_EQ(steps.place().output, expected.output) << element;
    EXPECT_EQ(steps.place().input, expected.input) << element;
    steps.Next();
  }
}

TEST(VisitWeightsTest, StepsGoThroughThePlacesOfAllElements) {
  ExpectThePlacesOfAllElements(Layer(3, 4, 1, 9, false));  // a Conv
  ExpectThePlacesOfAllElements(Layer(5, 4, 1, 1, false));  // of one tap; a Gemm
  ExpectThePlacesOfAllElements(Layer(6, 4, 2, 3, false));  // in groups
  ExpectThePlacesOfAllElements(Layer(4, 4, 4, 9, false));  // by channel
  ExpectThePlacesOfAllElements(Layer(5, 3, 1, 1, true));   // a MatMul
}

}  // namespace
}  // namespace ptq
