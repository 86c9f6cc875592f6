// Reshape, Transpose, Reshape that move blocks of channels into rows and columns, or back, become
// DepthToSpace or SpaceToDepth.
//
//   before: a = Reshape(x, [N, 3, 2, 2, H, W])   b = Transpose <perm = [0, 1, 4, 2, 5, 3]>(a)
//           y = Reshape(b, [N, 3, 2 * H, 2 * W])
//   after:  y = DepthToSpace <blocksize = 2, mode = "CRD">(x)
//
// PyTorch's pixel_shuffle and TensorFlow's depth_to_space and space_to_depth, taken apart by an
// exporter. Other splits of the same look (channel shuffle, the heads of attention) stay as they
// are. All dimensions but the batch have to be known.
#include <algorithm>
#include <array>

#include "model/attributes.h"
#include "model/node_queries.h"
#include "passes/channel_weights.h"
#include "passes/known_values.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

struct Fused {
  int last;  // node
  std::string source;
  const char* op_type;
  const char* mode;  // of DepthToSpace
  int64_t block;
};

struct Form {
  std::array<int64_t, 6> order;
  const char* op_type;
  const char* mode;
  // Places in the middle shape of channels, both block dimensions, rows and columns.
  int channels, down, across, rows, columns;
};

constexpr Form kForms[] = {
    {{0, 3, 4, 1, 5, 2}, "DepthToSpace", "DCR", 3, 1, 2, 4, 5},
    {{0, 1, 4, 2, 5, 3}, "DepthToSpace", "CRD", 1, 2, 3, 4, 5},
    {{0, 3, 5, 1, 2, 4}, "SpaceToDepth", nullptr, 1, 3, 5, 2, 4},
};

class DepthToSpaceFinder {
 public:
  DepthToSpaceFinder(PassContext& context, const GraphView& view)
      : model_(context.model), view_(view), known_(context, view) {}

  std::optional<Fused> Find(int index) {
    const onnx::NodeProto& last = view_.node(index);
    if (!IsOp(last, "Reshape") || !HasInput(last, 1)) return std::nullopt;
    const onnx::NodeProto* transpose = Before(last, "Transpose");
    if (transpose == nullptr) return std::nullopt;
    const std::vector<int64_t> order = IntsAttribute(*transpose, "perm");
    const auto form =
        std::find_if(std::begin(kForms), std::end(kForms), [&](const Form& candidate) {
          return std::equal(order.begin(), order.end(), candidate.order.begin(),
                            candidate.order.end());
        });
    const onnx::NodeProto* first = Before(*transpose, "Reshape");
    if (form == std::end(kForms) || first == nullptr) return std::nullopt;
    if (form->mode != nullptr && model_.Opset() < 11) return std::nullopt;  // only DCR, unnamed
    const std::string& source = first->input(0);
    if (known_.TypeOf(source) != onnx::TensorProto::FLOAT) return std::nullopt;
    const auto from = known_.DimsOf(source);
    const auto middle = known_.DimsOf(first->output(0));
    const auto to = known_.DimsOf(last.output(0));
    if (!from || !middle || !to || from->size() != 4 || middle->size() != 6 || to->size() != 4) {
      return std::nullopt;
    }
    if (!((*from)[0] == (*middle)[0]) || !((*from)[0] == (*to)[0])) return std::nullopt;
    const auto at = [](const Elements& dims, int i) {
      const Element& dim = dims[static_cast<size_t>(i)];
      return dim.IsNumber() ? dim.value : -1;
    };
    const int64_t block = at(*middle, form->down);
    const int64_t channels = at(*middle, form->channels);
    const int64_t rows = at(*middle, form->rows);
    const int64_t columns = at(*middle, form->columns);
    constexpr int64_t kLargest = 64;
    if (block < 2 || block > kLargest || at(*middle, form->across) != block || channels < 1 ||
        rows < 1 || columns < 1) {
      return std::nullopt;
    }
    const Elements& deep = form->mode != nullptr ? *from : *to;
    const Elements& wide = form->mode != nullptr ? *to : *from;
    const bool fits = at(deep, 1) == channels * block * block && at(deep, 2) == rows &&
                      at(deep, 3) == columns && at(wide, 1) == channels &&
                      at(wide, 2) == rows * block && at(wide, 3) == columns * block;
    if (!fits) return std::nullopt;
    return Fused{index, source, form->op_type, form->mode, block};
  }

 private:
  // The node of that type that makes input 0 for this node alone.
  const onnx::NodeProto* Before(const onnx::NodeProto& node, std::string_view op_type) const {
    const int producer = view_.Producer(node.input(0));
    const bool fits = producer >= 0 && IsOp(view_.node(producer), op_type) &&
                      HasInput(view_.node(producer), 0) && OnlyReader(view_, node.input(0)) >= 0;
    return fits ? &view_.node(producer) : nullptr;
  }

  const Model& model_;
  const GraphView& view_;
  KnownValues known_;
};

}  // namespace

int FuseDepthToSpace(PassContext& context) {
  onnx::GraphProto& graph = context.model.graph();
  std::vector<Fused> found;
  {
    const GraphView view(graph);
    DepthToSpaceFinder finder(context, view);
    for (int i = 0; i < graph.node_size(); ++i) {
      if (std::optional<Fused> fused = finder.Find(i)) found.push_back(std::move(*fused));
    }
  }
  for (const Fused& fused : found) {
    onnx::NodeProto* node = graph.mutable_node(fused.last);
    node->set_op_type(fused.op_type);
    node->clear_attribute();
    node->clear_input();
    node->add_input(fused.source);
    SetAttribute(node, "blocksize", fused.block);
    if (fused.mode != nullptr) SetAttribute(node, "mode", std::string(fused.mode));
  }
  return static_cast<int>(found.size());
}

}  // namespace ptq
