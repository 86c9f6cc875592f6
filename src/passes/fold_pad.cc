// Pad with zeros in front of Conv, AveragePool or MaxPool becomes the padding of that node.
//
//   before: p = Pad(x, [0, 0, 1, 1, 0, 0, 1, 1])   y = Conv(p, W)
//   after:  y = Conv<pads = [1, 1, 1, 1]>(x, W)
//
// Of spatial axes only, where all that read p are such nodes. An AveragePool counts zeros that were
// data, so it has to count its padding, and none of its own that it leaves out; with ceil_mode it
// would leave out windows that begin in the padding. A MaxPool pads with minus infinity: that is
// the same where x has nothing below the value that Pad writes, and every window has something of
// x. onnxruntime's PadFusion does the same with less care.
#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/attributes.h"
#include "model/node_queries.h"
#include "passes/graph_queries.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

struct Padding {
  std::vector<int64_t> spatial;  // begins, then ends
  float value = 0;
};

// The constants of a Pad; nothing where they are none or it does not only add to spatial axes.
class PadReader {
 public:
  PadReader(const Model& model, const GraphView& view) : model_(model), view_(view) {}

  // `spatial_axes` of the nodes that read it.
  std::optional<Padding> Read(const onnx::NodeProto& pad, size_t spatial_axes) const {
    if (StringAttribute(pad, "mode", "constant") != "constant") return std::nullopt;
    const size_t rank = spatial_axes + 2;
    const auto amounts = Amounts(pad, rank);
    const auto value = Value(pad);
    if (!amounts || !value) return std::nullopt;
    Padding padding{{}, *value};
    for (size_t i = 0; i < amounts->size(); ++i) {
      const int64_t amount = (*amounts)[i];
      constexpr int64_t kMost = 1 << 20;  // as far as sums of them are no concern
      if (amount < 0 || amount > kMost || (i % rank < 2 && amount != 0)) return std::nullopt;
      if (i % rank >= 2) padding.spatial.push_back(amount);
    }
    return padding;
  }

 private:
  // Begins and ends of all axes. Attributes up to opset 10, inputs from 11, `axes` from 18 on.
  std::optional<std::vector<int64_t>> Amounts(const onnx::NodeProto& pad, size_t rank) const {
    const auto given =
        pad.input_size() > 1 ? Ints(pad, 1) : std::optional(IntsAttribute(pad, "pads"));
    if (!given) return std::nullopt;
    if (!HasInput(pad, 3)) return given->size() == 2 * rank ? given : std::nullopt;
    const auto axes = Ints(pad, 3);
    if (!axes || given->size() != 2 * axes->size()) return std::nullopt;
    std::vector<int64_t> all(2 * rank, 0);
    for (size_t i = 0; i < axes->size(); ++i) {
      const auto size = static_cast<int64_t>(rank);
      const int64_t axis = (*axes)[i] < 0 ? (*axes)[i] + size : (*axes)[i];
      if (axis < 0 || axis >= size) return std::nullopt;
      all[static_cast<size_t>(axis)] = (*given)[i];
      all[static_cast<size_t>(axis) + rank] = (*given)[i + axes->size()];
    }
    return all;
  }

  std::optional<std::vector<int64_t>> Ints(const onnx::NodeProto& pad, int input) const {
    const onnx::TensorProto* tensor = ConstantOf(view_, pad.input(input));
    const bool integer = tensor != nullptr && (tensor->data_type() == onnx::TensorProto::INT64 ||
                                               tensor->data_type() == onnx::TensorProto::INT32);
    constexpr uint64_t kMost = 64;
    if (!integer || ElementCount(*tensor) > kMost) return std::nullopt;
    return model_.tensors().ReadInts(*tensor);
  }

  std::optional<float> Value(const onnx::NodeProto& pad) const {
    if (pad.input_size() <= 1) return FloatAttribute(pad, "value", 0.0f);
    if (!HasInput(pad, 2)) return 0.0f;
    const onnx::TensorProto* tensor = ConstantOf(view_, pad.input(2));
    const bool is_float = tensor != nullptr && (tensor->data_type() == onnx::TensorProto::FLOAT ||
                                                tensor->data_type() == onnx::TensorProto::FLOAT16);
    if (!is_float || ElementCount(*tensor) != 1) return std::nullopt;
    return model_.tensors().ReadFloats(*tensor)[0];
  }

  const Model& model_;
  const GraphView& view_;
};

// Spatial axes of a node that takes padding; nothing where they are not known from its attributes
// and weight.
std::optional<size_t> SpatialAxes(const GraphView& view, const onnx::NodeProto& node) {
  const std::vector<int64_t> kernel = IntsAttribute(node, "kernel_shape");
  if (!kernel.empty()) return kernel.size();
  if (!IsOp(node, "Conv") || !HasInput(node, 1)) return std::nullopt;
  const onnx::TensorProto* weight = view.Initializer(node.input(1));
  if (weight == nullptr || weight->dims_size() < 3) return std::nullopt;
  return static_cast<size_t>(weight->dims_size()) - 2;
}

// Its own padding and that of Pad; nothing where it is not stated.
std::optional<std::vector<int64_t>> SumOfPads(const onnx::NodeProto& node, const Padding& padding) {
  const std::string automatic = StringAttribute(node, "auto_pad", "NOTSET");
  std::vector<int64_t> pads = IntsAttribute(node, "pads");
  if (automatic == "VALID" || pads.empty()) pads.assign(padding.spatial.size(), 0);
  if ((automatic != "NOTSET" && automatic != "VALID") || pads.size() != padding.spatial.size()) {
    return std::nullopt;
  }
  for (size_t i = 0; i < pads.size(); ++i) {
    if (pads[i] < 0 || __builtin_add_overflow(pads[i], padding.spatial[i], &pads[i])) {
      return std::nullopt;
    }
  }
  return pads;
}

// Whether every window of a pool reaches x (what onnxruntime demands of the attributes, too).
bool ReachesData(const onnx::NodeProto& pool, const std::vector<int64_t>& pads) {
  const std::vector<int64_t> dilations = IntsAttribute(pool, "dilations");
  if (std::any_of(dilations.begin(), dilations.end(), [](int64_t d) { return d != 1; })) {
    return false;
  }
  const std::vector<int64_t> kernel = IntsAttribute(pool, "kernel_shape");
  for (size_t i = 0; i < pads.size(); ++i) {
    if (pads[i] >= kernel[i % kernel.size()]) return false;
  }
  return true;
}

bool LeavesOutItsPadding(const onnx::NodeProto& pool) {
  if (IntAttribute(pool, "count_include_pad", 0) != 0) return false;
  if (StringAttribute(pool, "auto_pad", "NOTSET") == "VALID") return false;
  const std::vector<int64_t> pads = IntsAttribute(pool, "pads");
  return std::any_of(pads.begin(), pads.end(), [](int64_t pad) { return pad != 0; });
}

class PadFolder {
 public:
  explicit PadFolder(PassContext& context)
      : graph_(context.model.graph()),
        view_(context.model.graph()),
        opset_(context.model.Opset()),
        model_(context.model),
        reader_(context.model, view_) {}

  int Run() {
    std::vector<bool> remove(static_cast<size_t>(graph_.node_size()), false);
    struct Edit {
      int node;
      std::vector<int64_t> pads;
      std::string data;
    };
    std::vector<Edit> edits;
    int folded = 0;
    for (int i = 0; i < graph_.node_size(); ++i) {
      const onnx::NodeProto& pad = graph_.node(i);
      if (!IsOp(pad, "Pad") || pad.output_size() != 1 || view_.IsGraphOutput(pad.output(0)))
        continue;
      const std::vector<Use>& uses = view_.Uses(pad.output(0));
      std::vector<Edit> takers;
      for (const Use& use : uses) {
        const auto pads = use.input == 0 ? Taken(pad, graph_.node(use.node)) : std::nullopt;
        if (pads) takers.push_back({use.node, *pads, pad.input(0)});
      }
      if (takers.empty() || takers.size() != uses.size()) continue;
      std::move(takers.begin(), takers.end(), std::back_inserter(edits));
      remove[static_cast<size_t>(i)] = true;
      ++folded;
    }
    for (const Edit& edit : edits) {
      onnx::NodeProto* node = graph_.mutable_node(edit.node);
      node->set_input(0, edit.data);
      RemoveAttribute(node, "auto_pad");
      SetAttribute(node, "pads", edit.pads);
      if (IsOp(*node, "AveragePool")) SetAttribute(node, "count_include_pad", int64_t{1});
    }
    RemoveNodes(&graph_, remove);
    return folded;
  }

 private:
  // The padding that `node` has then; nothing where it cannot take it.
  std::optional<std::vector<int64_t>> Taken(const onnx::NodeProto& pad,
                                            const onnx::NodeProto& node) const {
    const bool convolves = IsOp(node, "Conv");
    const bool averages = IsOp(node, "AveragePool");
    const bool picks = IsOp(node, "MaxPool");
    if (!convolves && !averages && !picks) return std::nullopt;
    if (!OutputsUnused(view_, node, 1)) return std::nullopt;  // indices into the padded tensor
    const auto axes = SpatialAxes(view_, node);
    const auto padding = axes ? reader_.Read(pad, *axes) : std::nullopt;
    auto pads = padding ? SumOfPads(node, *padding) : std::nullopt;
    if (!pads || (!convolves && !ReachesData(node, *pads))) return std::nullopt;
    if (!convolves && IntAttribute(node, "ceil_mode", 0) != 0) return std::nullopt;
    if (picks) return NothingBelow(padding->value, pad.input(0)) ? pads : std::nullopt;
    if (padding->value != 0.0f) return std::nullopt;
    constexpr int64_t kFirstThatCounts = 7;
    const bool counts = opset_ >= kFirstThatCounts && !LeavesOutItsPadding(node);
    return convolves || counts ? pads : std::nullopt;
  }

  // Whether no value of the tensor is below `value`: it is the lowest of all, or not above 0 where
  // the tensor's producer writes nothing negative.
  bool NothingBelow(float value, const std::string& tensor) const {
    if (value == -std::numeric_limits<float>::infinity()) return true;
    const int producer = view_.Producer(tensor);
    if (!(value <= 0.0f) || producer < 0) return false;
    const onnx::NodeProto& node = graph_.node(producer);
    if (IsOp(node, "Relu") || IsOp(node, "Sigmoid") || IsOp(node, "HardSigmoid") ||
        IsOp(node, "Softmax") || IsOp(node, "Abs") || IsOp(node, "Exp")) {
      return true;
    }
    if (!IsOp(node, "Clip")) return false;
    if (FindAttribute(node, "min") != nullptr) return FloatAttribute(node, "min", -1.0f) >= 0.0f;
    const onnx::TensorProto* least = HasInput(node, 1) ? ConstantOf(view_, node.input(1)) : nullptr;
    const bool is_float = least != nullptr && (least->data_type() == onnx::TensorProto::FLOAT ||
                                               least->data_type() == onnx::TensorProto::FLOAT16);
    return is_float && ElementCount(*least) == 1 && model_.tensors().ReadFloats(*least)[0] >= 0.0f;
  }

  onnx::GraphProto& graph_;
  const GraphView view_;
  const int64_t opset_;
  const Model& model_;
  const PadReader reader_;
};

}  // namespace

int FoldPad(PassContext& context) { return PadFolder(context).Run(); }

}  // namespace ptq
