// Every second row and column, sliced four times and concatenated, becomes SpaceToDepth.
//
//   before: tl = Slice(x, …)   bl = …   tr = …   br = …   c = Concat <axis = 1>(tl, bl, tr, br)
//   after:  s = SpaceToDepth <blocksize = 2>(x)   c = Gather <axis = 1>(s, channels)
//
// So YOLO's Focus is exported, as eight slices. SpaceToDepth gives tl, tr, bl, br; no Gather where
// that is the order. Permuting the weight of the Conv behind it instead would add up its products
// in another order, of which yolox_nano makes 7e-5 of its largest output. Concat needs parts of one
// size, so the image is a multiple of the block.
#include <algorithm>
#include <limits>

#include "model/attributes.h"
#include "model/node_builder.h"
#include "model/node_queries.h"
#include "model/tensor_builder.h"
#include "passes/ir_version.h"
#include "passes/known_values.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

// Rows and columns of `source` from `first[0]` and `first[1]` on, in steps.
struct Part {
  std::string source;
  int64_t first[2] = {0, 0};
  int64_t step[2] = {1, 1};
};

struct Blocks {
  int concat;
  std::string source;
  int64_t size;
  std::vector<int64_t> order;  // of the Concat's inputs, as SpaceToDepth numbers them
  int64_t channels = 0;        // of the source, where the order matters
};

class SpaceToDepthFinder {
 public:
  SpaceToDepthFinder(PassContext& context, const GraphView& view)
      : model_(context.model), view_(view), known_(context, view) {}

  std::optional<Blocks> Find(int index) {
    const onnx::NodeProto& node = view_.node(index);
    const int64_t axis = IntAttribute(node, "axis", 0);
    if (!IsOp(node, "Concat") || (axis != 1 && axis != -3) || node.input_size() < 4) {
      return std::nullopt;
    }
    Blocks blocks{index, "", 0, {}};
    for (const std::string& input : node.input()) {
      const std::optional<Part> part = PartOf(input);
      if (!part || part->step[0] != part->step[1]) return std::nullopt;
      if (blocks.order.empty()) {
        blocks.source = part->source;
        blocks.size = part->step[0];
      }
      if (part->source != blocks.source || part->step[0] != blocks.size) return std::nullopt;
      blocks.order.push_back(part->first[0] * blocks.size + part->first[1]);
    }
    std::vector<int64_t> sorted = blocks.order;
    std::sort(sorted.begin(), sorted.end());
    const auto count = static_cast<size_t>(blocks.size * blocks.size);
    if (sorted.size() != count) return std::nullopt;
    for (size_t i = 0; i < count; ++i) {
      if (sorted[i] != static_cast<int64_t>(i)) return std::nullopt;
    }
    const auto dims = known_.DimsOf(blocks.source);
    if (!dims || dims->size() != 4 || known_.TypeOf(blocks.source) != onnx::TensorProto::FLOAT) {
      return std::nullopt;
    }
    if (std::is_sorted(blocks.order.begin(), blocks.order.end())) return blocks;
    const Element& channels = (*dims)[1];
    if (!channels.IsNumber() || channels.value < 1) return std::nullopt;
    blocks.channels = channels.value;
    return blocks;
  }

 private:
  // Slices in a row, each of rows or columns or both.
  std::optional<Part> PartOf(const std::string& tensor) {
    Part part{tensor};
    for (int i = 0; i < 2 && (part.step[0] == 1 || part.step[1] == 1); ++i) {
      const int producer = view_.Producer(part.source);
      if (producer < 0 || !IsOp(view_.node(producer), "Slice")) break;
      if (!Follow(view_.node(producer), &part)) return std::nullopt;
    }
    constexpr int64_t kLargest = 8;
    const bool steps = part.step[0] > 1 && part.step[0] <= kLargest;
    return steps ? std::optional(std::move(part)) : std::nullopt;
  }

  bool Follow(const onnx::NodeProto& slice, Part* part) {
    const auto arguments = SliceArgumentsOf(slice, model_.Opset(), &known_);
    const auto dims = known_.DimsOf(slice.input(0));
    if (!arguments || !dims || dims->size() != 4) return false;
    constexpr int64_t kToTheEnd = std::numeric_limits<int32_t>::max();
    for (size_t i = 0; i < arguments->axes.size(); ++i) {
      const int64_t axis = arguments->axes[i] < 0 ? arguments->axes[i] + 4 : arguments->axes[i];
      if (axis < 0 || axis > 3) return false;
      const Element& end = arguments->ends[i];
      const Element& dim = (*dims)[static_cast<size_t>(axis)];
      const int64_t least = dim.IsNumber() ? dim.value : kToTheEnd;
      if (!(end == dim) && !(end.IsNumber() && end.value >= least)) return false;
      const int64_t start = arguments->starts[i];
      const int64_t step = arguments->steps[i];
      if (start == 0 && step == 1) continue;
      const auto at = static_cast<size_t>(axis - 2);
      if (axis < 2 || step < 2 || start < 0 || start >= step || part->step[at] != 1) return false;
      part->first[at] = start;
      part->step[at] = step;
    }
    part->source = slice.input(0);
    return true;
  }

  const Model& model_;
  const GraphView& view_;
  KnownValues known_;
};

// The channels of SpaceToDepth in the order of the Concat.
std::vector<int64_t> Channels(const Blocks& blocks) {
  std::vector<int64_t> channels;
  for (const int64_t block : blocks.order) {
    for (int64_t c = 0; c < blocks.channels; ++c) channels.push_back(block * blocks.channels + c);
  }
  return channels;
}

}  // namespace

int FuseSpaceToDepth(PassContext& context) {
  Model& model = context.model;
  onnx::GraphProto& graph = model.graph();
  std::vector<Blocks> found;
  {
    const GraphView view(graph);
    SpaceToDepthFinder finder(context, view);
    for (int i = 0; i < graph.node_size(); ++i) {
      if (std::optional<Blocks> blocks = finder.Find(i)) found.push_back(std::move(*blocks));
    }
  }
  if (found.empty()) return 0;
  UniqueNames names(graph);
  std::vector<onnx::TensorProto> made;
  std::unordered_map<int, onnx::NodeProto> in_front;  // of a Gather
  for (const Blocks& blocks : found) {
    const onnx::NodeProto& concat = graph.node(blocks.concat);
    const std::string& output = concat.output(0);
    const bool ordered = std::is_sorted(blocks.order.begin(), blocks.order.end());
    const std::string result = ordered ? output : names.Make(output + "_space_to_depth");
    onnx::NodeProto node = MakeNode("SpaceToDepth", {blocks.source}, {result}, concat.name());
    SetAttribute(&node, "blocksize", blocks.size);
    if (!ordered) {
      node.set_name(names.Make(concat.name() + "_space_to_depth"));
      const std::string indices = names.Make(output + "_channels");
      const std::vector<int64_t> channels = Channels(blocks);
      const std::vector<int64_t> dims = {static_cast<int64_t>(channels.size())};
      made.push_back(IntTensor(indices, onnx::TensorProto::INT64, dims, channels));
      onnx::NodeProto gather = MakeNode("Gather", {result, indices}, {output}, concat.name());
      SetAttribute(&gather, "axis", int64_t{1});
      in_front.emplace(blocks.concat, std::move(node));
      node = std::move(gather);
    }
    graph.mutable_node(blocks.concat)->Swap(&node);
  }
  google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;
  for (int i = 0; i < graph.node_size(); ++i) {
    const auto before = in_front.find(i);
    if (before != in_front.end()) nodes.Add()->Swap(&before->second);
    nodes.Add()->Swap(graph.mutable_node(i));
  }
  graph.mutable_node()->Swap(&nodes);
  for (onnx::TensorProto& tensor : made) graph.add_initializer()->Swap(&tensor);
  if (!made.empty()) RaiseIrVersion(model, 4);
  return static_cast<int>(found.size());
}

}  // namespace ptq
