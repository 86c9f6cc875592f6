#include "passes/upgrade_opset.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "model/attributes.h"
#include "testing/model_text.h"

namespace ptq {
namespace {

struct Upgraded {
  Upgraded(int from, int to, const std::string& graph)
      : text("<ir_version: 4, opset_import: [\"\" : " + std::to_string(from) +
             ", \"custom\" : 1]> " + graph) {
    UpgradeOpset(text.model, to, diagnostics);
  }

  const onnx::GraphProto& graph() const { return text.model.graph(); }
  const onnx::NodeProto& node(int index) const { return graph().node(index); }
  std::vector<int64_t> Ints(const std::string& name) const {
    return text.model.tensors().ReadInts(InitializerOf(graph(), name));
  }
  std::vector<float> Floats(const std::string& name) const {
    return text.model.tensors().ReadFloats(InitializerOf(graph(), name));
  }

  TextModel text;
  Diagnostics diagnostics;
};

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

ErrorCode CodeOf(int from, int to, const std::string& graph, std::string* node = nullptr) {
  try {
    Upgraded(from, to, graph);
  } catch (const Error& error) {
    if (node != nullptr) *node = error.node();
    return error.code();
  }
  return ErrorCode::kInternal;
}

TEST(UpgradeOpset, SetsOpsetAndIrVersionAndNeverLowersThem) {
  const std::string graph = "g (float[2] x) => (float[2] y) { y = Relu(x) }";
  const Upgraded up(7, 13, graph);
  EXPECT_EQ(up.text.model.Opset(), 13);
  EXPECT_EQ(up.text.model.Opset("custom"), 1);
  EXPECT_EQ(up.text.model.proto().ir_version(), 7);
  EXPECT_EQ(Upgraded(15, 13, graph).text.model.Opset(), 15);
  EXPECT_EQ(Upgraded(15, 13, graph).text.model.proto().ir_version(), 4);
}

TEST(UpgradeOpset, ClipAttributesBecomeInputsOfTheDatasType) {
  const Upgraded up(7, 13,
                    R"(g (float[2] x, float16[2] h) => (float[2] y, float16[2] z, float[2] u) {
    y = Clip<min = 0.0, max = 6.0>(x) z = Clip<max = 6.0>(h) u = Clip(x) })");
  EXPECT_EQ(up.Floats(up.node(0).input(1)), (Floats{0}));
  EXPECT_EQ(up.Floats(up.node(0).input(2)), (Floats{6}));
  EXPECT_EQ(up.node(0).attribute_size(), 0);
  EXPECT_EQ(up.node(1).input(1), "");
  EXPECT_EQ(InitializerOf(up.graph(), up.node(1).input(2)).data_type(), onnx::TensorProto::FLOAT16);
  EXPECT_EQ(up.node(2).input_size(), 1);
}

TEST(UpgradeOpset, BatchNormalizationLosesSpatialAndTrainingOutputs) {
  const std::string weights = " <float[2] s = {1.0, 1.0}> ";
  const Upgraded up(
      7, 15,
      "g (float[1,2,3,3] x) => (float[1,2,3,3] y)" + weights +
          "{ y, a, b = BatchNormalization<spatial = 1, momentum = 0.8>(x, s, s, s, s) }");
  EXPECT_EQ(FindAttribute(up.node(0), "spatial"), nullptr);
  EXPECT_NE(FindAttribute(up.node(0), "momentum"), nullptr);
  EXPECT_EQ(up.node(0).output_size(), 1);
  std::string node;
  EXPECT_EQ(CodeOf(7, 13,
                   "g (float[1,2,3,3] x) => (float[1,2,3,3] y)" + weights +
                       "{ [norm] y = BatchNormalization<spatial = 0>(x, s, s, s, s) }",
                   &node),
            ErrorCode::kUnsupportedOpset);
  EXPECT_EQ(node, "norm");
}

TEST(UpgradeOpset, PadKeepsItsValueOnlyWhereItMatters) {
  const Upgraded up(7, 13, R"(g (float[2] x) => (float[5] y, float[5] z, float[5] u) {
    y = Pad<pads = [1, 2], value = 1.5>(x) z = Pad<pads = [1, 2]>(x) u = Pad<mode = "edge", pads = [1, 2], value = 3.0>(x) })");
  EXPECT_EQ(up.Ints(up.node(0).input(1)), (Ints{1, 2}));
  EXPECT_EQ(up.Floats(up.node(0).input(2)), (Floats{1.5}));
  EXPECT_EQ(up.node(1).input_size(), 2);
  EXPECT_EQ(up.node(2).input_size(), 2);
  EXPECT_EQ(StringAttribute(up.node(2), "mode", ""), "edge");
}

TEST(UpgradeOpset, UpsampleBecomesResize) {
  const Upgraded up(7, 13, R"(g (float[1,1,2,2] x) => (float[1,1,4,4] y, float[1,1,4,4] z) {
    [up] y = Upsample<scales = [1.0, 1.0, 2.0, 2.0]>(x) z = Upsample<mode = "linear", scales = [1.0, 1.0, 2.0, 2.0]>(x) })");
  EXPECT_EQ(OpTypes(up.graph()), "Resize Resize");
  EXPECT_EQ(up.node(0).name(), "up");
  EXPECT_EQ(up.node(0).input(1), "");
  EXPECT_EQ(up.Floats(up.node(0).input(2)), (Floats{1, 1, 2, 2}));
  EXPECT_EQ(StringAttribute(up.node(0), "coordinate_transformation_mode", ""), "asymmetric");
  EXPECT_EQ(StringAttribute(up.node(0), "nearest_mode", ""), "floor");
  EXPECT_EQ(StringAttribute(up.node(1), "mode", ""), "linear");
  EXPECT_TRUE(up.diagnostics.empty());
  // Nothing is left of the roi that opset 11 would have needed.
  EXPECT_EQ(up.graph().initializer_size(), 2);
}

TEST(UpgradeOpset, ResizeOf11HasARoiAndSaysWhereRoundingWasOpen) {
  const Upgraded up(
      10, 11,
      R"(g (float[1,1,4,4] x, float[4] dynamic) => (float[1,1,2,8] y, float[1,1,2,2] z, float[1,1,2,2] u)
      <float[4] s = {1.0, 1.0, 0.5, 2.0}, float[4] h = {1.0, 1.0, 0.5, 0.5}> {
    y = Resize(x, s) z = Resize(x, h) u = Resize<mode = "linear">(x, dynamic) })");
  EXPECT_EQ(up.Floats(up.node(0).input(1)), (Floats{}));
  EXPECT_EQ(up.node(0).input(2), "s");
  EXPECT_EQ(StringAttribute(up.node(1), "nearest_mode", ""), "ceil");
  ASSERT_EQ(up.diagnostics.size(), 1u);  // y shrinks and enlarges
  EXPECT_EQ(up.diagnostics[0].code, "RESIZE_ROUNDING_ASSUMED");
  EXPECT_EQ(up.diagnostics[0].tensor, "y");
}

TEST(UpgradeOpset, ResizeOf13LeavesEmptyInputsOut) {
  const Upgraded up(11, 13, R"(g (float[1,1,4,4] x) => (float[1,1,2,2] y)
      <float[0] none = {}, int64[4] n = {1, 1, 2, 2}> { y = Resize(x, none, none, n) })");
  EXPECT_EQ(up.node(0).input(1), "");
  EXPECT_EQ(up.node(0).input(2), "");
  EXPECT_EQ(up.node(0).input(3), "n");
}

TEST(UpgradeOpset, SoftmaxOverOneDimensionGetsItsAxis) {
  const Upgraded up(
      7, 13,
      R"(g (float[N,7] x, float[N,7,1,1] p, float[2,3,4] q) => (float[N,7] y, float[N,7,1,1] z, float[2,3,4] u) {
    y = Softmax(x) z = Softmax(p) u = LogSoftmax<axis = 2>(q) })");
  EXPECT_EQ(OpTypes(up.graph()), "Softmax Softmax LogSoftmax");
  EXPECT_EQ(IntAttribute(up.node(0), "axis", -9), 1);
  EXPECT_EQ(IntAttribute(up.node(1), "axis", -9), 1);
  EXPECT_EQ(IntAttribute(up.node(2), "axis", -9), 2);
}

TEST(UpgradeOpset, SoftmaxOverSeveralDimensionsIsFlattened) {
  const Upgraded up(7, 13, "g (float[2,3,4] x) => (float[2,3,4] y) { [soft] y = Softmax(x) }");
  EXPECT_EQ(OpTypes(up.graph()), "Flatten Softmax Shape Reshape");
  EXPECT_EQ(IntAttribute(up.node(0), "axis", -9), 1);
  EXPECT_EQ(IntAttribute(up.node(1), "axis", -9), 1);
  EXPECT_EQ(up.node(1).name(), "soft");
  EXPECT_EQ(up.node(1).input(0), up.node(0).output(0));
  EXPECT_EQ(up.node(3).input(0), up.node(1).output(0));
  EXPECT_EQ(up.node(3).input(1), up.node(2).output(0));
  EXPECT_EQ(up.node(3).output(0), "y");
  // An unknown rank cannot be told apart and goes the safe way.
  EXPECT_EQ(
      OpTypes(Upgraded(7, 13, "g (float[2] x) => (float[2] y) { a = custom.Foo(x) y = Softmax(a) }")
                  .graph()),
      "Foo Flatten Softmax Shape Reshape");
}

TEST(UpgradeOpset, ListsBecomeInputs) {
  const Upgraded up(7, 18,
                    R"(g (float[1,4,5] x) => (float[2,5] y, float[2,5] z, float[1] m, float[1] n) {
    s = Squeeze<axes = [0]>(x)
    y, z = Split<axis = 0, split = [2, 2]>(s)
    a = Unsqueeze<axes = [0, 3]>(s)
    m = ReduceMean<axes = [1, 2], keepdims = 0>(x)
    n = ReduceSum(x)
    t, i = TopK<k = 2>(s)
    k = Slice<starts = [0], ends = [1], axes = [1]>(s)
  })");
  EXPECT_EQ(up.Ints(up.node(0).input(1)), (Ints{0}));
  EXPECT_EQ(up.Ints(up.node(1).input(1)), (Ints{2, 2}));
  EXPECT_EQ(FindAttribute(up.node(1), "num_outputs"), nullptr);
  EXPECT_EQ(up.Ints(up.node(2).input(1)), (Ints{0, 3}));
  EXPECT_EQ(up.Ints(up.node(3).input(1)), (Ints{1, 2}));
  EXPECT_EQ(IntAttribute(up.node(3), "keepdims", 1), 0);
  EXPECT_EQ(up.node(4).input_size(), 1);
  EXPECT_EQ(up.Ints(up.node(5).input(1)), (Ints{2}));
  EXPECT_EQ(up.Ints(up.node(6).input(3)), (Ints{1}));
}

TEST(UpgradeOpset, FormsThatStillHoldStayUntilTheirOpset) {
  // Reductions take axes as an attribute up to 17.
  EXPECT_EQ(Upgraded(7, 13, "g (float[1,4] x) => (float[1] y) { y = ReduceMean<axes = [1]>(x) }")
                .node(0)
                .input_size(),
            1);
  const Upgraded split(11, 18, "g (float[4] x) => (float[2] y, float[2] z) { y, z = Split(x) }");
  EXPECT_EQ(IntAttribute(split.node(0), "num_outputs", 0), 2);
}

TEST(UpgradeOpset, DefaultsThatMovedAreSpelledOut) {
  const Upgraded roi(10, 16, R"(g (float[1,1,4,4] x, float[1,4] r) => (float[1,1,1,1] y)
      <int64[1] i = {0}> { y = RoiAlign(x, r, i) })");
  EXPECT_EQ(StringAttribute(roi.node(0), "coordinate_transformation_mode", ""),
            "output_half_pixel");
  const Upgraded grid(
      16, 20,
      "g (float[1,1,4,4] x, float[1,2,2,2] g2) => (float[1,1,2,2] y) { y = GridSample(x, g2) }");
  EXPECT_EQ(StringAttribute(grid.node(0), "mode", ""), "linear");
  const Upgraded dft(17, 20, "g (float[1,8,4,1] x) => (float[1,8,4,2] y) { y = DFT(x) }");
  EXPECT_EQ(dft.Ints(dft.node(0).input(2)), (Ints{1}));
  const Upgraded scatter(
      9, 13,
      R"(g (float[3] x) => (float[3] y) <int64[1] i = {0}, float[1] u = {1.0}> { y = Scatter(x, i, u) })");
  EXPECT_EQ(OpTypes(scatter.graph()), "ScatterElements");
}

TEST(UpgradeOpset, GroupNormalizationSpreadsItsScale) {
  const Upgraded up(18, 21, R"(g (float[1,6,2,2] x) => (float[1,6,2,2] y)
      <float[3] s = {1.0, 2.0, 3.0}, float[3] b = {0.0, 0.0, 0.0}> { y = GroupNormalization<num_groups = 3>(x, s, b) })");
  EXPECT_EQ(OpTypes(up.graph()), "Gather Gather GroupNormalization");
  EXPECT_EQ(up.Ints(up.node(0).input(1)), (Ints{0, 0, 1, 1, 2, 2}));
}

TEST(UpgradeOpset, BodiesAreConvertedWithTheirConstantsInside) {
  const Upgraded up(10, 13, R"(g (bool c, float[1,3] x) => (float[3] y) {
    y = If(c) <then_branch = t () => (float[3] p) { p = Squeeze<axes = [0]>(x) },
               else_branch = e () => (float[3] q) { k = Clip<min = 0.5>(x) q = Squeeze<axes = [0]>(k) }>
  })");
  EXPECT_EQ(OpTypes(up.graph()), "If");
  EXPECT_EQ(up.graph().initializer_size(), 0);
  EXPECT_EQ(OpTypes(up.node(0).attribute(0).g()), "Constant Squeeze");
  EXPECT_EQ(OpTypes(up.node(0).attribute(1).g()), "Constant Clip Constant Squeeze");
}

TEST(UpgradeOpset, ExperimentalOperatorsAreSaidInStandardOnes) {
  const Upgraded up(7, 13, R"(g (float[1,2,4,4] x) => (float[1,2,2,2] y) {
    [scale] a = ImageScaler<scale = 2.0, bias = [1.0, -1.0]>(x)
    b = Affine<alpha = 3.0, beta = 0.5>(a)
    y = Crop<border = [1, 2, 1, 0]>(b)
  })");
  EXPECT_EQ(OpTypes(up.graph()), "Mul Add Mul Add Slice");
  EXPECT_EQ(up.node(1).name(), "scale");
  EXPECT_EQ(up.node(1).output(0), "a");
  EXPECT_EQ(up.Floats(up.node(0).input(1)), (Floats{2}));
  EXPECT_EQ(up.Floats(up.node(1).input(1)), (Floats{1, -1}));
  EXPECT_EQ(up.Ints(up.node(4).input(1)), (Ints{2, 1}));
  EXPECT_EQ(up.Ints(up.node(4).input(2)), (Ints{std::numeric_limits<int64_t>::max(), -1}));
}

TEST(UpgradeOpset, WhatCannotBeSaidIsAnErrorAndLeavesTheModelAlone) {
  std::string node;
  EXPECT_EQ(CodeOf(7, 13, "g (float[2] x) => (float[2] y) { [odd] y = Foo(x) }", &node),
            ErrorCode::kUnsupportedOpset);
  EXPECT_EQ(node, "odd");
  EXPECT_EQ(CodeOf(10, 13, "g (float[2] x) => (float[2] y, bool[2] m) { y, m = Dropout(x) }"),
            ErrorCode::kUnsupportedOpset);
  EXPECT_EQ(CodeOf(7, 13, "g (float[2] x) => (float[2] y) { y = Clip<min = 0.0>() }"),
            ErrorCode::kUnsupportedOpset);
  // Unknown attributes would be refused by every runtime.
  EXPECT_EQ(CodeOf(7, 13, "g (float[2] x) => (float[2] y) { y = Relu<consumed = 1>(x) }"),
            ErrorCode::kUnsupportedOpset);

  TextModel text(
      R"(<ir_version: 4, opset_import: ["" : 7]> g (float[2] x) => (float[2] y) { a = Clip<min = 0.0>(x) y = Foo(a) })");
  Diagnostics diagnostics;
  EXPECT_THROW(UpgradeOpset(text.model, 13, diagnostics), Error);
  EXPECT_EQ(OpTypes(text.model.graph()), "Clip Foo");
  EXPECT_EQ(text.model.graph().initializer_size(), 0);
  EXPECT_EQ(text.model.Opset(), 7);
}

onnx::ModelProto ModelWithFunction(const std::string& function) {
  return ParseModelText(R"(<ir_version: 8, opset_import: ["" : 9, "local" : 1]>
      g (float[2,3] x) => (float[2,3] y) { y = local.Layer<high = 2.0>(x) }
      <domain: "local", opset_import: ["" : 9]> )" +
                        function);
}

TEST(UpgradeOpset, TheModelsOwnFunctionsAreRaisedFromTheirOwnOpsets) {
  TextModel text(
      ModelWithFunction("Layer (a) => (r) { c = Clip<min = -1.0, max = 1.0>(a) r = Relu(c) }"));
  Diagnostics diagnostics;
  UpgradeOpset(text.model, 13, diagnostics);
  const onnx::FunctionProto& function = text.model.proto().functions(0);
  EXPECT_EQ(function.opset_import(0).version(), 13);
  std::string op_types;
  for (const onnx::NodeProto& node : function.node()) op_types += node.op_type() + " ";
  EXPECT_EQ(op_types, "Constant Constant Clip Relu ");
  EXPECT_EQ(function.node(2).input_size(), 3);
  EXPECT_EQ(function.node(2).attribute_size(), 0);
  EXPECT_EQ(text.model.graph().initializer_size(), 0);
}

TEST(UpgradeOpset, AnAttributeOfTheCallCannotBecomeAnInput) {
  TextModel text(ModelWithFunction("Layer <high> (a) => (r) { r = Clip<max : float = @high>(a) }"));
  Diagnostics diagnostics;
  try {
    UpgradeOpset(text.model, 13, diagnostics);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupportedOpset);
    EXPECT_NE(error.message().str().find("\"max\" from the call"), std::string::npos);
  }
  EXPECT_EQ(text.model.Opset(), 9);
  EXPECT_EQ(text.model.proto().functions(0).opset_import(0).version(), 9);
}

TEST(UpgradeOpset, IntegersThatTheNewerFormDoesNotTakeAreAnError) {
  TextModel text(R"(<ir_version: 7, opset_import: ["" : 12]>
      g (int32[2] x) => (int32[2] y) { y = Erf(x) })");
  Diagnostics diagnostics;
  EXPECT_THROW(UpgradeOpset(text.model, 13, diagnostics), Error);
  TextModel floats(R"(<ir_version: 7, opset_import: ["" : 12]>
      g (float[2] x) => (float[2] y) { y = Erf(x) })");
  UpgradeOpset(floats.model, 13, diagnostics);
  EXPECT_EQ(OpTypes(floats.model.graph()), "Erf");
}

TEST(CheckTargetOpset, NamesWhatIsWrong) {
  const TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[2] x) => (float[2] y) { y = Relu(x) })");
  const auto code_of = [&](int64_t target) {
    try {
      CheckTargetOpset(target, text.model);
    } catch (const Error& error) {
      EXPECT_NE(error.message().str().find(std::to_string(target)), std::string::npos);
      return error.code();
    }
    return ErrorCode::kInternal;  // accepted
  };
  EXPECT_EQ(code_of(6), ErrorCode::kInvalidOption);
  EXPECT_EQ(code_of(9999), ErrorCode::kInvalidOption);
  EXPECT_EQ(code_of(11), ErrorCode::kUnsupportedOption);
  EXPECT_EQ(code_of(13), ErrorCode::kInternal);
  EXPECT_EQ(code_of(21), ErrorCode::kInternal);
}

TEST(UpgradeOpset, OtherDomainsAreUntouched) {
  const Upgraded up(7, 13, "g (float[2] x) => (float[2] y) { y = custom.Clip<min = 0.0>(x) }");
  EXPECT_EQ(up.node(0).input_size(), 1);
  EXPECT_NE(FindAttribute(up.node(0), "min"), nullptr);
}

}  // namespace
}  // namespace ptq
