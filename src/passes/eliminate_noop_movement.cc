// What moves every element to where it is already is bypassed: y = x.
//
//   Transpose <perm = [0, 1, 2]>    Reshape to the shape that x has    Slice from the first to the
//   last Expand to the shape of x        Tile once        Pad by nothing    Concat, Split of one
//   Flatten of a matrix             Squeeze where no dimension is 1    Resize to the same size
//
// Where a dimension has no number, its name tells: Reshape(x, Shape(x)) on float[N,3].
#include <algorithm>
#include <limits>

#include "model/attributes.h"
#include "model/node_queries.h"
#include "passes/bypass_nodes.h"
#include "passes/graph_queries.h"
#include "passes/known_values.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

bool All(const std::vector<int64_t>& values, int64_t wanted) {
  return std::all_of(values.begin(), values.end(), [&](int64_t value) { return value == wanted; });
}

class NoopMovement {
 public:
  NoopMovement(PassContext& context, const GraphView& view)
      : model_(context.model), view_(view), known_(context, view) {}

  bool Is(const onnx::NodeProto& node) {
    if (!HasInput(node, 0) || !OutputsUnused(view_, node, 1)) return false;
    if (IsOp(node, "Transpose")) return IsNoopTranspose(node);
    if (IsOp(node, "Reshape")) return IsNoopReshape(node);
    if (IsOp(node, "Flatten")) return IsNoopFlatten(node);
    if (IsOp(node, "Squeeze")) return IsNoopSqueeze(node);
    if (IsOp(node, "Slice")) return IsNoopSlice(node);
    if (IsOp(node, "Expand")) return IsNoopExpand(node);
    if (IsOp(node, "Tile")) return IsAll(node, 1, 1);
    if (IsOp(node, "Pad")) return IsNoopPad(node);
    if (IsOp(node, "Resize")) return IsNoopResize(node);
    if (IsOp(node, "Concat")) return node.input_size() == 1;
    if (IsOp(node, "Split")) return node.output_size() == 1;
    return false;
  }

 private:
  // Whether input `input` is an integer tensor of this value alone.
  bool IsAll(const onnx::NodeProto& node, int input, int64_t value) {
    if (!HasInput(node, input)) return false;
    const auto values = NumbersOf(known_.ElementsOf(node.input(input)));
    return values && !values->empty() && All(*values, value);
  }

  static bool IsNoopTranspose(const onnx::NodeProto& node) {
    const std::vector<int64_t> order = IntsAttribute(node, "perm");
    return !order.empty() && std::is_sorted(order.begin(), order.end());
  }

  bool IsNoopReshape(const onnx::NodeProto& node) {
    const auto shape = HasInput(node, 1) ? known_.ElementsOf(node.input(1)) : std::nullopt;
    if (!shape) return false;
    const auto dims = known_.DimsOf(node.input(0));
    if (!dims || dims->size() != shape->size()) return false;
    const bool copy_zeros = IntAttribute(node, "allowzero", 0) == 0;
    int rests = 0;  // -1: what is left, which is the dimension if it is the only one
    for (size_t i = 0; i < shape->size(); ++i) {
      const Element& element = (*shape)[i];
      const bool copied = element.IsNumber() && element.value == 0 && copy_zeros;
      const bool rest = element.IsNumber() && element.value == -1;
      rests += rest ? 1 : 0;
      if (!copied && !rest && !(element == (*dims)[i])) return false;
    }
    return rests <= 1;
  }

  bool IsNoopFlatten(const onnx::NodeProto& node) {
    const int64_t axis = IntAttribute(node, "axis", 1);
    if (axis != 1 && axis != -1) return false;
    const auto dims = known_.DimsOf(node.input(0));
    return dims && dims->size() == 2;
  }

  // The one that names no axes.
  bool IsNoopSqueeze(const onnx::NodeProto& node) {
    if (HasInput(node, 1) || FindAttribute(node, "axes") != nullptr) return false;
    const auto dims = NumbersOf(known_.DimsOf(node.input(0)));
    return dims && std::find(dims->begin(), dims->end(), 1) == dims->end();
  }

  bool IsNoopSlice(const onnx::NodeProto& node) {
    const auto slice = SliceArgumentsOf(node, model_.Opset(), &known_);
    if (!slice || !All(slice->steps, 1) || !All(slice->starts, 0)) return false;
    constexpr int64_t kToTheEnd = std::numeric_limits<int32_t>::max();
    for (size_t i = 0; i < slice->ends.size(); ++i) {
      const Element& end = slice->ends[i];
      if (end.IsNumber() && end.value >= kToTheEnd) continue;
      const auto dims = known_.DimsOf(node.input(0));
      if (!dims) return false;
      const auto rank = static_cast<int64_t>(dims->size());
      const int64_t axis = slice->axes[i] < 0 ? slice->axes[i] + rank : slice->axes[i];
      if (axis < 0 || axis >= rank) return false;
      const Element& dim = (*dims)[static_cast<size_t>(axis)];
      const bool beyond = dim.IsNumber() && end.IsNumber() && end.value >= dim.value;
      if (!beyond && !(end == dim)) return false;
    }
    return true;
  }

  bool IsNoopExpand(const onnx::NodeProto& node) {
    const auto shape = HasInput(node, 1) ? known_.ElementsOf(node.input(1)) : std::nullopt;
    if (!shape) return false;
    const auto dims = known_.DimsOf(node.input(0));
    if (!dims || shape->size() > dims->size()) return false;
    for (size_t i = 0; i < shape->size(); ++i) {
      const Element& element = (*shape)[i];
      const Element& dim = (*dims)[dims->size() - shape->size() + i];
      if (!(element.IsNumber() && element.value == 1) && !(element == dim)) return false;
    }
    return true;
  }

  bool IsNoopPad(const onnx::NodeProto& node) {
    if (model_.Opset() >= 11) return IsAll(node, 1, 0);
    const std::vector<int64_t> pads = IntsAttribute(node, "pads");
    return !pads.empty() && All(pads, 0);
  }

  // By factors of 1, in the modes that then take each element as it is.
  bool IsNoopResize(const onnx::NodeProto& node) const {
    const std::string mode = StringAttribute(node, "mode", "nearest");
    const std::string coordinates =
        StringAttribute(node, "coordinate_transformation_mode", "half_pixel");
    const bool exact = (mode == "nearest" || mode == "linear") &&
                       (coordinates == "half_pixel" || coordinates == "asymmetric");
    const int scales = model_.Opset() >= 11 ? 2 : 1;
    if (!exact || !HasInput(node, scales) || HasInput(node, 3)) return false;
    const onnx::TensorProto* factors = ConstantOf(view_, node.input(scales));
    if (factors == nullptr || factors->data_type() != onnx::TensorProto::FLOAT) return false;
    const std::vector<float> values = model_.tensors().ReadFloats(*factors);
    return !values.empty() &&
           std::all_of(values.begin(), values.end(), [](float factor) { return factor == 1.0f; });
  }

  const Model& model_;
  const GraphView& view_;
  KnownValues known_;
};

}  // namespace

int EliminateNoopMovement(PassContext& context) {
  onnx::GraphProto& graph = context.model.graph();
  const GraphView view(graph);
  NoopMovement noop(context, view);
  return BypassNodes(&graph,
                     [&](const onnx::NodeProto& node, const GraphView&) { return noop.Is(node); });
}

}  // namespace ptq
