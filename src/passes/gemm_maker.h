// A Gemm in place of a MatMul with a matrix on the right.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/graph_view.h"
#include "model/model.h"
#include "passes/static_shapes.h"

namespace ptq {

// The first opset whose Gemm takes one bias for all rows without an attribute, and the first
// whose bias may be absent.
inline constexpr int64_t kOpsetOfGemm = 7;
inline constexpr int64_t kOpsetOfGemmWithoutBias = 11;

// What the Gemm is made of; `bias` and transposes as its own.
struct GemmParts {
  std::string data;    // of the shape that the MatMul's data has, or a matrix to be transposed
  std::string weight;  // a constant matrix
  std::string bias;    // "": none
  std::string output;
  bool transpose_data = false;
  bool transpose_weight = false;
};

class GemmMaker {
 public:
  // All are kept, not owned.
  GemmMaker(const GraphView& view, StaticShapes* shapes, UniqueNames* names)
      : view_(view), shapes_(*shapes), names_(*names) {}

  // What stands in place of `matmul`. Where the data is no matrix:
  //
  //   r = Reshape(x, [-1, K])   g = Gemm(r, W, B)   y = Reshape(g, [dimensions of x but the last,
  //   N])
  //
  // Nothing where its rank is not known or more than one of these dimensions is not: one shape
  // cannot say two. In the order of the graph's nodes, because nodes share the first Reshape.
  std::optional<std::vector<onnx::NodeProto>> Make(const onnx::NodeProto& matmul,
                                                   const GemmParts& parts);

  // The constants of all that was made; to be called once, at the end.
  void AddConstants(onnx::GraphProto* graph);

 private:
  onnx::NodeProto Reshape(const std::string& name, const std::string& data,
                          const std::vector<int64_t>& shape, const std::string& output);

  const GraphView& view_;
  StaticShapes& shapes_;
  UniqueNames& names_;
  std::unordered_map<std::string, std::string> matrices_;  // by what they are a Reshape of
  std::vector<onnx::TensorProto> made_;
};

}  // namespace ptq
