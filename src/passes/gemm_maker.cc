#include "passes/gemm_maker.h"

#include <algorithm>

#include "model/attributes.h"
#include "model/tensor_builder.h"

namespace ptq {

onnx::NodeProto GemmMaker::Reshape(const std::string& name, const std::string& data,
                                   const std::vector<int64_t>& shape, const std::string& output) {
  const std::string constant = names_.Make(output + "_shape");
  const std::vector<int64_t> dims = {static_cast<int64_t>(shape.size())};
  made_.push_back(IntTensor(constant, onnx::TensorProto::INT64, dims, shape));
  onnx::NodeProto node;
  node.set_op_type("Reshape");
  node.set_name(names_.Make(name));
  node.add_input(data);
  node.add_input(constant);
  node.add_output(output);
  return node;
}

std::optional<std::vector<onnx::NodeProto>> GemmMaker::Make(const onnx::NodeProto& matmul,
                                                            const GemmParts& parts) {
  const auto dims = shapes_.Of(parts.data);
  if (!dims || dims->empty()) return std::nullopt;
  const bool is_matrix = dims->size() == 2;
  const auto unknown = std::count(dims->begin(), dims->end() - 1, kUnknownDim);
  const bool is_empty = std::count(dims->begin(), dims->end(), 0) > 0;
  if (!is_matrix && (parts.transpose_data || unknown > 1 || is_empty)) return std::nullopt;

  const onnx::TensorProto& weight = *view_.Initializer(parts.weight);
  const int64_t inputs = weight.dims(parts.transpose_weight ? 1 : 0);
  const int64_t outputs = weight.dims(parts.transpose_weight ? 0 : 1);
  std::vector<onnx::NodeProto> nodes;
  std::string matrix = parts.data;
  if (!is_matrix) {
    std::string& known = matrices_[parts.data];
    if (known.empty()) {
      known = names_.Make(parts.data + "_matrix");
      nodes.push_back(Reshape(matmul.name() + "_reshape_in", parts.data, {-1, inputs}, known));
    }
    matrix = known;
  }
  onnx::NodeProto gemm;
  gemm.set_op_type("Gemm");
  gemm.set_name(matmul.name());
  gemm.add_input(matrix);
  gemm.add_input(parts.weight);
  if (!parts.bias.empty()) gemm.add_input(parts.bias);
  gemm.add_output(is_matrix ? parts.output : names_.Make(parts.output + "_matrix"));
  if (parts.transpose_data) SetAttribute(&gemm, "transA", int64_t{1});
  if (parts.transpose_weight) SetAttribute(&gemm, "transB", int64_t{1});
  const std::string product = gemm.output(0);
  nodes.push_back(std::move(gemm));
  if (!is_matrix) {
    std::vector<int64_t> shape = *dims;  // kUnknownDim is what Reshape calls it, too
    shape.back() = outputs;
    nodes.push_back(Reshape(matmul.name() + "_reshape_out", product, shape, parts.output));
  }
  return nodes;
}

void GemmMaker::AddConstants(onnx::GraphProto* graph) {
  for (onnx::TensorProto& tensor : made_) graph->add_initializer()->Swap(&tensor);
  made_.clear();
}

}  // namespace ptq
