#include "passes/fix_dims.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "passes/infer_shapes.h"
#include "passes/shape_text.h"
#include "testing/model_text.h"

namespace ptq {
namespace {

constexpr char kModel[] = R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[N,3,H,H] x, float z) => (float[N,3,H,H] y, float[M] w) <float[N] kept> {
      y = Relu(x)
      w = NonZero(z)
    })";

TEST(FixDims, NamesBecomeSizesWhereverTheyStand) {
  TextModel text(kModel);
  FixDims({{"N", 1}, {"H", 8}}, &text.model.graph());
  EXPECT_EQ(ShapeOf(text.model, "x"), "1,3,8,8");
  EXPECT_EQ(ShapeOf(text.model, "y"), "1,3,8,8");
  EXPECT_EQ(ShapeOf(text.model, "kept"), "1");
}

TEST(FixDims, OthersStayFree) {
  TextModel text(kModel);
  FixDims({{"N", 2}}, &text.model.graph());
  const auto& shape = text.model.graph().input(0).type().tensor_type().shape();
  EXPECT_EQ(shape.dim(0).dim_value(), 2);
  EXPECT_EQ(shape.dim(2).dim_param(), "H");
  EXPECT_EQ(text.model.graph().output(1).type().tensor_type().shape().dim(0).dim_param(), "M");
}

TEST(FixDims, AnUnknownNameOrSizeIsRefused) {
  const TextModel text(kModel);
  const auto hint_of = [&](const std::map<std::string, int64_t>& dims) {
    try {
      CheckFixDims(dims, text.model.graph());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidOption);
      return (error.message() + "; " + error.hint()).str();
    }
    return std::string("accepted");
  };
  EXPECT_EQ(hint_of({{"N", 1}, {"H", 8}}), "accepted");
  EXPECT_NE(hint_of({{"batch", 1}}).find("it has: H, N"), std::string::npos);
  EXPECT_NE(hint_of({{"M", 1}}).find("no input"), std::string::npos);
  EXPECT_NE(hint_of({{"N", 0}}).find("at least 1"), std::string::npos);
}

}  // namespace
}  // namespace ptq
