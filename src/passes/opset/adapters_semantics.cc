// Operators whose nodes mean something else in the newer opset, or have another name there.
#include <algorithm>

#include "model/attributes.h"
#include "model/node_builder.h"
#include "passes/opset/adapter.h"

namespace ptq {
namespace {

// The axis over which the flattened Softmax runs if it is a single one: -1 where it may be several.
int64_t SingleAxis(const std::vector<int64_t>& dims, int64_t axis) {
  const auto rank = static_cast<int64_t>(dims.size());
  int64_t single = rank - 1;
  int wide = 0;
  for (int64_t i = axis; i < rank; ++i) {
    if (dims[static_cast<size_t>(i)] == 1) continue;
    single = i;
    ++wide;
  }
  return wide <= 1 ? single : -1;
}

}  // namespace

// `spatial` = 0 had a mean for every position; nobody implements it any more.
void AdaptBatchNormalization9(onnx::NodeProto& node, UpgradeContext& context) {
  if (IntAttribute(node, "spatial", 1) != 1) {
    FailUpgrade(node, "normalizes every position by itself (spatial = 0), which opset 9 dropped.");
  }
  RemoveAttribute(&node, "spatial");
  context.Emit(std::move(node));
}

// More outputs meant training; now an attribute does, and there are three.
void AdaptBatchNormalization14(onnx::NodeProto& node, UpgradeContext& context) {
  for (int i = 1; i < node.output_size(); ++i) {
    if (context.IsRead(node.output(i))) FailUpgrade(node, "is in training form.");
  }
  node.mutable_output()->DeleteSubrange(1, node.output_size() - 1);
  context.Emit(std::move(node));
}

void AdaptGridSample(onnx::NodeProto& node, UpgradeContext& context) {
  const std::string mode = StringAttribute(node, "mode", "bilinear");
  if (mode == "bilinear") SetAttribute(&node, "mode", std::string("linear"));
  if (mode == "bicubic") SetAttribute(&node, "mode", std::string("cubic"));
  context.Emit(std::move(node));
}

// Scale and bias: one a group, now one a channel.
void AdaptGroupNormalization(onnx::NodeProto& node, UpgradeContext& context) {
  if (node.input_size() != 3) FailUpgrade(node, "is malformed.");
  const auto dims = context.Dims(node.input(0));
  const int64_t groups = IntAttribute(node, "num_groups", 0);
  if (!dims || dims->size() < 2 || (*dims)[1] <= 0 || groups <= 0 || (*dims)[1] % groups != 0) {
    FailUpgrade(node, "has a number of channels that is not known.");
  }
  std::vector<int64_t> group_of_channel;
  for (int64_t c = 0; c < (*dims)[1]; ++c) group_of_channel.push_back(c / ((*dims)[1] / groups));
  const std::string indices = AddInts(context, node, "group_of_channel", group_of_channel);
  for (int i = 1; i <= 2; ++i) {
    const std::string spread = context.UniqueName(node.output(0) + (i == 1 ? "_scale" : "_bias"));
    context.Emit(MakeNode("Gather", {node.input(i), indices}, {spread},
                          context.UniqueName(spread + "_gather")));
    node.set_input(i, spread);
  }
  context.Emit(std::move(node));
}

// Opset 10 always was asymmetric. Its nearest mode left the rounding open: onnxruntime rounds down
// where it enlarges and up where it shrinks. roi may not be left out before 13.
void AdaptResize11(onnx::NodeProto& node, UpgradeContext& context) {
  const std::string scales = node.input_size() > 1 ? node.input(1) : "";
  SetInput(&node, 1, AddFloats(context, node, "roi", {}));
  SetInput(&node, 2, scales);
  SetAttribute(&node, "coordinate_transformation_mode", std::string("asymmetric"));
  if (StringAttribute(node, "mode", "nearest") == "nearest") {
    const std::vector<float> factors =
        context.ConstantFloats(scales).value_or(std::vector<float>());
    const bool shrinks = std::any_of(factors.begin(), factors.end(), [](float f) { return f < 1; });
    const bool enlarges =
        std::any_of(factors.begin(), factors.end(), [](float f) { return f > 1; });
    if (factors.empty() || (shrinks && enlarges)) {
      context.diagnostics().push_back(
          {Severity::kWarning, "RESIZE_ROUNDING_ASSUMED",
           Text("Nearest-neighbour ") + node.op_type() +
               " of opset 10 or less is taken to round down; the old opset left this open.",
           node.name(), node.output(0), "Compare float outputs before and after."});
    }
    SetAttribute(&node, "nearest_mode", std::string(shrinks && !enlarges ? "ceil" : "floor"));
  }
  context.Emit(std::move(node));
}

// roi and scales may be left out, and tf_half_pixel_for_nn is gone: floor((x + 0.5) / s) is what
// half_pixel with round_prefer_ceil gives, as that rounds (x + 0.5) / s - 0.5 by floor(… + 0.5).
void AdaptResize13(onnx::NodeProto& node, UpgradeContext& context) {
  for (int i = 1; i < std::min(3, node.input_size()); ++i) {
    if (context.IsEmptyConstant(node.input(i))) node.set_input(i, "");
  }
  const std::string coordinates =
      StringAttribute(node, "coordinate_transformation_mode", "half_pixel");
  if (coordinates == "tf_half_pixel_for_nn") {
    if (StringAttribute(node, "mode", "nearest") != "nearest" ||
        StringAttribute(node, "nearest_mode", "round_prefer_floor") != "floor") {
      FailUpgrade(node, "uses tf_half_pixel_for_nn, which opset 13 dropped.");
    }
    SetAttribute(&node, "coordinate_transformation_mode", std::string("half_pixel"));
    SetAttribute(&node, "nearest_mode", std::string("round_prefer_ceil"));
  }
  context.Emit(std::move(node));
}

// The default became half_pixel.
void AdaptRoiAlign(onnx::NodeProto& node, UpgradeContext& context) {
  if (FindAttribute(node, "coordinate_transformation_mode") == nullptr) {
    SetAttribute(&node, "coordinate_transformation_mode", std::string("output_half_pixel"));
  }
  context.Emit(std::move(node));
}

void AdaptScan9(onnx::NodeProto& node, UpgradeContext&) {
  FailUpgrade(node, "is the batched Scan of opset 8, which opset 9 dropped.");
}

void AdaptScatter(onnx::NodeProto& node, UpgradeContext& context) {
  node.set_op_type("ScatterElements");
  context.Emit(std::move(node));
}

// Softmax, LogSoftmax and Hardmax ran over everything from `axis` (default 1) on, flattened; from
// 13 on over the one dimension `axis` (default -1).
//
//   axis last, or all dimensions from axis on but one are 1:    y = Softmax <axis = that one> (x)
//   otherwise:  f = Flatten <axis> (x)   s = Softmax <axis = 1> (f)   y = Reshape(s, Shape(x))
void AdaptSoftmax(onnx::NodeProto& node, UpgradeContext& context) {
  int64_t axis = IntAttribute(node, "axis", 1);
  if (const auto dims = context.Dims(node.input(0))) {
    const auto rank = static_cast<int64_t>(dims->size());
    if (axis < -rank || axis > rank) FailUpgrade(node, "has an axis beyond its input's rank.");
    if (axis < 0) axis += rank;
    const int64_t single = SingleAxis(*dims, axis);
    if (single >= 0) {
      SetAttribute(&node, "axis", single);
      context.Emit(std::move(node));
      return;
    }
  }
  const std::string input = node.input(0);
  const std::string output = node.output(0);
  const std::string name = node.name().empty() ? output : node.name();
  const std::string flat = context.UniqueName(output + "_flat");
  const std::string result = context.UniqueName(output + "_flat_result");
  const std::string shape = context.UniqueName(output + "_shape");
  onnx::NodeProto flatten =
      MakeNode("Flatten", {input}, {flat}, context.UniqueName(name + "_flatten"));
  SetAttribute(&flatten, "axis", axis);
  SetAttribute(&node, "axis", int64_t{1});
  node.set_input(0, flat);
  node.set_output(0, result);
  context.Emit(std::move(flatten));
  context.Emit(std::move(node));
  context.Emit(MakeNode("Shape", {input}, {shape}, context.UniqueName(name + "_shape")));
  context.Emit(
      MakeNode("Reshape", {result, shape}, {output}, context.UniqueName(name + "_reshape")));
}

// Integers were allowed by the types only; what they gave was never said.
void RefuseIntegers(onnx::NodeProto& node, UpgradeContext& context) {
  switch (context.ElementType(node.input(0))) {
    case onnx::TensorProto::UNDEFINED:
    case onnx::TensorProto::FLOAT:
    case onnx::TensorProto::FLOAT16:
    case onnx::TensorProto::DOUBLE:
    case onnx::TensorProto::BFLOAT16:
      context.Emit(std::move(node));
      return;
    default:
      FailUpgrade(node, "is of integers, which its newer form does not take.");
  }
}

void AdaptUpsample10(onnx::NodeProto& node, UpgradeContext& context) {
  node.set_op_type("Resize");
  context.Emit(std::move(node));
}

}  // namespace ptq
