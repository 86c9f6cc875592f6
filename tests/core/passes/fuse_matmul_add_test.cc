#include <gtest/gtest.h>

#include "model/tensor_builder.h"
#include "passes/fold_channels.h"
#include "passes/pass_test.h"

namespace ptq {
namespace fuse_matmul_add_test {

std::string Fused(const std::string& graph) {
  PassTest test(graph);
  FuseMatMulAdd(test.context);
  return Wiring(test.graph());
}

TEST(FuseMatMulAdd, BecomesOneGemmOfItsName) {
  PassTest test(R"(g (float[N,3] x) => (float[N,2] y)
      <float[3,2] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}, float[2] b = {0.5, 0.25}> {
    [product] m = MatMul(x, w)
    [bias] y = Add(b, m)
  })");
  EXPECT_EQ(FuseMatMulAdd(test.context), 1);
  EXPECT_EQ(Wiring(test.graph()), "Gemm(x,w,b)->y");
  EXPECT_EQ(NodeNames(test.graph()), "product");
  EXPECT_EQ(InitializerNames(test.graph()), "w,b");
  EXPECT_EQ(FuseMatMulAdd(test.context), 0);
}

TEST(FuseMatMulAdd, ABiasOfAnotherFormBecomesARow) {
  Channels one(R"(g (float[4,3] x) => (float[4,2] y)
      <float[3,2] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}, float b = {0.5}> { m = MatMul(x, w) y = Add(m, b) })");
  EXPECT_EQ(one.Run(FuseMatMulAdd), 1);
  EXPECT_EQ(one.graph().node(0).input(2), "b_row");
  EXPECT_EQ(one.Input(0, 2), (std::vector<float>{0.5f, 0.5f}));
  Channels row(R"(g (float[4,3] x) => (float[4,2] y)
      <float[3,2] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}, float[1,2] b = {0.5, 0.25}> { m = MatMul(x, w) y = Add(m, b) })");
  EXPECT_EQ(row.Run(FuseMatMulAdd), 1);
  EXPECT_EQ(row.Input(0, 2), (std::vector<float>{0.5f, 0.25f}));
  EXPECT_EQ(InitializerOf(row.graph(), "b_row").dims_size(), 1);
}

TEST(FuseMatMulAdd, BehindAReshapeThatMakesAMatrix) {
  EXPECT_EQ(Fused(R"(g (float[N,M,K] x) => (float y)
      <float[3,1] w = {1.0, 2.0, 3.0}, float[1] b = {0.5}, int64[2] s = {-1, 3}> {
    r = Reshape(x, s) m = MatMul(r, w) y = Add(m, b) })"),
            "Reshape(x,s)->r; Gemm(r,w,b)->y");
}

TEST(FuseMatMulAdd, ReshapesAreAroundWhatIsNoMatrix) {
  PassTest test(R"(g (float[N,5,3] x) => (float[N,5,1] y, float[N,5,2] z)
      <float[3,1] w = {1.0, 2.0, 3.0}, float[1] b = {0.5},
       float[3,2] v = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}, float[1,1,2] c = {0.5, 0.25}> {
    [one] m = MatMul(x, w) y = Add(m, b)
    [two] n = MatMul(x, v) z = Add(n, c)
  })");
  EXPECT_EQ(FuseMatMulAdd(test.context), 2);
  EXPECT_EQ(Wiring(test.graph()),
            "Reshape(x,x_matrix_shape)->x_matrix; Gemm(x_matrix,w,b)->y_matrix; "
            "Reshape(y_matrix,y_shape)->y; Gemm(x_matrix,v,c_row)->z_matrix; "
            "Reshape(z_matrix,z_shape)->z");
  EXPECT_EQ(NodeNames(test.graph()), "one_reshape_in one one_reshape_out two two_reshape_out");
  const auto ints = [&](const char* name) {
    return test.text.model.tensors().ReadInts(InitializerOf(test.graph(), name));
  };
  EXPECT_EQ(ints("x_matrix_shape"), (std::vector<int64_t>{-1, 3}));
  EXPECT_EQ(ints("y_shape"), (std::vector<int64_t>{-1, 5, 1}));
  EXPECT_EQ(ints("z_shape"), (std::vector<int64_t>{-1, 5, 2}));
  EXPECT_EQ(Fused(R"(g (float[3] x) => (float[1] y)
      <float[3,1] w = {1.0, 2.0, 3.0}, float[1] b = {0.5}> { m = MatMul(x, w) y = Add(m, b) })"),
            "Reshape(x,x_matrix_shape)->x_matrix; Gemm(x_matrix,w,b)->y_matrix; "
            "Reshape(y_matrix,y_shape)->y");
}

TEST(FuseMatMulAdd, StaysWhereTheResultWouldDiffer) {
  const auto stays = [](const std::string& graph) {
    PassTest test("g (" + graph + " }");
    const std::string before = Wiring(test.graph());
    EXPECT_EQ(FuseMatMulAdd(test.context), 0) << graph;
    EXPECT_EQ(Wiring(test.graph()), before);
  };
  const std::string nodes = "> { m = MatMul(x, w) y = Add(m, b)";
  const std::string w = "<float[3,2] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}, ";
  const std::string wb = w + "float[2] b = {0.5, 0.25}";
  // Unknown rank; two unknown dimensions; none at all.
  stays("float[N,3] a) => (float[N,2] y) " + wb + "> { x = Foo(a) m = MatMul(x, w) y = Add(m, b)");
  stays("float[N,M,3] x) => (float[N,M,2] y) " + wb + nodes);
  stays("float[0,5,3] x) => (float[0,5,2] y) " + wb + nodes);
  // Read by others: another node, the graph's caller, a body.
  stays("float[N,3] x) => (float[N,2] y, float[N,2] z) " + wb + nodes + " z = Relu(m)");
  stays("float[N,3] x) => (float[N,2] y, float[N,2] m) " + wb + nodes);
  stays("float[N,3] x, bool c) => (float[N,2] y, float[N,2] z) " + wb + nodes +
        " z = If(c) <then_branch = t () => (float[N,2] u) { u = Relu(m) },"
        " else_branch = e () => (float[N,2] v) { v = Neg(m) }>");
  // Not constant: computed, or replaced by the caller.
  stays("float[N,3] x, float[2] b) => (float[N,2] y) " + w + "float q = {1.0}" + nodes);
  stays("float[N,3] x, float[3,2] w) => (float[N,2] y) <float[2] b = {0.5, 0.25}" + nodes);
  stays("float[N,3] x, float[3,2] w) => (float[N,2] y) " + wb + nodes);
  stays("float[N,3] x, float[2] b) => (float[N,2] y) " + wb + nodes);
  // A bias along another axis, of all elements, of more axes, of another width.
  stays("float[2,3] x) => (float[2,2] y) " + w + "float[2,1] b = {0.5, 0.25}" + nodes);
  stays("float[2,3] x) => (float[2,2] y) " + w + "float[2,2] b = {0.5, 0.25, 0.5, 0.25}" + nodes);
  stays("float[2,3] x) => (float[1,2,2] y) " + w + "float[1,1,2] b = {0.5, 0.25}" + nodes);
  stays(
      "float[2,3] x) => (float[2,2] y) <float[3,1] w = {1.0, 2.0, 3.0}, float[2] b = {0.5, 0.25}" +
      nodes);
  // Products of batches, of other types, and sums of the product with itself.
  stays(
      "float[1,2,3] x) => (float[1,2,2] y) <float[1,3,2] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}, "
      "float[2] b = {0.5, 0.25}" +
      nodes);
  stays(
      "double[N,3] x) => (double[N,2] y) <double[3,2] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}, "
      "double[2] b = {0.5, 0.25}" +
      nodes);
  stays("float[N,3] x) => (float[N,2] y) " + wb + "> { m = MatMul(x, w) y = Add(m, m)");
}

TEST(FuseMatMulAdd, StaysWhereGemmHasAnotherForm) {
  PassTest old(
      "g (float[N,1] x) => (float[N,1] y) <float[1,1] w = {1.0}, float[1] b = {0.5}> {"
      " m = MatMul(x, w) y = Add(m, b) }",
      R"(<ir_version: 3, opset_import: ["" : 6]> )");
  EXPECT_EQ(FuseMatMulAdd(old.context), 0);
}

TEST(FuseMatMulAdd, SharedWeightsAndBiasesStayShared) {
  EXPECT_EQ(Fused(R"(g (float[N,1] x) => (float[N,1] z)
      <float[1,1] w = {1.0}, float[1] b = {0.5}> {
    m = MatMul(x, w) y = Add(m, b) n = MatMul(y, w) z = Add(n, b) })"),
            "Gemm(x,w,b)->y; Gemm(y,w,b)->z");
}

TEST(FuseMatMulAdd, HalfPrecision) {
  Channels test("g (float16[N,1] x) => (float16[N,2] y) { m = MatMul(x, w) y = Add(m, b) }");
  const auto add = [&](const char* name, std::vector<int64_t> dims, std::vector<float> values) {
    *test.graph().add_initializer() = HalfTensor(name, onnx::TensorProto::FLOAT16, dims, values);
  };
  add("w", {1, 2}, {1, 2});
  add("b", {}, {0.5f});
  EXPECT_EQ(test.Run(FuseMatMulAdd), 1);
  EXPECT_EQ(Wiring(test.graph()), "Gemm(x,w,b_row)->y");
  EXPECT_EQ(InitializerOf(test.graph(), "b_row").data_type(), onnx::TensorProto::FLOAT16);
}

}  // namespace fuse_matmul_add_test
}  // namespace ptq
