// Operators of which an attribute became an input.
//
//   before: y = Clip <min = 0.0, max = 6.0> (x)
//   after:  y = Clip(x, y_min, y_max)   <y_min = 0, y_max = 6>
//
// An absent attribute is an absent input wherever both have the same default.
#include <string>

#include "model/attributes.h"
#include "passes/opset/adapter.h"

namespace ptq {
namespace {

// Moves a list attribute to the input; false where it is absent.
bool MoveInts(const char* attribute, int input, onnx::NodeProto* node, UpgradeContext& context) {
  if (FindAttribute(*node, attribute) == nullptr) return false;
  const std::vector<int64_t> values = IntsAttribute(*node, attribute);
  RemoveAttribute(node, attribute);
  SetInput(node, input, AddInts(context, *node, attribute, values));
  return true;
}

void MoveFloat(const char* attribute, int input, onnx::NodeProto* node, UpgradeContext& context) {
  if (FindAttribute(*node, attribute) == nullptr) return;
  const float value = FloatAttribute(*node, attribute, 0.0f);
  RemoveAttribute(node, attribute);
  SetInput(node, input, AddReal(context, *node, attribute, {}, {value}));
}

void DropMask(onnx::NodeProto* node, int opset, UpgradeContext& context) {
  if (node->output_size() < 2) return;
  if (context.IsRead(node->output(1))) {
    FailUpgrade(*node,
                "has a mask that is read, which opset " + std::to_string(opset) + " changed.");
  }
  node->mutable_output()->DeleteSubrange(1, node->output_size() - 1);
}

}  // namespace

// Squeeze, Unsqueeze and ReduceSum at 13, the other reductions at 18. An empty list means the same
// as none.
void AdaptAxesToInput(onnx::NodeProto& node, UpgradeContext& context) {
  if (IntsAttribute(node, "axes").empty()) RemoveAttribute(&node, "axes");
  MoveInts("axes", 1, &node, context);
  context.Emit(std::move(node));
}

void AdaptClip(onnx::NodeProto& node, UpgradeContext& context) {
  MoveFloat("min", 1, &node, context);
  MoveFloat("max", 2, &node, context);
  context.Emit(std::move(node));
}

// The default axis was 1 and is -2.
void AdaptDft(onnx::NodeProto& node, UpgradeContext& context) {
  const int64_t axis = IntAttribute(node, "axis", 1);
  RemoveAttribute(&node, "axis");
  SetInput(&node, 2, AddIntScalar(context, node, "axis", axis));
  context.Emit(std::move(node));
}

// The mask was of the data's type and is boolean.
void AdaptDropout10(onnx::NodeProto& node, UpgradeContext& context) {
  DropMask(&node, 10, context);
  context.Emit(std::move(node));
}

// What the mask holds in inference was open and is all true.
void AdaptDropout12(onnx::NodeProto& node, UpgradeContext& context) {
  DropMask(&node, 12, context);
  MoveFloat("ratio", 1, &node, context);
  context.Emit(std::move(node));
}

void AdaptPad(onnx::NodeProto& node, UpgradeContext& context) {
  if (!MoveInts("pads", 1, &node, context)) FailUpgrade(node, "lacks its pads.");
  // 0 is the default, and other modes have no value.
  if (FloatAttribute(node, "value", 0.0f) == 0.0f ||
      StringAttribute(node, "mode", "constant") != "constant") {
    RemoveAttribute(&node, "value");
  }
  MoveFloat("value", 2, &node, context);
  context.Emit(std::move(node));
}

void AdaptSlice(onnx::NodeProto& node, UpgradeContext& context) {
  MoveInts("starts", 1, &node, context);
  MoveInts("ends", 2, &node, context);
  MoveInts("axes", 3, &node, context);
  context.Emit(std::move(node));
}

void AdaptSplit13(onnx::NodeProto& node, UpgradeContext& context) {
  if (IntsAttribute(node, "split").empty()) RemoveAttribute(&node, "split");
  MoveInts("split", 1, &node, context);
  context.Emit(std::move(node));
}

// Equal parts have to be counted.
void AdaptSplit18(onnx::NodeProto& node, UpgradeContext& context) {
  const bool listed = node.input_size() > 1 && !node.input(1).empty();
  if (!listed) SetAttribute(&node, "num_outputs", int64_t{node.output_size()});
  context.Emit(std::move(node));
}

void AdaptTopK(onnx::NodeProto& node, UpgradeContext& context) {
  const int64_t k = IntAttribute(node, "k", 0);
  RemoveAttribute(&node, "k");
  SetInput(&node, 1, AddInts(context, node, "k", {k}));
  context.Emit(std::move(node));
}

void AdaptUpsample9(onnx::NodeProto& node, UpgradeContext& context) {
  const onnx::AttributeProto* scales = FindAttribute(node, "scales");
  if (scales == nullptr) FailUpgrade(node, "lacks its scales.");
  const std::vector<float> values(scales->floats().begin(), scales->floats().end());
  RemoveAttribute(&node, "scales");
  SetInput(&node, 1, AddFloats(context, node, "scales", values));
  context.Emit(std::move(node));
}

}  // namespace ptq
