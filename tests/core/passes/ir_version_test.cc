#include "passes/ir_version.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "testing/model_text.h"

namespace ptq {
namespace {

TEST(IrVersion, OfAnOpsetFollowsTheReleaseTable) {
  const std::vector<std::pair<int, int>> rows = {{7, 3},   {8, 3},   {9, 4},   {10, 5},  {11, 6},
                                                 {12, 7},  {13, 7},  {14, 7},  {15, 8},  {18, 8},
                                                 {19, 9},  {20, 9},  {21, 10}, {22, 10}, {23, 11},
                                                 {24, 12}, {25, 13}, {27, 13}, {28, 14}};
  for (const auto& [opset, ir] : rows) EXPECT_EQ(IrVersionOfOpset(opset), ir) << opset;
}

TEST(IrVersion, IsOnlyEverRaised) {
  TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]> g (float[2] x) => (float[2] y) {
    y = Relu(x) })");
  RaiseIrVersion(text.model, 7);
  EXPECT_EQ(text.model.proto().ir_version(), 8);
  RaiseIrVersion(text.model, 10);
  EXPECT_EQ(text.model.proto().ir_version(), 10);
}

TEST(IrVersion, RepeatedInputsGoWithTheirNumber) {
  TextModel text(R"(<ir_version: 3, opset_import: ["" : 13]>
      g (float[2] x, float[2] w) => (float[2] y) <float[2] w = {1, 2}> { y = Add(x, w) })");
  EXPECT_EQ(DropRepeatedInputs(&text.model.graph()), 1);
  ASSERT_EQ(text.model.graph().input_size(), 1);
  EXPECT_EQ(text.model.graph().input(0).name(), "x");
  EXPECT_EQ(DropRepeatedInputs(&text.model.graph()), 0);
}

}  // namespace
}  // namespace ptq
