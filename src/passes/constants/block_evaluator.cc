#include "passes/constants/block_evaluator.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "model/attributes.h"
#include "model/tensor_builder.h"
#include "passes/constants/constant_kernels.h"

namespace ptq {
namespace {

using onnx::TensorProto;
using Dims = std::vector<int64_t>;

// A box of a tensor.
struct Block {
  Dims begin;
  Dims count;

  uint64_t elements() const {
    uint64_t product = 1;
    for (const int64_t n : count) product *= static_cast<uint64_t>(n);
    return product;
  }
};

Dims DimsOf(const TensorProto& tensor) { return {tensor.dims().begin(), tensor.dims().end()}; }

// The box in memory, read in runs of consecutive bytes.
ConstantTensor ReadBlock(const TensorProto& tensor, const Block& block, const TensorStore& store) {
  const uint64_t width = ElementBytes(tensor.data_type());
  const Dims dims = DimsOf(tensor);
  ConstantTensor out{tensor.data_type(), block.count, {}};
  out.bytes.resize(block.elements() * width);
  if (out.bytes.empty()) return out;
  size_t axis = dims.size();  // a run begins here: all that follows is read whole
  uint64_t run = width;
  uint64_t stride = width;
  std::vector<uint64_t> strides(dims.size());
  for (size_t i = dims.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= static_cast<uint64_t>(dims[i]);
  }
  while (axis > 0) {
    --axis;
    run = strides[axis] * static_cast<uint64_t>(block.count[axis]);
    if (block.count[axis] != dims[axis]) break;
  }
  Dims at(axis, 0);
  for (uint64_t to = 0; to < out.bytes.size(); to += run) {
    uint64_t from = 0;
    for (size_t i = 0; i < dims.size(); ++i) {
      from += static_cast<uint64_t>(block.begin[i] + (i < axis ? at[i] : 0)) * strides[i];
    }
    store.ReadBytes(tensor, from, std::span(out.bytes.data() + to, static_cast<size_t>(run)));
    for (size_t i = axis; i-- > 0;) {
      if (++at[i] < block.count[i]) break;
      at[i] = 0;
    }
  }
  return out;
}

enum class Way { kNone, kElements, kTranspose, kReduce, kExpand };

Way WayOf(std::string_view op) {
  static constexpr std::array<std::string_view, 19> kElementWise = {
      "Abs", "Add", "Cast", "Clip", "Div", "Equal", "Exp",        "Greater", "Less", "Max",
      "Min", "Mul", "Neg",  "Not",  "Pow", "Sqrt",  "Reciprocal", "Sub",     "Where"};
  if (op == "Transpose") return Way::kTranspose;
  if (op == "Expand") return Way::kExpand;
  if (op.starts_with("Reduce")) return Way::kReduce;
  const bool found = std::find(kElementWise.begin(), kElementWise.end(), op) != kElementWise.end();
  return found ? Way::kElements : Way::kNone;
}

class BlockEvaluator {
 public:
  BlockEvaluator(const onnx::NodeProto& node, std::span<const TensorProto* const> inputs,
                 const EvaluationContext& context, TensorStore* store)
      : node_(node),
        way_(WayOf(node.op_type())),
        inputs_(inputs),
        context_(context),
        store_(*store) {}

  std::optional<TensorProto> Run() {
    if (inputs_.empty() || inputs_[0] == nullptr || !Plan()) return std::nullopt;
    uint64_t elements = 1;
    for (const int64_t dim : dims_) {
      if (dim <= 0 || __builtin_mul_overflow(elements, static_cast<uint64_t>(dim), &elements)) {
        return std::nullopt;
      }
    }
    // Blocks are one index of the first axes, a part of the next, and all of the others.
    Block block{Dims(dims_.size(), 0), dims_};
    size_t axis = 0;
    int64_t step = dims_.empty() ? 1 : dims_[0];
    while (Cost(block) > kBlockBytes) {
      if (axis == dims_.size()) return std::nullopt;
      block.count[axis] = 1;
      const uint64_t one = Cost(block);
      step = std::clamp<int64_t>(static_cast<int64_t>(kBlockBytes / std::max<uint64_t>(one, 1)), 1,
                                 dims_[axis]);
      block.count[axis] = step;
      while (step > 1 && Cost(block) > kBlockBytes) block.count[axis] = step /= 2;
      if (Cost(block) > kBlockBytes) step = 1, block.count[axis++] = 1;
    }
    std::optional<TensorProto> result;
    std::optional<TensorStore::Writer> writer;
    for (;;) {
      const std::optional<ConstantTensor> part = EvaluateBlock(block);
      if (!part || part->dims != block.count) return std::nullopt;
      if (!result) {
        const uint64_t size = elements * ElementBytes(part->type);
        if (size > context_.largest_result) return std::nullopt;
        result = EmptyTensor("", part->type, dims_);
        writer = store_.Begin(&*result, size);
      }
      writer->Append(part->bytes);
      if (!Next(axis, step, &block)) return result;
    }
  }

 private:
  // The shape of the result, and of the small inputs that say what to do their values.
  bool Plan() {
    for (size_t i = 0; i < inputs_.size(); ++i) {
      ConstantTensor shape{0, {}, {}};
      if (inputs_[i] != nullptr) {
        shape = {inputs_[i]->data_type(), DimsOf(*inputs_[i]), {}};
        if (IsParameter(i)) {
          if (store_.ByteSize(*inputs_[i]) > kInlineLimit) return false;
          shape.bytes.resize(store_.ByteSize(*inputs_[i]));
          store_.ReadBytes(*inputs_[i], 0, shape.bytes);
        } else if (ElementBytes(shape.type) == 0) {
          return false;
        }
      }
      shapes_.push_back(std::move(shape));
    }
    const size_t rank = shapes_[0].dims.size();
    if (way_ == Way::kReduce) {
      const auto reduced = ReducedAxes(node_, Pointers(), rank);
      if (!reduced) return false;
      const bool keeps = IntAttribute(node_, "keepdims", 1) != 0;
      for (size_t i = 0; i < rank; ++i) {
        const bool gone = (*reduced)[i] && !keeps;
        axis_of_.push_back((*reduced)[i] ? -1 : static_cast<int64_t>(dims_.size()));
        if (!gone) dims_.push_back((*reduced)[i] ? 1 : shapes_[0].dims[i]);
      }
      return true;
    }
    if (way_ == Way::kTranspose) {
      Dims order = IntsAttribute(node_, "perm");
      for (size_t i = rank; order.size() < rank && i-- > 0;)
        order.push_back(static_cast<int64_t>(i));
      axis_of_.assign(rank, -1);
      if (order.size() != rank) return false;
      for (size_t i = 0; i < rank; ++i) {
        const auto from = static_cast<size_t>(order[i]);
        if (order[i] < 0 || from >= rank || axis_of_[from] != -1) return false;
        axis_of_[from] = static_cast<int64_t>(i);
        dims_.push_back(shapes_[0].dims[from]);
      }
      return true;
    }
    std::vector<const ConstantTensor*> shapes;
    ConstantTensor target{0, {}, {}};
    for (size_t i = 0; i < shapes_.size(); ++i) {
      if (inputs_[i] != nullptr && !IsParameter(i)) shapes.push_back(&shapes_[i]);
    }
    if (way_ == Way::kExpand) {
      const auto wanted = shapes_.size() == 2 ? IntsOf(&shapes_[1]) : std::nullopt;
      if (!wanted) return false;
      target.dims = *wanted;
      shapes.push_back(&target);
    }
    const auto dims = BroadcastDims(shapes);
    if (dims) dims_ = *dims;
    return dims.has_value();
  }

  // Read whole, whatever the block.
  bool IsParameter(size_t input) const {
    const bool first_is_data = way_ == Way::kReduce || way_ == Way::kExpand ||
                               node_.op_type() == "Clip" || node_.op_type() == "Cast";
    return first_is_data && input > 0;
  }

  std::vector<const ConstantTensor*> Pointers() const {
    std::vector<const ConstantTensor*> pointers;
    for (size_t i = 0; i < shapes_.size(); ++i) {
      pointers.push_back(inputs_[i] == nullptr ? nullptr : &shapes_[i]);
    }
    return pointers;
  }

  // What of an input a block of the result is made of.
  Block From(size_t input, const Block& block) const {
    const Dims& dims = shapes_[input].dims;
    Block from{Dims(dims.size(), 0), dims};
    const bool by_axis = way_ == Way::kReduce || way_ == Way::kTranspose;
    for (size_t i = 0; i < dims.size(); ++i) {
      const int64_t axis =
          by_axis ? axis_of_[i] : static_cast<int64_t>(i + dims_.size() - dims.size());
      if (axis < 0 || (!by_axis && dims[i] == 1)) continue;
      from.begin[i] = block.begin[static_cast<size_t>(axis)];
      from.count[i] = block.count[static_cast<size_t>(axis)];
    }
    return from;
  }

  uint64_t Cost(const Block& block) const {
    uint64_t bytes = block.elements() * sizeof(float);
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (inputs_[i] == nullptr || IsParameter(i)) continue;
      bytes += From(i, block).elements() * ElementBytes(shapes_[i].type);
    }
    return bytes;
  }

  std::optional<ConstantTensor> EvaluateBlock(const Block& block) {
    std::vector<ConstantTensor> parts(inputs_.size());
    std::vector<const ConstantTensor*> pointers(inputs_.size(), nullptr);
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (inputs_[i] == nullptr) continue;
      pointers[i] = IsParameter(i) ? &shapes_[i] : &parts[i];
      if (!IsParameter(i)) parts[i] = ReadBlock(*inputs_[i], From(i, block), store_);
    }
    if (way_ == Way::kExpand) {
      parts[1] = {TensorProto::INT64, {static_cast<int64_t>(block.count.size())}, {}};
      StoreInts(block.count, &parts[1]);
      pointers[1] = &parts[1];
    }
    return Evaluate(node_, pointers, {context_.opset, 4 * kBlockBytes, context_.tensors});
  }

  bool Next(size_t axis, int64_t step, Block* block) const {
    for (size_t i = std::min(axis + 1, dims_.size()); i-- > 0;) {
      block->begin[i] += i == axis ? step : 1;
      if (block->begin[i] < dims_[i]) {
        if (i == axis) block->count[i] = std::min(step, dims_[i] - block->begin[i]);
        return true;
      }
      block->begin[i] = 0;
      if (i == axis) block->count[i] = std::min(step, dims_[i]);
    }
    return false;
  }

  const onnx::NodeProto& node_;
  const Way way_;
  const std::span<const TensorProto* const> inputs_;
  const EvaluationContext& context_;
  TensorStore& store_;
  std::vector<ConstantTensor> shapes_;  // of the inputs; parameters with their data
  Dims dims_;                           // of the result
  Dims axis_of_;  // for each axis of input 0 that of the result, -1: none; Transpose and reductions
};

}  // namespace

bool CanEvaluateInBlocks(const onnx::NodeProto& node) {
  return WayOf(node.op_type()) != Way::kNone;
}

std::optional<TensorProto> EvaluateInBlocks(const onnx::NodeProto& node,
                                            std::span<const TensorProto* const> inputs,
                                            const EvaluationContext& context, TensorStore* store) {
  return BlockEvaluator(node, inputs, context, store).Run();
}

}  // namespace ptq
