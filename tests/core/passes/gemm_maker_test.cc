#include "passes/gemm_maker.h"

#include <gtest/gtest.h>

#include "passes/pass_test.h"

namespace ptq {
namespace {

// What stands for a MatMul of `data`, in short, with the shapes of the Reshapes.
std::string Made(const std::string& shape, const GemmParts& parts) {
  PassTest test(
      "g (float[" + shape +
      "] x) => (float y) <float[3,2] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}> { [n] y = MatMul(x, w) }");
  const GraphView view(test.graph());
  StaticShapes shapes(test.context);
  UniqueNames names(test.graph());
  GemmMaker maker(view, &shapes, &names);
  const auto nodes = maker.Make(test.graph().node(0), parts);
  if (!nodes) return "";
  onnx::GraphProto made;
  for (const onnx::NodeProto& node : *nodes) *made.add_node() = node;
  maker.AddConstants(&made);
  std::string text = Wiring(made);
  for (const onnx::TensorProto& tensor : made.initializer()) {
    text += " " + tensor.name() + " =";
    for (const int64_t value : test.text.model.tensors().ReadInts(tensor))
      text += " " + std::to_string(value);
  }
  return text;
}

TEST(GemmMaker, AMatrixNeedsNoReshape) {
  EXPECT_EQ(Made("N,3", {"x", "w", "b", "y"}), "Gemm(x,w,b)->y");
  EXPECT_EQ(Made("N,M", {"x", "w", "", "y", true}), "Gemm(x,w)->y");
}

TEST(GemmMaker, OtherRanksAreReshapedThereAndBack) {
  EXPECT_EQ(Made("4,N,5,3", {"x", "w", "", "y"}),
            "Reshape(x,x_matrix_shape)->x_matrix; Gemm(x_matrix,w)->y_matrix; "
            "Reshape(y_matrix,y_shape)->y x_matrix_shape = -1 3 y_shape = 4 -1 5 2");
  EXPECT_EQ(Made("4,5,2", {"x", "w", "", "y", false, true}),
            "Reshape(x,x_matrix_shape)->x_matrix; Gemm(x_matrix,w)->y_matrix; "
            "Reshape(y_matrix,y_shape)->y x_matrix_shape = -1 2 y_shape = 4 5 3");
  EXPECT_EQ(Made("3", {"x", "w", "", "y"}),
            "Reshape(x,x_matrix_shape)->x_matrix; Gemm(x_matrix,w)->y_matrix; "
            "Reshape(y_matrix,y_shape)->y x_matrix_shape = -1 3 y_shape = 2");
}

TEST(GemmMaker, NothingWhereOneShapeCannotSayIt) {
  EXPECT_EQ(Made("N,M,3", {"x", "w", "", "y"}), "");
  EXPECT_EQ(Made("N,0,3", {"x", "w", "", "y"}), "");
  EXPECT_EQ(Made("4,5,3", {"x", "w", "", "y", true}), "");
  EXPECT_EQ(Made("4,3", {"unknown", "w", "", "y"}), "");
}

}  // namespace
}  // namespace ptq
