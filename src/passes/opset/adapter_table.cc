// AdapterTable() of adapter.h, and what several adapters use.
#include "base/error.h"
#include "model/tensor_builder.h"
#include "passes/opset/adapter.h"

namespace ptq {

// Every operator of ai.onnx whose form or meaning changed after opset 7 in a way that the new
// schema does not cover by a default. All others are the same node in the newer opset. Source:
// onnx/docs/Changelog.md.
std::span<const AdapterRow> AdapterTable() {
  static constexpr AdapterRow kRows[] = {
      {"Affine", 10, AdaptAffine},
      {"BatchNormalization", 9, AdaptBatchNormalization9},
      {"BatchNormalization", 14, AdaptBatchNormalization14},
      {"Clip", 11, AdaptClip},
      {"Crop", 10, AdaptCrop},
      {"DFT", 20, AdaptDft},
      {"Dropout", 10, AdaptDropout10},
      {"Dropout", 12, AdaptDropout12},
      {"Erf", 13, RefuseIntegers},
      {"GridSample", 20, AdaptGridSample},
      {"GroupNormalization", 21, AdaptGroupNormalization},
      {"Hardmax", 13, AdaptSoftmax},
      {"ImageScaler", 10, AdaptImageScaler},
      {"LogSoftmax", 13, AdaptSoftmax},
      {"Pad", 11, AdaptPad},
      {"ParametricSoftplus", 10, AdaptParametricSoftplus},
      {"ReduceL1", 18, AdaptAxesToInput},
      {"ReduceL2", 18, AdaptAxesToInput},
      {"ReduceLogSum", 18, AdaptAxesToInput},
      {"ReduceLogSum", 28, RefuseIntegers},
      {"ReduceLogSumExp", 18, AdaptAxesToInput},
      {"ReduceLogSumExp", 28, RefuseIntegers},
      {"ReduceMax", 18, AdaptAxesToInput},
      {"ReduceMean", 18, AdaptAxesToInput},
      {"ReduceMin", 18, AdaptAxesToInput},
      {"ReduceProd", 18, AdaptAxesToInput},
      {"ReduceSum", 13, AdaptAxesToInput},
      {"ReduceSumSquare", 18, AdaptAxesToInput},
      {"Resize", 11, AdaptResize11},
      {"Resize", 13, AdaptResize13},
      {"RoiAlign", 16, AdaptRoiAlign},
      {"Scale", 10, AdaptScale},
      {"ScaledTanh", 10, AdaptScaledTanh},
      {"Scan", 9, AdaptScan9},
      {"Scatter", 11, AdaptScatter},
      {"Slice", 10, AdaptSlice},
      {"Softmax", 13, AdaptSoftmax},
      {"Split", 13, AdaptSplit13},
      {"Split", 18, AdaptSplit18},
      {"Squeeze", 13, AdaptAxesToInput},
      {"TopK", 10, AdaptTopK},
      {"Unsqueeze", 13, AdaptAxesToInput},
      {"Upsample", 9, AdaptUpsample9},
      {"Upsample", 10, AdaptUpsample10},
  };
  return kRows;
}

void FailUpgrade(const onnx::NodeProto& node, const std::string& why) {
  const std::string name =
      node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
  throw Error(ErrorCode::kUnsupportedOpset,
              Text() + node.op_type() + " node \"" + name + "\" " + why)
      .WithNode(node.name())
      .WithHint("Export the model again with a newer opset.");
}

namespace {

std::string NameFor(const onnx::NodeProto& node, const char* suffix) {
  return (node.output_size() > 0 ? node.output(0) : node.name()) + "_" + suffix;
}

}  // namespace

std::string AddInts(UpgradeContext& context, const onnx::NodeProto& node, const char* suffix,
                    const std::vector<int64_t>& values) {
  const std::vector<int64_t> dims = {static_cast<int64_t>(values.size())};
  return context.AddConstant(
      IntTensor(NameFor(node, suffix), onnx::TensorProto::INT64, dims, values));
}

std::string AddIntScalar(UpgradeContext& context, const onnx::NodeProto& node, const char* suffix,
                         int64_t value) {
  return context.AddConstant(IntTensor(NameFor(node, suffix), onnx::TensorProto::INT64,
                                       std::vector<int64_t>(), std::vector<int64_t>{value}));
}

std::string AddReal(UpgradeContext& context, const onnx::NodeProto& node, const char* suffix,
                    const std::vector<int64_t>& dims, const std::vector<float>& values) {
  const int32_t known = context.ElementType(node.input(0));
  const int32_t type = known == 0 ? int32_t{onnx::TensorProto::FLOAT} : known;
  return context.AddConstant(RealTensor(NameFor(node, suffix), type, dims, values));
}

std::string AddFloats(UpgradeContext& context, const onnx::NodeProto& node, const char* suffix,
                      const std::vector<float>& values) {
  const std::vector<int64_t> dims = {static_cast<int64_t>(values.size())};
  return context.AddConstant(FloatTensor(NameFor(node, suffix), dims, values));
}

void SetInput(onnx::NodeProto* node, int index, const std::string& name) {
  while (node->input_size() <= index) node->add_input();
  node->set_input(index, name);
}

}  // namespace ptq
