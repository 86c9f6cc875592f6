// Subgraphs of constants are evaluated, so that what PyTorch's exporter leaves of `F.pad(x, …)` or
// `x.view(…)` becomes an initializer.
//
//   before: z = ConstantOfShape(<[4]>)  p = Concat(<pads>, z)  …  q = Cast(…)  y = Pad(x, q)
//   after:  y = Pad(x, q)   <q = …>
//
// Shape of a tensor whose shape follows from the graph's inputs counts as a constant. Results are
// small, or no larger than what they are made of (a transposed weight).
#include <algorithm>
#include <optional>
#include <unordered_map>

#include "model/domains.h"
#include "model/graph_view.h"
#include "model/tensor_builder.h"
#include "passes/constants/constant_evaluator.h"
#include "passes/graph_queries.h"
#include "passes/infer_shapes.h"
#include "passes/ir_version.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

constexpr uint64_t kSmall = 64 << 10;
constexpr uint64_t kLargest = 32 << 20;  // of one node's inputs or result: both are in memory
constexpr uint64_t kBudget =
    1ull << 30;  // read in all, so that many nodes on one large tensor end soon

// Only the shape of input 0 matters: the data need not be read.
bool KeepsElements(const onnx::NodeProto& node) {
  return node.op_type() == "Reshape" || node.op_type() == "Squeeze" ||
         node.op_type() == "Unsqueeze";
}

bool ReadsShapeOnly(const onnx::NodeProto& node, int input) {
  return input == 0 && (KeepsElements(node) || node.op_type() == "Shape");
}

class Folder {
 public:
  explicit Folder(PassContext& context)
      : model_(context.model), view_(context.model.graph()), opset_(context.model.Opset()) {}

  int Run() {
    onnx::GraphProto& graph = model_.graph();
    std::vector<bool> remove(static_cast<size_t>(graph.node_size()), false);
    std::vector<std::string> order;
    for (int i = 0; i < graph.node_size(); ++i) {
      const onnx::NodeProto& node = graph.node(i);
      if (!IsOnnxDomain(node.domain()) || !CanEvaluate(node) ||
          view_.IsGraphOutput(node.output(0))) {
        continue;
      }
      std::optional<onnx::TensorProto> result = Fold(node);
      if (!result) continue;
      result->set_name(node.output(0));
      made_[node.output(0)] = std::move(*result);
      order.push_back(node.output(0));
      remove[static_cast<size_t>(i)] = true;
    }
    RemoveNodes(&graph, remove);
    for (const std::string& name : order) graph.add_initializer()->Swap(&made_.at(name));
    if (!order.empty()) RaiseIrVersion(model_, 4);
    return static_cast<int>(order.size());
  }

 private:
  const onnx::TensorProto* Find(const std::string& name) const {
    const auto made = made_.find(name);
    return made != made_.end() ? &made->second : ConstantOf(view_, name);
  }

  std::optional<onnx::TensorProto> Fold(const onnx::NodeProto& node) {
    std::vector<ConstantTensor> values(static_cast<size_t>(node.input_size()));
    std::vector<const ConstantTensor*> inputs(values.size(), nullptr);
    uint64_t bytes = 0;
    for (int i = 0; i < node.input_size(); ++i) {
      if (node.input(i).empty()) continue;
      const auto at = static_cast<size_t>(i);
      const onnx::TensorProto* tensor = Find(node.input(i));
      if (tensor == nullptr) {
        if (node.op_type() != "Shape") return std::nullopt;
        const std::optional<std::vector<int64_t>> dims = StaticShape(node.input(i));
        if (!dims) return std::nullopt;
        values[at].dims = *dims;
      } else {
        values[at].type = tensor->data_type();
        values[at].dims.assign(tensor->dims().begin(), tensor->dims().end());
        if (!ReadsShapeOnly(node, i) && !Read(*tensor, &values[at], &bytes)) return std::nullopt;
      }
      inputs[at] = &values[at];
    }
    const uint64_t largest =
        node.op_type() == "Cast" ? kLargest : std::max(kSmall, std::min(bytes, kLargest));
    const std::optional<ConstantTensor> result =
        Evaluate(node, inputs, EvaluationContext{opset_, largest, model_.tensors()});
    if (!result) return std::nullopt;
    if (KeepsElements(node)) {
      onnx::TensorProto same = *Find(node.input(0));
      same.mutable_dims()->Clear();
      same.mutable_dims()->Add(result->dims.begin(), result->dims.end());
      return same;
    }
    onnx::TensorProto tensor = EmptyTensor(node.output(0), result->type, result->dims);
    model_.tensors().SetBytes(&tensor, result->bytes);
    return tensor;
  }

  bool Read(const onnx::TensorProto& tensor, ConstantTensor* value, uint64_t* bytes) {
    if (tensor.data_type() == onnx::TensorProto::STRING) return false;
    const uint64_t size = model_.tensors().ByteSize(tensor);
    *bytes += size;
    read_ += size;
    if (*bytes > kLargest || read_ > kBudget) return false;
    value->bytes.resize(size);
    model_.tensors().ReadBytes(tensor, 0, value->bytes);
    return true;
  }

  // From the graph's inputs and initializers alone: a file's own value_info may be out of date.
  std::optional<std::vector<int64_t>> StaticShape(const std::string& tensor) {
    if (!inferred_) {
      inferred_ = InferredShapes(model_, KnownShapes::kInputsOnly, nullptr);
      inferred_view_.emplace(*inferred_);
    }
    const onnx::ValueInfoProto* info = inferred_view_->ValueInfo(tensor);
    if (info == nullptr || !info->type().tensor_type().has_shape()) return std::nullopt;
    std::vector<int64_t> dims;
    for (const auto& dim : info->type().tensor_type().shape().dim()) {
      if (!dim.has_dim_value() || dim.dim_value() < 0) return std::nullopt;
      dims.push_back(dim.dim_value());
    }
    return dims;
  }

  Model& model_;
  const GraphView view_;
  const int64_t opset_;
  std::unordered_map<std::string, onnx::TensorProto> made_;
  std::optional<onnx::GraphProto> inferred_;
  std::optional<GraphView> inferred_view_;
  uint64_t read_ = 0;
};

}  // namespace

int FoldConstants(PassContext& context) { return Folder(context).Run(); }

}  // namespace ptq
