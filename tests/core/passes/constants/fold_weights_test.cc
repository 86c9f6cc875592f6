// FoldConstants on weights: whatever they are stored as and computed by, of any size, and never
// twice.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/float16.h"
#include "model/tensor_builder.h"
#include "passes/pass_registry.h"
#include "testing/model_text.h"

namespace ptq {
namespace {

using Dims = std::vector<int64_t>;
using onnx::TensorProto;

constexpr char kHead[] = R"(<ir_version: 8, opset_import: ["" : 17]> )";

struct Weights {
  explicit Weights(const std::string& graph) : text(std::string(kHead) + graph) {}

  onnx::GraphProto& graph() { return text.model.graph(); }
  int Fold() {
    Diagnostics diagnostics;
    PassContext context{text.model, diagnostics};
    return FoldConstants(context);
  }
  std::vector<float> Values(const std::string& name) {
    return text.model.tensors().ReadFloats(InitializerOf(graph(), name));
  }
  // Elements of all initializers that a node reads.
  uint64_t Elements() {
    const GraphView view(graph());
    uint64_t sum = 0;
    for (const TensorProto& tensor : graph().initializer()) {
      if (!view.Uses(tensor.name()).empty()) sum += ElementCount(tensor);
    }
    return sum;
  }

  TextModel text;
};

// Adds `values` in a type, as raw bytes: in the scratch file from 1 KiB on.
void AddAs(Model* model, int32_t type, const std::string& name, const Dims& dims,
           const std::vector<float>& values) {
  std::vector<uint8_t> bytes;
  const auto append = [&](const auto& value) {
    const auto* raw = reinterpret_cast<const uint8_t*>(&value);
    bytes.insert(bytes.end(), raw, raw + sizeof(value));
  };
  for (const float value : values) {
    if (type == TensorProto::DOUBLE) {
      append(static_cast<double>(value));
    } else if (type == TensorProto::FLOAT) {
      append(value);
    } else {
      append(type == TensorProto::FLOAT16 ? FloatToHalf(value) : FloatToBFloat16(value));
    }
  }
  TensorProto tensor = EmptyTensor(name, type, dims);
  model->tensors().SetBytes(&tensor, bytes);
  *model->graph().add_initializer() = tensor;
}

TEST(FoldWeights, CastsBetweenAllFloatTypes) {
  const std::vector<float> values = {1.0f, -0.5f, 3.140625f,
                                     65504.0f};  // exact in all but bfloat16
  for (const int32_t from : {TensorProto::FLOAT, TensorProto::DOUBLE, TensorProto::FLOAT16}) {
    for (const int32_t to :
         {TensorProto::FLOAT, TensorProto::DOUBLE, TensorProto::FLOAT16, TensorProto::BFLOAT16}) {
      Weights test("g () => (float[1] y) { r = Cast<to = " + std::to_string(to) +
                   ">(w) y = Foo(r) }");
      AddAs(&test.text.model, from, "w", {4}, values);
      ASSERT_EQ(test.Fold(), 1) << from << " to " << to;
      EXPECT_EQ(InitializerOf(test.graph(), "r").data_type(), to);
      std::vector<float> expected = values;
      if (to == TensorProto::BFLOAT16) expected = {1.0f, -0.5f, 3.140625f, 65536.0f};
      EXPECT_EQ(test.Values("r"), expected) << from << " to " << to;
    }
  }
  Weights from_bfloat16("g () => (float[1] y) { r = Cast<to = 1>(w) y = Foo(r) }");
  AddAs(&from_bfloat16.text.model, TensorProto::BFLOAT16, "w", {2}, {-1.5f, 256.0f});
  ASSERT_EQ(from_bfloat16.Fold(), 1);
  EXPECT_EQ(from_bfloat16.Values("r"), (std::vector<float>{-1.5f, 256.0f}));
}

TEST(FoldWeights, WeightNormalizationIsEvaluated) {
  // torch.nn.utils.weight_norm: w = g * v / |v| over all but the first axis.
  Weights test(R"(g (float[1,2] x) => (float[1,2] y)
      <float[2,2] v = {3.0, 4.0, 0.0, 2.0}, float[2,1] g = {10.0, 1.0}> {
    n = ReduceL2<axes = [1], keepdims = 1>(v)
    q = Div(v, n)
    w = Mul(q, g)
    y = Gemm<transB = 1>(x, w)
  })");
  EXPECT_EQ(test.Fold(), 3);
  EXPECT_EQ(test.Values("w"), (std::vector<float>{6, 8, 0, 1}));
  // The same by squares, as other exporters write it, and with the floor of F.normalize.
  Weights squares(R"(g (float[1,2] x) => (float[1,2] y)
      <float[2,2] v = {3.0, 4.0, 0.0, 2.0}, float two = {2.0}, float half = {0.5},
       float least = {0.000001}, int64[2] shape = {2, 2}, int64[1] axis = {1}> {
    p = Pow(v, two)
    s = ReduceSum<keepdims = 1>(p, axis)
    n = Pow(s, half)
    c = Clip(n, least)
    e = Expand(c, shape)
    w = Div(v, e)
    y = Gemm<transB = 1>(x, w)
  })");
  EXPECT_EQ(squares.Fold(), 6);
  EXPECT_EQ(squares.Values("w"), (std::vector<float>{0.6f, 0.8f, 0, 1}));
}

TEST(FoldWeights, LargeOnesGoFromFileToFileInBlocks) {
  constexpr int64_t kRows = 2000;
  constexpr int64_t kColumns = 700;  // 5.6 MB as float, more than a block
  Weights test(R"(g (float[1,2000] x) => (float[1,700] y) <float[700,1] scale> {
    t = Transpose<perm = [1, 0]>(w)
    c = Cast<to = 1>(t)
    m = Mul(c, scale)
    n = ReduceL2<axes = [1], keepdims = 1>(m)
    d = Div(m, n)
    y = MatMul(x, d)
  })");
  const std::vector<float> values = SomeFloats(kRows * kColumns);
  const std::vector<float> scale = SomeFloats(kColumns, 2);
  AddAs(&test.text.model, TensorProto::DOUBLE, "w", {kRows, kColumns}, values);
  AddAs(&test.text.model, TensorProto::FLOAT, "scale", {kColumns, 1}, scale);
  test.text.files.ResetCounters();
  EXPECT_EQ(test.Fold(), 5);
  EXPECT_LE(test.text.files.largest_read(), 4u << 20);
  EXPECT_LE(test.text.files.largest_append(), 4u << 20);
  const std::vector<float> result = test.Values("d");
  ASSERT_EQ(result.size(), values.size());
  for (int64_t column = 0; column < kColumns; column += 131) {
    double sum = 0;
    for (int64_t row = 0; row < kRows; ++row) {
      const double scaled = values[row * kColumns + column] * scale[column];
      sum += scaled * scaled;
    }
    for (int64_t row = 0; row < kRows; row += 67) {
      const double expected = values[row * kColumns + column] * scale[column] / std::sqrt(sum);
      ASSERT_NEAR(result[column * kRows + row], expected, 1e-6);
    }
  }
}

TEST(FoldWeights, BlocksGiveWhatOnePieceGives) {
  // A permutation of four axes of which no run is whole, above and below the size of a block.
  const Dims dims = {5, 64, 7, 600};
  Weights test(R"(g () => (float[1] y) { r = Transpose<perm = [3, 1, 0, 2]>(w) y = Foo(r) })");
  const std::vector<float> values = SomeFloats(5 * 64 * 7 * 600);  // 5.4 MB
  AddAs(&test.text.model, TensorProto::FLOAT, "w", dims, values);
  ASSERT_EQ(test.Fold(), 1);
  const std::vector<float> result = test.Values("r");
  size_t at = 0;
  for (int64_t d = 0; d < 600; ++d) {
    for (int64_t b = 0; b < 64; ++b) {
      for (int64_t a = 0; a < 5; ++a) {
        for (int64_t c = 0; c < 7; ++c, ++at) {
          ASSERT_EQ(result[at], values[((a * 64 + b) * 7 + c) * 600 + d]) << at;
        }
      }
    }
  }
}

TEST(FoldWeights, ATiedTableStaysOne) {
  Weights test(R"(g (int64[4] ids, float[1,32] x) => (float[4,32] e, float[1,400] y) {
    e = Gather(table, ids)
    t = Transpose<perm = [1, 0]>(table)
    y = MatMul(x, t)
  })");
  AddRawFloats(&test.graph(), "table", {400, 32}, SomeFloats(400 * 32));
  EXPECT_EQ(test.Fold(), 0);
  EXPECT_EQ(OpTypes(test.graph()), "Gather Transpose MatMul");
  // Nor by way of a Reshape or Cast before it.
  Weights chain(R"(g (int64[4] ids, float[1,32] x) => (float[4,32] e, float[1,400] y)
      <int64[2] shape = {32, 400}> {
    e = Gather(table, ids)
    f = Flatten<axis = 0>(table)
    t = Reshape(f, shape)
    y = MatMul(x, t)
  })");
  AddRawFloats(&chain.graph(), "table", {400, 32}, SomeFloats(400 * 32));
  EXPECT_EQ(chain.Fold(), 0);
}

TEST(FoldWeights, WhatSeveralLayersDoAlikeIsDoneOnce) {
  Weights test(R"(g (float[1,32] x) => (float[1,32] y, float[1,32] z, float[1,32] u) {
    t = Transpose<perm = [1, 0]>(w) y = MatMul(x, t)
    s = Transpose<perm = [1, 0]>(w) z = MatMul(y, s)
    r = Transpose<perm = [1, 0]>(w) u = MatMul(z, r)
  })");
  AddRawFloats(&test.graph(), "w", {32, 32}, SomeFloats(32 * 32));
  EXPECT_EQ(test.Fold(), 3);
  EXPECT_EQ(OpTypes(test.graph()), "MatMul MatMul MatMul");
  for (const onnx::NodeProto& node : test.graph().node()) EXPECT_EQ(node.input(1), "t");
  EXPECT_EQ(test.Elements(), 32u * 32);
}

TEST(FoldWeights, SeveralOfOneDoNotGrow) {
  // Two movements of one weight would be two weights.
  const std::vector<float> values = SomeFloats(32 * 32);
  Weights two(R"(g (float[1,32] x) => (float[1,32] y, float[1,16] z)
      <int64[2] shape = {64, 16}> {
    t = Transpose<perm = [1, 0]>(w) y = MatMul(x, t)
    s = Reshape(w, shape) z = Foo(y, s)
  })");
  AddRawFloats(&two.graph(), "w", {32, 32}, values);
  EXPECT_EQ(two.Fold(), 0);
  EXPECT_EQ(two.Elements(), 32u * 32 + 2);
  // The parts of one weight are no more than it.
  Weights parts(R"(g (float[1,32] x) => (float[1,32] y, float[1,32] z)
      <int64[1] zero = {0}, int64[1] half = {16}, int64[1] end = {32}> {
    a = Slice(w, zero, half) y = Foo(x, a)
    b = Slice(w, half, end) z = Foo(y, b)
  })");
  AddRawFloats(&parts.graph(), "w", {32, 32}, values);
  EXPECT_EQ(parts.Fold(), 2);
  EXPECT_EQ(parts.Elements(), 32u * 32);
  // A part of one that is read whole elsewhere would be beside it.
  Weights beside(R"(g (float[1,32] x) => (float[1,32] y, float[1,32] z)
      <int64[1] zero = {0}, int64[1] half = {16}> {
    a = Slice(w, zero, half) y = Foo(x, a)
    z = Foo(y, w)
  })");
  AddRawFloats(&beside.graph(), "w", {32, 32}, values);
  EXPECT_EQ(beside.Fold(), 0);
}

TEST(FoldWeights, LargeResultsOfNothingStay) {
  // Between 64 KiB and the size of the largest weight: only as a step on the way.
  const std::string graph = R"(g (float[1,300] x) => (float[1,300] y)
      <int64[2] shape = {300, 300}, float[300] bias> {
    z = ConstantOfShape(shape)
    )";
  Weights stays(graph + "y = Foo(x, z, w, bias) }");
  AddRawFloats(&stays.graph(), "w", {300, 300}, SomeFloats(90000));
  AddRawFloats(&stays.graph(), "bias", {300}, SomeFloats(300));
  EXPECT_EQ(stays.Fold(), 0);
  Weights step(graph + "s = Add(w, z) y = Foo(x, s, bias) }");
  AddRawFloats(&step.graph(), "w", {300, 300}, SomeFloats(90000));
  AddRawFloats(&step.graph(), "bias", {300}, SomeFloats(300));
  EXPECT_EQ(step.Fold(), 2);
  EXPECT_EQ(step.Values("s"), SomeFloats(90000));
}

}  // namespace
}  // namespace ptq
