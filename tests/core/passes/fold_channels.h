// What the tests of folding into weights share: they check by structure, and by number on kernels
// of one element, where the convolution is a product that the test can write down.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "passes/pass_registry.h"
#include "testing/model_text.h"

namespace ptq {

inline constexpr char kHead[] = R"(<ir_version: 8, opset_import: ["" : 13]> )";

struct Channels {
  explicit Channels(const std::string& graph, const std::string& head = kHead)
      : text(head + graph) {}

  onnx::GraphProto& graph() { return text.model.graph(); }
  int Run(int (*pass)(PassContext&)) {
    Diagnostics diagnostics;
    PassContext context{text.model, diagnostics};
    return pass(context);
  }
  std::vector<float> Values(const std::string& name) {
    return text.model.tensors().ReadFloats(InitializerOf(graph(), name));
  }
  // Weight or bias of node `node`.
  std::vector<float> Input(int node, int input) { return Values(graph().node(node).input(input)); }

  TextModel text;
};

inline void ExpectNear(const std::vector<float>& actual, const std::vector<float>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], 1e-6 * (1 + std::abs(expected[i]))) << i;
  }
}

}  // namespace ptq
