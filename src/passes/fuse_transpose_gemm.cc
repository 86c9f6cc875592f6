// The Transpose of a matrix becomes an attribute of the Gemm that reads it, and of a MatMul with a
// constant matrix, which becomes a Gemm.
//
//   before: t = Transpose(W)   y = MatMul(x, t)        after: y = Gemm<transB = 1>(x, W)
//
// W is a table that something else reads, too (a tied embedding): folding the Transpose would make
// a second one. With it gone the weight is a constant, and quantized as one. Where x is no matrix,
// Reshapes make it one (gemm_maker.h). A Transpose of data stays where something else reads it;
// onnxruntime's GemmTransposeFusion has that rule, too.
#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/attributes.h"
#include "model/node_queries.h"
#include "passes/gemm_maker.h"
#include "passes/graph_queries.h"
#include "passes/ir_version.h"
#include "passes/pass_registry.h"
#include "passes/replace_nodes.h"

namespace ptq {
namespace {

class Fuser {
 public:
  explicit Fuser(PassContext& context)
      : model_(context.model),
        graph_(context.model.graph()),
        view_(context.model.graph()),
        shapes_(context),
        names_(context.model.graph()),
        maker_(view_, &shapes_, &names_) {}

  int Run() {
    for (int i = 0; i < graph_.node_size(); ++i) {
      if (IsOp(graph_.node(i), "Gemm")) FuseGemm(i);
      if (IsOp(graph_.node(i), "MatMul")) FuseMatMul(i);
    }
    if (edits_.empty()) return 0;
    const auto changes = static_cast<int>(edits_.size());
    for (const auto& [transpose, count] : taken_) {
      const std::string& output = graph_.node(transpose).output(0);
      if (count == view_.Uses(output).size() && !view_.IsGraphOutput(output))
        edits_[transpose] = {};
    }
    ReplaceNodes(&graph_, std::move(edits_));
    maker_.AddConstants(&graph_);
    RaiseIrVersion(model_, 4);
    return changes;
  }

 private:
  // The Transpose of a matrix that makes the tensor, or -1.
  int MatrixTranspose(const std::string& tensor) {
    const int producer = view_.Producer(tensor);
    if (producer < 0 || !IsOp(graph_.node(producer), "Transpose")) return -1;
    const std::vector<int64_t> perm = IntsAttribute(graph_.node(producer), "perm");
    if (!perm.empty()) return perm == std::vector<int64_t>{1, 0} ? producer : -1;
    const auto dims = shapes_.Of(graph_.node(producer).input(0));
    return dims && dims->size() == 2 ? producer : -1;
  }

  bool IsWeight(const std::string& tensor) const {
    const onnx::TensorProto* constant = ConstantOf(view_, tensor);
    return constant != nullptr && constant->dims_size() == 2 && ElementCount(*constant) > 0 &&
           (constant->data_type() == onnx::TensorProto::FLOAT ||
            constant->data_type() == onnx::TensorProto::FLOAT16);
  }

  // The Transpose whose work the reader of `tensor` is to do, or -1.
  int Taken(const std::string& tensor) {
    const int transpose = MatrixTranspose(tensor);
    if (transpose < 0 || IsWeight(graph_.node(transpose).input(0))) return transpose;
    const std::vector<Use>& uses = view_.Uses(tensor);
    const bool all = std::all_of(uses.begin(), uses.end(), [&](const Use& use) {
      const onnx::NodeProto& reader = graph_.node(use.node);
      if (IsOp(reader, "Gemm")) return use.input == 0 || use.input == 1;
      return IsOp(reader, "MatMul") && use.input == 0 && IsMatMulOfWeight(reader);
    });
    return all && !view_.IsGraphOutput(tensor) ? transpose : -1;
  }

  // One that can become a Gemm if its data is a matrix.
  bool IsMatMulOfWeight(const onnx::NodeProto& node) {
    if (model_.Opset() < kOpsetOfGemmWithoutBias) return false;
    if (IsWeight(node.input(1))) return true;
    const int transpose = MatrixTranspose(node.input(1));
    return transpose >= 0 && IsWeight(graph_.node(transpose).input(0));
  }

  void FuseGemm(int index) {
    const char* const kAttributes[] = {"transA", "transB"};
    for (int input = 0; input < 2; ++input) {
      const int transpose = Taken(graph_.node(index).input(input));
      if (transpose < 0) continue;
      std::vector<onnx::NodeProto>& edit = edits_[index];
      if (edit.empty()) edit.push_back(graph_.node(index));
      onnx::NodeProto& gemm = edit[0];
      const char* attribute = kAttributes[input];
      SetAttribute(&gemm, attribute, int64_t{IntAttribute(gemm, attribute, 0) == 0});
      gemm.set_input(input, graph_.node(transpose).input(0));
      ++taken_[transpose];
    }
  }

  void FuseMatMul(int index) {
    const onnx::NodeProto& node = graph_.node(index);
    if (!IsMatMulOfWeight(node)) return;
    const int weight = IsWeight(node.input(1)) ? -1 : MatrixTranspose(node.input(1));
    const int data = Taken(node.input(0));
    if (weight < 0 && data < 0) return;
    GemmParts parts{node.input(0), node.input(1), "", node.output(0), data >= 0, weight >= 0};
    if (data >= 0) parts.data = graph_.node(data).input(0);
    if (weight >= 0) parts.weight = graph_.node(weight).input(0);
    auto nodes = maker_.Make(node, parts);
    if (!nodes) return;
    edits_[index] = *std::move(nodes);
    if (data >= 0) ++taken_[data];
    if (weight >= 0) ++taken_[weight];
  }

  Model& model_;
  onnx::GraphProto& graph_;
  const GraphView view_;
  StaticShapes shapes_;
  UniqueNames names_;
  GemmMaker maker_;
  NodeEdits edits_;
  std::unordered_map<int, size_t> taken_;  // Transpose -> reads of it that went
};

}  // namespace

int FuseTransposeGemm(PassContext& context) { return Fuser(context).Run(); }

}  // namespace ptq
