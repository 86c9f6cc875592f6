// Subgraphs of constants are evaluated, so that what PyTorch's exporter leaves of `F.pad(x, …)` or
// `x.view(…)` becomes an initializer.
//
//   before: z = ConstantOfShape(<[4]>)  p = Concat(<pads>, z)  …  q = Cast(…)  y = Pad(x, q)
//   after:  y = Pad(x, q)   <q = …>
//
// Shape of a tensor whose shape follows from the graph's inputs counts as a constant. So do weights
// of any size behind Transpose, Cast, or the arithmetic of weight normalization: what is large is
// evaluated in blocks, from file to file.
//
// Constants do not grow in sum, beyond small ones. A node whose result would stand beside the
// constant that it is made of, because that has other readers (the table of a tied embedding),
// stays; a node that does what another did already takes its result.
#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "model/domains.h"
#include "model/graph_view.h"
#include "model/node_queries.h"
#include "model/tensor_builder.h"
#include "passes/constants/block_evaluator.h"
#include "passes/constants/constant_evaluator.h"
#include "passes/graph_queries.h"
#include "passes/ir_version.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

constexpr uint64_t kSmall = 64 << 10;     // bytes of a result that may be larger than its inputs
constexpr uint64_t kInMemory = 32 << 20;  // bytes of one node's inputs, and of its result
constexpr uint64_t kLeastCounted = 256;   // elements from which on a constant counts as a table
constexpr uint64_t kBudgetFactor = 8;     // read in all, in sizes of the model's constants
constexpr uint64_t kLeastBudget = 1 << 30;

// Only the shape of input 0 matters: the data need not be read.
bool KeepsElements(const onnx::NodeProto& node) {
  return node.op_type() == "Reshape" || node.op_type() == "Flatten" ||
         node.op_type() == "Squeeze" || node.op_type() == "Unsqueeze";
}

bool ReadsShapeOnly(const onnx::NodeProto& node, int input) {
  return input == 0 && (KeepsElements(node) || node.op_type() == "Shape");
}

// Each element of input 0 once.
bool KeepsCount(const onnx::NodeProto& node) {
  return KeepsElements(node) || node.op_type() == "Transpose" || node.op_type() == "Cast";
}

// Tensors that constants are moved and computed into, in sets.
class Families {
 public:
  int Of(const std::string& tensor) {
    const auto [entry, added] = index_.emplace(tensor, static_cast<int>(parent_.size()));
    if (added) parent_.push_back(entry->second);
    return Root(entry->second);
  }
  void Join(const std::string& a, const std::string& b) {
    const int root = Of(a);
    parent_[static_cast<size_t>(root)] = Of(b);
  }

 private:
  int Root(int at) {
    while (parent_[static_cast<size_t>(at)] != at) {
      int& next = parent_[static_cast<size_t>(at)];
      next = parent_[static_cast<size_t>(next)];
      at = next;
    }
    return at;
  }

  std::unordered_map<std::string, int> index_;
  std::vector<int> parent_;
};

class ConstantFolder {
 public:
  explicit ConstantFolder(PassContext& context)
      : model_(context.model),
        view_(context.model.graph()),
        opset_(context.model.Opset()),
        types_(context.types) {
    for (const onnx::TensorProto& tensor : model_.graph().initializer()) {
      if (!FindElementBits(tensor.data_type())) continue;
      const uint64_t size = model_.tensors().ByteSize(tensor);
      budget_ += kBudgetFactor * size;
      largest_ = std::max(largest_, 2 * size);  // of a cast to a wider type, too
    }
  }

  int Run() {
    onnx::GraphProto& graph = model_.graph();
    MarkFoldable();
    for (int i = 0; i < graph.node_size(); ++i) {
      if (!folded_[static_cast<size_t>(i)]) continue;
      const onnx::NodeProto& node = graph.node(i);
      std::optional<onnx::TensorProto> result = StaysBeside(node) ? std::nullopt : Repeated(node);
      if (!result && !StaysBeside(node)) result = Fold(node);
      folded_[static_cast<size_t>(i)] = result.has_value();
      if (!result) continue;
      read_ += FindElementBits(result->data_type()) ? model_.tensors().ByteSize(*result) : 0;
      result->set_name(node.output(0));
      made_[node.output(0)] = std::move(*result);
    }
    Unfold();
    return Apply();
  }

 private:
  const onnx::TensorProto* Find(const std::string& name) const {
    const auto made = made_.find(name);
    return made != made_.end() ? &made->second : ConstantOf(view_, name);
  }

  // What can be folded as far as the graph tells; evaluation may still say no.
  void MarkFoldable() {
    const onnx::GraphProto& graph = model_.graph();
    folded_.assign(static_cast<size_t>(graph.node_size()), false);
    const auto constant = [&](const std::string& name) {
      if (name.empty() || ConstantOf(view_, name) != nullptr) return true;
      const int producer = view_.Producer(name);
      return producer >= 0 && folded_[static_cast<size_t>(producer)];
    };
    for (int i = 0; i < graph.node_size(); ++i) {
      const onnx::NodeProto& node = graph.node(i);
      const bool known =
          IsOnnxDomain(node.domain()) && CanEvaluate(node) && !view_.IsGraphOutput(node.output(0));
      folded_[static_cast<size_t>(i)] =
          known && (node.op_type() == "Shape" ||
                    std::all_of(node.input().begin(), node.input().end(), constant));
    }
  }

  // Whether a node that is not folded reads the tensor, or the graph gives it out.
  bool IsReadOutside(const std::string& tensor) const {
    const std::vector<Use>& uses = view_.Uses(tensor);
    return view_.IsGraphOutput(tensor) ||
           std::any_of(uses.begin(), uses.end(),
                       [&](const Use& use) { return !folded_[static_cast<size_t>(use.node)]; });
  }

  // The node would make a second constant of one that remains.
  bool StaysBeside(const onnx::NodeProto& node) const {
    if (!KeepsCount(node) || node.input_size() == 0) return false;
    const onnx::TensorProto* data = Find(node.input(0));
    return data != nullptr && ElementCount(*data) >= kLeastCounted && IsReadOutside(node.input(0));
  }

  // The result of an earlier node that does the same with a table.
  std::optional<onnx::TensorProto> Repeated(const onnx::NodeProto& node) {
    std::string key = node.op_type();
    bool counts = false;
    for (const std::string& input : node.input()) {
      const auto same = same_as_.find(input);
      key += '\n' + (same == same_as_.end() ? input : same->second);
      const onnx::TensorProto* tensor = Find(input);
      counts |= tensor != nullptr && ElementCount(*tensor) >= kLeastCounted;
    }
    if (!counts) return std::nullopt;
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      key += '\n' + attribute.SerializeAsString();
    }
    const auto [entry, added] = first_.emplace(std::move(key), node.output(0));
    const auto made = made_.find(entry->second);
    if (added || made == made_.end()) return std::nullopt;
    same_as_[node.output(0)] = entry->second;
    return made->second;
  }

  std::optional<onnx::TensorProto> Fold(const onnx::NodeProto& node) {
    const auto count = static_cast<size_t>(node.input_size());
    std::vector<const onnx::TensorProto*> tensors(count, nullptr);
    uint64_t bytes = 0;  // that have to be read
    for (int i = 0; i < node.input_size(); ++i) {
      if (node.input(i).empty()) continue;
      const onnx::TensorProto* tensor = Find(node.input(i));
      tensors[static_cast<size_t>(i)] = tensor;
      if (tensor == nullptr && node.op_type() != "Shape") return std::nullopt;
      if (tensor == nullptr || ReadsShapeOnly(node, i)) continue;
      if (!FindElementBits(tensor->data_type())) return std::nullopt;
      bytes += model_.tensors().ByteSize(*tensor);
    }
    read_ += bytes;
    if (read_ > budget_) return std::nullopt;
    const uint64_t largest = node.op_type() == "Cast" ? std::max(kSmall, 8 * bytes)
                                                      : std::max({kSmall, bytes, largest_});
    if (bytes > kBlockBytes && CanEvaluateInBlocks(node)) {
      return EvaluateInBlocks(node, tensors, {opset_, largest, model_.tensors()},
                              &model_.tensors());
    }
    if (bytes > kInMemory) return std::nullopt;
    return FoldInMemory(node, tensors, std::min(largest, kInMemory));
  }

  std::optional<onnx::TensorProto> FoldInMemory(const onnx::NodeProto& node,
                                                std::span<const onnx::TensorProto* const> tensors,
                                                uint64_t largest) {
    std::vector<ConstantTensor> values(tensors.size());
    std::vector<const ConstantTensor*> inputs(values.size(), nullptr);
    for (int i = 0; i < node.input_size(); ++i) {
      const auto at = static_cast<size_t>(i);
      if (node.input(i).empty()) continue;
      if (tensors[at] == nullptr) {
        const std::optional<std::vector<int64_t>> dims = StaticShape(node.input(i));
        if (!dims) return std::nullopt;
        values[at].dims = *dims;
      } else {
        values[at].type = tensors[at]->data_type();
        values[at].dims.assign(tensors[at]->dims().begin(), tensors[at]->dims().end());
        if (!ReadsShapeOnly(node, i)) {
          values[at].bytes.resize(model_.tensors().ByteSize(*tensors[at]));
          model_.tensors().ReadBytes(*tensors[at], 0, values[at].bytes);
        }
      }
      inputs[at] = &values[at];
    }
    const std::optional<ConstantTensor> result =
        Evaluate(node, inputs, EvaluationContext{opset_, largest, model_.tensors()});
    if (!result) return std::nullopt;
    if (KeepsElements(node)) {
      onnx::TensorProto same = *tensors[0];
      same.mutable_dims()->Clear();
      same.mutable_dims()->Add(result->dims.begin(), result->dims.end());
      return same;
    }
    onnx::TensorProto tensor = EmptyTensor(node.output(0), result->type, result->dims);
    model_.tensors().SetBytes(&tensor, result->bytes);
    return tensor;
  }

  // Takes back what made the constants grow: a family whose results have more elements than the
  // tables that it leaves unread.
  void Unfold() {
    struct Balance {
      uint64_t results = 0, largest = 0, unread = 0;
      bool of_tables = false;
    };
    const onnx::GraphProto& graph = model_.graph();
    Families families;
    std::unordered_map<std::string, uint64_t> tables;  // elements
    ForEachFolded([&](const onnx::NodeProto& node) {
      for (const std::string& input : node.input()) {
        const onnx::TensorProto* tensor = Find(input);
        const uint64_t elements = tensor == nullptr ? 0 : ElementCount(*tensor);
        if (elements < kLeastCounted) continue;
        families.Join(node.output(0), input);
        if (!made_.contains(input)) tables[input] = elements;
      }
    });
    std::unordered_map<int, Balance> balances;
    for (const auto& [tensor, elements] : tables) {
      Balance& balance = balances[families.Of(tensor)];
      balance.of_tables = true;
      if (!IsReadOutside(tensor)) balance.unread += elements;
    }
    std::unordered_set<std::string> counted;
    ForEachFolded([&](const onnx::NodeProto& node) {
      const auto same = same_as_.find(node.output(0));
      const std::string& name = same == same_as_.end() ? node.output(0) : same->second;
      if (!IsReadOutside(node.output(0)) || !counted.insert(name).second) return;
      const uint64_t elements = ElementCount(made_.at(name));
      Balance& balance = balances[families.Of(name)];
      balance.results += elements;
      balance.largest = std::max(balance.largest, elements);
    });
    for (int i = 0; i < graph.node_size(); ++i) {
      if (!folded_[static_cast<size_t>(i)]) continue;
      const Balance& balance = balances[families.Of(graph.node(i).output(0))];
      const bool grows = balance.of_tables ? balance.results > balance.unread + kLeastCounted
                                           : balance.largest > kSmall / sizeof(float);
      if (grows) unfold_.push_back(i);
    }
  }

  int Apply() {
    onnx::GraphProto& graph = model_.graph();
    for (const int node : unfold_) folded_[static_cast<size_t>(node)] = false;
    std::vector<std::string> order;
    std::unordered_map<std::string, std::string> renames;
    ForEachFolded([&](const onnx::NodeProto& node) {
      const auto same = same_as_.find(node.output(0));
      if (same == same_as_.end()) {
        order.push_back(node.output(0));
      } else {
        renames.emplace(node.output(0), same->second);
      }
    });
    const auto count = static_cast<int>(order.size() + renames.size());
    RemoveNodes(&graph, folded_);
    RenameReads(&graph, renames);
    for (const std::string& name : order) graph.add_initializer()->Swap(&made_.at(name));
    if (!order.empty()) RaiseIrVersion(model_, 4);
    return count;
  }

  template <typename Visit>
  void ForEachFolded(const Visit& visit) const {
    const onnx::GraphProto& graph = model_.graph();
    for (int i = 0; i < graph.node_size(); ++i) {
      if (folded_[static_cast<size_t>(i)]) visit(graph.node(i));
    }
  }

  // From the graph's inputs and initializers alone: a file's own value_info may be out of date.
  std::optional<std::vector<int64_t>> StaticShape(const std::string& tensor) {
    const onnx::ValueInfoProto* info = types_.Of(model_).ValueInfo(tensor);
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
  std::vector<bool> folded_;
  std::vector<int> unfold_;
  std::unordered_map<std::string, onnx::TensorProto> made_;
  std::unordered_map<std::string, std::string> first_;    // what is done with what -> the result
  std::unordered_map<std::string, std::string> same_as_;  // results that were there already
  InferredTypes& types_;
  uint64_t largest_ = 0;
  uint64_t budget_ = kLeastBudget;
  uint64_t read_ = 0;
};

}  // namespace

int FoldConstants(PassContext& context) { return ConstantFolder(context).Run(); }

}  // namespace ptq
