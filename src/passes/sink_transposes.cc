// Transposes move behind the nodes that work on each element alone, where fewer of them are left.
//
//   before: a = Transpose <perm = [0, 2, 1]>(x)   b = Transpose <perm = [0, 2, 1]>(z)
//           c = Add(a, b)   d = Relu(c)   y = Transpose <perm = [0, 2, 1]>(d)
//   after:  c' = Add(x, z)   y = Relu(c')
//
// Nodes of which all inputs are transposed alike, with what reads them, are one region; between its
// nodes no Transpose is needed. Of a region the ones at its beginning go, as far as nothing else
// reads them, and those at its end merge with it; wherever else a tensor is read, one is put, which
// writes the tensor's old name. The region is changed if that makes them fewer. Reductions,
// Concat, Softmax, Squeeze and Unsqueeze are part of one, with their axes renamed; a reduction over
// the axes that were moved needs none behind it. Other operands may be constants of one number or
// along one axis.
#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <string_view>

#include "model/attributes.h"
#include "model/node_builder.h"
#include "model/node_queries.h"
#include "model/tensor_builder.h"
#include "passes/elementwise.h"
#include "passes/graph_queries.h"
#include "passes/ir_version.h"
#include "passes/known_values.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

using Order = std::vector<int64_t>;

bool IsReduction(const onnx::NodeProto& node) {
  static constexpr std::array<std::string_view, 10> kOpTypes = {
      "ReduceL1",   "ReduceL2",  "ReduceLogSum", "ReduceLogSumExp", "ReduceMax",
      "ReduceMean", "ReduceMin", "ReduceProd",   "ReduceSum",       "ReduceSumSquare"};
  return std::any_of(kOpTypes.begin(), kOpTypes.end(),
                     [&](std::string_view op_type) { return IsOp(node, op_type); });
}

bool IsIdentity(const Order& order) { return std::is_sorted(order.begin(), order.end()); }

// How a node of a region is to be changed.
struct Member {
  int region = -1;
  Order order;                // its output is Transpose<order>(what it makes then)
  std::vector<int64_t> axes;  // instead of its own, sorted; as attribute or input 1
  std::map<int, std::vector<int64_t>> constants;  // input -> its new dims
};

// Regions that have grown together.
class Regions {
 public:
  int New() {
    parent_.push_back(static_cast<int>(parent_.size()));
    return parent_.back();
  }
  int Root(int region) {
    while (parent_[static_cast<size_t>(region)] != region) {
      int& next = parent_[static_cast<size_t>(region)];
      next = parent_[static_cast<size_t>(next)];
      region = next;
    }
    return region;
  }
  void Join(int a, int b) { parent_[static_cast<size_t>(Root(a))] = Root(b); }

 private:
  std::vector<int> parent_;
};

class Sinker {
 public:
  explicit Sinker(PassContext& context)
      : model_(context.model),
        view_(model_.graph()),
        known_(context, view_),
        names_(model_.graph()) {}

  int Run() {
    Grow();
    if (members_.empty()) return 0;
    Weigh();
    Separate();
    const auto changed = static_cast<int>(std::count_if(
        gain_.begin(), gain_.end(), [](const auto& entry) { return entry.second > 0; }));
    if (changed > 0) Apply();
    return changed;
  }

 private:
  // A tensor of a region: behind a Transpose at its beginning, or made by a member.
  struct Transposed {
    int region;
    Order order;
    std::string source;  // of the beginning
  };

  void Grow() {
    const onnx::GraphProto& graph = model_.graph();
    for (int i = 0; i < graph.node_size(); ++i) {
      const onnx::NodeProto& node = graph.node(i);
      if (node.output_size() != 1 || node.input_size() == 0) continue;
      if (std::optional<Member> member = MemberOf(node)) {
        const Order order = member->order;
        const int region = member->region;
        members_.emplace(i, std::move(*member));
        tensors_.emplace(node.output(0), Transposed{region, order, ""});
      } else if (IsOp(node, "Transpose") && HasInput(node, 0)) {
        const Order order = IntsAttribute(node, "perm");
        if (order.empty() || IsIdentity(order)) continue;
        tensors_.emplace(node.output(0), Transposed{regions_.New(), order, node.input(0)});
      }
    }
  }

  // Nothing where the tensor is as it was.
  const Transposed* FindTransposed(const std::string& tensor) const {
    const auto found = tensors_.find(tensor);
    return found == tensors_.end() || IsIdentity(found->second.order) ? nullptr : &found->second;
  }

  std::optional<Member> MemberOf(const onnx::NodeProto& node) {
    const bool elementwise = IsElementwise(node);
    const bool concat = IsOp(node, "Concat");
    const bool softmax =
        model_.Opset() >= 13 && (IsOp(node, "Softmax") || IsOp(node, "LogSoftmax"));
    const bool moves_axes = IsOp(node, "Squeeze") || IsOp(node, "Unsqueeze");
    if (!elementwise && !concat && !softmax && !moves_axes && !IsReduction(node)) {
      return std::nullopt;
    }
    Member member;
    std::vector<int> regions;
    for (int i = 0; i < node.input_size(); ++i) {
      if (!HasInput(node, i) || (i > 0 && !elementwise && !concat)) continue;
      const Transposed* found = FindTransposed(node.input(i));
      if (found == nullptr) continue;
      if (regions.empty()) member.order = found->order;
      if (member.order != found->order) return std::nullopt;
      regions.push_back(found->region);
    }
    if (regions.empty()) return std::nullopt;
    for (int i = 0; i < node.input_size(); ++i) {
      const bool operand = elementwise || concat || i == 0;
      if (operand && HasInput(node, i) && FindTransposed(node.input(i)) == nullptr &&
          (concat || !TakeConstant(node, i, &member))) {
        return std::nullopt;
      }
    }
    if (!elementwise && !TakeAxes(node, &member)) return std::nullopt;
    member.region = regions[0];
    for (const int region : regions) regions_.Join(region, member.region);
    return member;
  }

  // An operand that is a constant: one number, or numbers along one axis, which get other dims.
  bool TakeConstant(const onnx::NodeProto& node, int input, Member* member) {
    const onnx::TensorProto* constant = ConstantOf(view_, node.input(input));
    if (constant == nullptr) return false;
    const size_t rank = member->order.size();
    const auto given = static_cast<size_t>(constant->dims_size());
    if (given > rank) return false;
    if (ElementCount(*constant) == 1) return true;
    std::vector<int64_t> dims(rank, 1);
    int long_dims = 0;
    for (size_t i = 0; i < given; ++i) {
      const int64_t dim = constant->dims(static_cast<int>(i));
      dims[static_cast<size_t>(member->order[rank - given + i])] = dim;
      long_dims += dim == 1 ? 0 : 1;
    }
    constexpr uint64_t kSmall = 256;  // elements that may be there twice
    if (long_dims != 1 ||
        (ElementCount(*constant) >= kSmall && view_.Uses(constant->name()).size() > 1)) {
      return false;
    }
    member->constants.emplace(input, std::move(dims));
    return true;
  }

  bool TakeAxes(const onnx::NodeProto& node, Member* member) {
    const auto rank = static_cast<int64_t>(member->order.size());
    std::vector<int64_t> axes;
    if (IsOp(node, "Concat") || IsOp(node, "Softmax") || IsOp(node, "LogSoftmax")) {
      axes = {IntAttribute(node, "axis", IsOp(node, "Concat") ? 1 : -1)};
    } else {
      const auto given = AxesOf(node, &known_);
      if (!given || given->empty()) return false;
      axes = *given;
    }
    const bool adds = IsOp(node, "Unsqueeze");
    const int64_t range = adds ? rank + static_cast<int64_t>(axes.size()) : rank;
    for (int64_t& axis : axes) {
      if (axis < -range || axis >= range) return false;
      if (axis < 0) axis += range;
    }
    std::sort(axes.begin(), axes.end());
    if (std::adjacent_find(axes.begin(), axes.end()) != axes.end()) return false;
    if (adds) {
      Insert(axes, member);
      return true;
    }
    member->axes.clear();
    for (const int64_t axis : axes) {
      member->axes.push_back(member->order[static_cast<size_t>(axis)]);
    }
    std::sort(member->axes.begin(), member->axes.end());
    const bool keeps = IsReduction(node) && IntAttribute(node, "keepdims", 1) != 0;
    if (IsOp(node, "Squeeze") || (IsReduction(node) && !keeps)) Drop(member);
    return true;
  }

  // The order of the dimensions that are left without member->axes.
  static void Drop(Member* member) {
    Order left;
    for (const int64_t axis : member->order) {
      const auto above = std::lower_bound(member->axes.begin(), member->axes.end(), axis);
      if (above != member->axes.end() && *above == axis) continue;
      left.push_back(axis - (above - member->axes.begin()));
    }
    member->order = std::move(left);
  }

  // New dimensions stay at their places in the output, and so in the source: its others come in
  // between.
  static void Insert(const std::vector<int64_t>& axes, Member* member) {
    std::vector<int64_t> places;  // in the source, of the dimensions that it has already
    const size_t rank = member->order.size() + axes.size();
    for (int64_t i = 0; i < static_cast<int64_t>(rank); ++i) {
      if (!std::binary_search(axes.begin(), axes.end(), i)) places.push_back(i);
    }
    Order order;
    size_t next = 0;
    for (int64_t i = 0; i < static_cast<int64_t>(rank); ++i) {
      const bool added = std::binary_search(axes.begin(), axes.end(), i);
      order.push_back(added ? i : places[static_cast<size_t>(member->order[next])]);
      next += added ? 0 : 1;
    }
    member->order = std::move(order);
  }

  bool IsMember(const Use& use) const { return use.input >= 0 && members_.contains(use.node); }

  bool IsTransposeRead(const Use& use) const {
    return use.input == 0 && IsOp(view_.node(use.node), "Transpose");
  }

  // Whether something reads the tensor as it was, besides members and Transposes.
  bool IsReadOutside(const std::string& tensor) const {
    const std::vector<Use>& uses = view_.Uses(tensor);
    return view_.IsGraphOutput(tensor) ||
           std::any_of(uses.begin(), uses.end(),
                       [&](const Use& use) { return !IsMember(use) && !IsTransposeRead(use); });
  }

  // The order of the Transpose that is left of one that reads a tensor of a region.
  Order Merged(const Order& order, const onnx::NodeProto& transpose) const {
    Order second = IntsAttribute(transpose, "perm");
    if (second.empty()) {
      second.resize(order.size());
      std::iota(second.rbegin(), second.rend(), 0);
    }
    if (second.size() != order.size()) return order;
    Order merged;
    for (const int64_t axis : second) merged.push_back(order[static_cast<size_t>(axis)]);
    return merged;
  }

  // Transposes before less those after, by region.
  void Weigh() {
    for (const auto& [tensor, transposed] : tensors_) {
      int& gain = gain_[regions_.Root(transposed.region)];
      const std::vector<Use>& uses = view_.Uses(tensor);
      if (!transposed.source.empty()) {
        const bool goes =
            !uses.empty() && !view_.IsGraphOutput(tensor) &&
            std::all_of(uses.begin(), uses.end(), [&](const Use& use) { return IsMember(use); });
        gain += goes ? 1 : 0;
        continue;
      }
      if (IsIdentity(transposed.order)) continue;
      gain -= IsReadOutside(tensor) ? 1 : 0;
      for (const Use& use : uses) {
        if (IsTransposeRead(use) && IsIdentity(Merged(transposed.order, view_.node(use.node)))) {
          ++gain;
        }
      }
    }
  }

  // A region that begins behind another one that changes waits until that is done.
  void Separate() {
    for (const onnx::NodeProto& node : model_.graph().node()) {
      const Transposed* begins = node.output_size() == 1 ? FindTransposed(node.output(0)) : nullptr;
      if (begins == nullptr || begins->source.empty()) continue;
      const Transposed* ends = FindTransposed(begins->source);
      if (ends != nullptr && ends->source.empty() && Changes(ends->region)) {
        gain_[regions_.Root(begins->region)] = 0;
      }
    }
  }

  bool Changes(int region) { return gain_[regions_.Root(region)] > 0; }

  // What a changed node reads in place of a tensor of its region.
  std::string SourceOf(const std::string& tensor) {
    const Transposed& transposed = tensors_.at(tensor);
    if (!transposed.source.empty()) return transposed.source;
    if (IsIdentity(transposed.order)) return tensor;
    std::string& name = made_[tensor];
    if (name.empty()) name = names_.Make(tensor + "_transposed");
    return name;
  }

  void Apply() {
    onnx::GraphProto& graph = model_.graph();
    std::map<int, onnx::NodeProto> changed;
    std::map<int, onnx::NodeProto> behind;
    for (int i = 0; i < graph.node_size(); ++i) {
      const onnx::NodeProto& node = graph.node(i);
      const auto member = members_.find(i);
      if (member != members_.end()) {
        if (Changes(member->second.region)) Change(i, member->second, &changed, &behind);
      } else if (IsOp(node, "Transpose") && HasInput(node, 0)) {
        const Transposed* read = FindTransposed(node.input(0));
        if (read == nullptr || !read->source.empty() || !Changes(read->region)) continue;
        onnx::NodeProto copy = node;
        copy.set_input(0, SourceOf(node.input(0)));
        SetAttribute(&copy, "perm", Merged(read->order, node));
        changed.emplace(i, std::move(copy));
      }
    }
    google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;
    nodes.Reserve(graph.node_size() + static_cast<int>(behind.size()));
    for (int i = 0; i < graph.node_size(); ++i) {
      const auto found = changed.find(i);
      nodes.Add()->Swap(found == changed.end() ? graph.mutable_node(i) : &found->second);
      const auto extra = behind.find(i);
      if (extra != behind.end()) nodes.Add()->Swap(&extra->second);
    }
    graph.mutable_node()->Swap(&nodes);
    for (onnx::TensorProto& constant : constants_) graph.add_initializer()->Swap(&constant);
    if (!constants_.empty()) RaiseIrVersion(model_, 4);
  }

  void Change(int index, const Member& member, std::map<int, onnx::NodeProto>* changed,
              std::map<int, onnx::NodeProto>* behind) {
    const onnx::NodeProto& node = view_.node(index);
    onnx::NodeProto copy = node;
    for (int i = 0; i < node.input_size(); ++i) {
      if (FindTransposed(node.input(i)) != nullptr) copy.set_input(i, SourceOf(node.input(i)));
    }
    for (const auto& [input, dims] : member.constants) {
      onnx::TensorProto constant = *ConstantOf(view_, node.input(input));
      constant.set_name(names_.Make(node.input(input) + "_transposed"));
      constant.clear_dims();
      for (const int64_t dim : dims) constant.add_dims(dim);
      copy.set_input(input, constant.name());
      constants_.push_back(std::move(constant));
    }
    if (!member.axes.empty()) SetAxes(member.axes, &copy);
    const std::string output = SourceOf(node.output(0));
    copy.set_output(0, output);
    changed->emplace(index, std::move(copy));
    if (output != node.output(0) && IsReadOutside(node.output(0))) {
      onnx::NodeProto transpose = MakeNode("Transpose", {output}, {node.output(0)},
                                           names_.Make(node.output(0) + "_transpose"));
      SetAttribute(&transpose, "perm", member.order);
      behind->emplace(index, std::move(transpose));
    }
  }

  void SetAxes(const std::vector<int64_t>& axes, onnx::NodeProto* node) {
    if (IsOp(*node, "Concat") || IsOp(*node, "Softmax") || IsOp(*node, "LogSoftmax")) {
      SetAttribute(node, "axis", axes[0]);
    } else if (HasInput(*node, 1)) {
      const std::string name = names_.Make(node->input(1) + "_transposed");
      const std::vector<int64_t> dims = {static_cast<int64_t>(axes.size())};
      constants_.push_back(IntTensor(name, onnx::TensorProto::INT64, dims, axes));
      node->set_input(1, name);
    } else {
      SetAttribute(node, "axes", axes);
    }
  }

  Model& model_;
  const GraphView view_;
  KnownValues known_;
  UniqueNames names_;
  Regions regions_;
  std::map<int, Member> members_;  // by node
  std::unordered_map<std::string, Transposed> tensors_;
  std::unordered_map<int, int> gain_;                  // by root
  std::unordered_map<std::string, std::string> made_;  // new names
  std::vector<onnx::TensorProto> constants_;
};

}  // namespace

int SinkTransposes(PassContext& context) { return Sinker(context).Run(); }

}  // namespace ptq
