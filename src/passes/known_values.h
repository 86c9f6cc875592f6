// What is known of tensors before the model runs: types and dimensions, by inference from the
// graph's inputs, and the elements of small integer tensors (shapes, axes, ends of slices), as far
// as they are numbers or dimensions with a name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/graph_view.h"
#include "passes/pass.h"

namespace ptq {

// A number, or one that is not known but has a name: two of the same name are equal.
struct Element {
  int64_t value = 0;
  std::string symbol;         // empty: the number counts
  bool is_dimension = false;  // of a tensor: not negative

  bool IsNumber() const { return symbol.empty(); }
  bool operator==(const Element& other) const {
    return symbol == other.symbol && (!symbol.empty() || value == other.value);
  }
};

using Elements = std::vector<Element>;

// The elements as numbers; nothing where one is none.
std::optional<std::vector<int64_t>> NumbersOf(const std::optional<Elements>& elements);

// An integer tensor of rank 0 or 1.
struct SmallTensor {
  int32_t type = 0;  // onnx::TensorProto: INT64, INT32 or BOOL
  bool scalar = false;
  Elements elements;
};

// Of one state of a model; valid until the graph is changed, the shapes until the pass ends.
class KnownValues {
 public:
  // Both are kept, not owned.
  KnownValues(PassContext& context, const GraphView& view) : context_(context), view_(view) {}

  // Whether the elements of the node's only output may follow from those of its inputs.
  static bool Follows(const onnx::NodeProto& node);

  // onnx::TensorProto element type; 0 where it is not known.
  int32_t TypeOf(const std::string& tensor);

  // Nothing where the rank is not known. A dimension without a name has one of its own.
  std::optional<Elements> DimsOf(const std::string& tensor);

  // Nothing where the tensor is of another type or rank, or its number of elements is not known.
  std::optional<SmallTensor> ValuesOf(const std::string& tensor) { return Find(tensor); }

  // The elements of such a tensor.
  std::optional<Elements> ElementsOf(const std::string& tensor);

 private:
  const GraphView& Shapes() { return context_.types.Of(context_.model); }
  std::optional<SmallTensor> Find(const std::string& tensor);
  std::optional<SmallTensor> Constant(const onnx::TensorProto& tensor) const;
  std::optional<SmallTensor> Unknown(const std::string& tensor);
  std::optional<SmallTensor> Evaluate(const onnx::NodeProto& node);
  std::optional<SmallTensor> Shape(const onnx::NodeProto& node);
  std::optional<SmallTensor> Concat(const onnx::NodeProto& node);
  std::optional<SmallTensor> Gather(const onnx::NodeProto& node, const SmallTensor& data);
  std::optional<SmallTensor> Slice(const onnx::NodeProto& node, const SmallTensor& data);
  std::optional<SmallTensor> Binary(const onnx::NodeProto& node, const SmallTensor& a);
  std::optional<SmallTensor> Where(const onnx::NodeProto& node, const SmallTensor& condition);
  std::optional<SmallTensor> ConstantOfShape(const onnx::NodeProto& node,
                                             const SmallTensor& shape) const;

  PassContext& context_;
  const GraphView& view_;
  std::unordered_map<std::string, std::optional<SmallTensor>> values_;
  int depth_ = 0;  // of nodes that are being evaluated
};

// The arguments of a Slice, by axis in the order of the node.
struct SliceArguments {
  std::vector<int64_t> starts;
  Elements ends;
  std::vector<int64_t> axes;   // as written: negative ones count from the end
  std::vector<int64_t> steps;  // not 0
};

// From attributes (up to opset 9) or inputs. Nothing where starts, axes or steps are not known.
std::optional<SliceArguments> SliceArgumentsOf(const onnx::NodeProto& node, int64_t opset,
                                               KnownValues* known);

// The axes of Squeeze, Unsqueeze or a reduction, as written, by attribute or input 1; empty where
// the node gives none, nothing where they are not known.
std::optional<std::vector<int64_t>> AxesOf(const onnx::NodeProto& node, KnownValues* known);

}  // namespace ptq
