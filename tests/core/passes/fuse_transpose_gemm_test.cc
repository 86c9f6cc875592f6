#include <gtest/gtest.h>

#include "model/attributes.h"
#include "passes/pass_test.h"

namespace ptq {
namespace fuse_transpose_gemm_test {

struct Fused {
  explicit Fused(const std::string& graph, const std::string& head = kHead13) : test(graph, head) {
    changes = FuseTransposeGemm(test.context);
    wiring = Wiring(test.graph());
  }
  // "transA transB" of the first Gemm.
  std::string Transposes() {
    for (const onnx::NodeProto& node : test.graph().node()) {
      if (node.op_type() != "Gemm") continue;
      return std::to_string(IntAttribute(node, "transA", 0)) + " " +
             std::to_string(IntAttribute(node, "transB", 0));
    }
    return "";
  }
  PassTest test;
  int changes = 0;
  std::string wiring;
};

TEST(FuseTransposeGemm, BothOperandsOfAGemm) {
  Fused fused(R"(g (float[3,N] x, float[2,3] v) => (float y) {
    a = Transpose(x) b = Transpose<perm = [1, 0]>(v) y = Gemm<alpha = 0.5>(a, b) })");
  EXPECT_EQ(fused.changes, 1);
  EXPECT_EQ(fused.wiring, "Gemm(x,v)->y");
  EXPECT_EQ(fused.Transposes(), "1 1");
  EXPECT_EQ(FloatAttribute(fused.test.graph().node(0), "alpha", 1), 0.5f);
}

TEST(FuseTransposeGemm, TwoTransposesCancel) {
  Fused fused(R"(g (float[3,N] x) => (float y) <float[3,2] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}> {
    t = Transpose<perm = [1, 0]>(w) a = Transpose<perm = [1, 0]>(x)
    y = Gemm<transA = 1, transB = 1>(a, t) })");
  EXPECT_EQ(fused.wiring, "Gemm(x,w)->y");
  EXPECT_EQ(fused.Transposes(), "0 0");
}

TEST(FuseTransposeGemm, ATableThatIsReadElsewhereStaysOne) {
  const std::string table = R"(<float[2,3] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}> {
    e = Gather(w, i) t = Transpose<perm = [1, 0]>(w) y = MatMul(x, t) })";
  Fused matrix("g (float[N,3] x, int64[M] i) => (float y, float e) " + table);
  EXPECT_EQ(matrix.changes, 1);
  EXPECT_EQ(matrix.wiring, "Gather(w,i)->e; Gemm(x,w)->y");
  EXPECT_EQ(matrix.Transposes(), "0 1");
  Fused rows("g (float[N,4,3] x, int64[M] i) => (float y, float e) " + table);
  EXPECT_EQ(rows.wiring,
            "Gather(w,i)->e; Reshape(x,x_matrix_shape)->x_matrix; Gemm(x_matrix,w)->y_matrix; "
            "Reshape(y_matrix,y_shape)->y");
  EXPECT_EQ(rows.test.text.model.tensors().ReadInts(InitializerOf(rows.test.graph(), "y_shape")),
            (std::vector<int64_t>{-1, 4, 2}));
  EXPECT_EQ(Fused("g (float[N,M,3] x, int64[M] i) => (float y, float e) " + table).changes, 0);
  Fused old("g (float[N,3] x, int64[M] i) => (float y, float e) " + table,
            R"(<ir_version: 5, opset_import: ["" : 10]> )");
  EXPECT_EQ(old.changes, 0);  // a Gemm needs a bias there
}

TEST(FuseTransposeGemm, TheDataOfAMatMulOfAWeight) {
  Fused fused(R"(g (float[3,N] x) => (float y, float z) <float[3,1] w = {1.0, 2.0, 3.0}> {
    t = Transpose(x) [p] y = MatMul(t, w) z = Gemm(t, w) })");
  EXPECT_EQ(fused.changes, 2);
  EXPECT_EQ(fused.wiring, "Gemm(x,w)->y; Gemm(x,w)->z");
  EXPECT_EQ(fused.Transposes(), "1 0");
  EXPECT_EQ(fused.test.graph().node(0).name(), "p");
}

TEST(FuseTransposeGemm, StaysWhereItIsReadByOthersOrNoMatrix) {
  const auto stays = [](const std::string& graph) {
    PassTest test("g (" + graph + " }");
    const std::string before = Wiring(test.graph());
    EXPECT_EQ(FuseTransposeGemm(test.context), 0) << graph;
    EXPECT_EQ(Wiring(test.graph()), before);
  };
  const std::string gemm = "t = Transpose(x) y = Gemm(t, v)";
  stays("float[3,N] x, float[3,2] v) => (float y, float z) { " + gemm + " z = Relu(t)");
  stays("float[3,N] x, float[3,2] v) => (float y, float t) { " + gemm);
  stays("float[3,N] x, float[3,2] v, bool c) => (float y, float z) { " + gemm +
        " z = If(c) <then_branch = a () => (float u) { u = Relu(t) },"
        " else_branch = e () => (float v) { v = Neg(t) }>");
  stays("float[3,N] a, float[3,2] v) => (float y) { x = Foo(a) " + gemm);  // unknown rank
  stays(
      "float[2,N] x) => (float y) <float[2,3] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}> {"
      " t = Transpose<perm = [0, 1]>(x) y = Gemm(t, w)");
  stays(
      "float[N,2,3] x) => (float y) <float[2,3] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}> {"
      " t = Transpose<perm = [0, 2, 1]>(x) y = MatMul(t, w)");
  // A product of two activations keeps its Transpose; so does one whose weight a caller may
  // replace.
  stays("float[N,3] x, float[2,3] v) => (float y) { t = Transpose(v) y = MatMul(x, t)");
  stays(
      "float[3,N] x, float[3,2] w) => (float y) <float[3,2] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}> {"
      " t = Transpose(x) y = MatMul(t, w)");
}

}  // namespace fuse_transpose_gemm_test
}  // namespace ptq
