// How a node of one opset is said in a later one. Adapters are small functions, listed by operator
// and opset in adapter_table.cc; upgrade_opset.cc applies them one after the other until the target
// is reached.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "onnx/onnx_pb.h"

namespace ptq {

// What an adapter may ask, and where its nodes and constants go.
class UpgradeContext {
 public:
  virtual ~UpgradeContext() = default;

  // Adds a node of the adapter's opset in place of the one that is adapted. In execution order.
  virtual void Emit(onnx::NodeProto node) = 0;
  // Adds a constant: an initializer, or a Constant node in a subgraph. The tensor's name is a wish;
  // returns the one that it got.
  virtual std::string AddConstant(onnx::TensorProto tensor) = 0;
  // `wanted` or something close to it that no tensor or node has.
  virtual std::string UniqueName(const std::string& wanted) = 0;

  // -1 for dimensions that are not known; nothing where not even the rank is.
  virtual std::optional<std::vector<int64_t>> Dims(std::string_view tensor) const = 0;
  // onnx::TensorProto type; 0 where unknown.
  virtual int32_t ElementType(std::string_view tensor) const = 0;
  virtual bool IsRead(std::string_view tensor) const = 0;
  // Values of a constant FLOAT tensor; nothing where it is not known.
  virtual std::optional<std::vector<float>> ConstantFloats(std::string_view tensor) const = 0;
  // Whether it is a constant without elements (how opset 11 spells an absent roi or scales).
  virtual bool IsEmptyConstant(std::string_view tensor) const = 0;

  virtual Diagnostics& diagnostics() = 0;
};

// `node` is the adapter's to change and to move from.
using Adapter = void (*)(onnx::NodeProto& node, UpgradeContext& context);

struct AdapterRow {
  std::string_view op_type;
  int64_t opset;  // the first in which the new form holds
  Adapter adapt;
};

// Sorted by operator, then opset.
std::span<const AdapterRow> AdapterTable();

// Throws kUnsupportedOpset: "Conv node "x" …".
[[noreturn]] void FailUpgrade(const onnx::NodeProto& node, const std::string& why);

// Constants under a name made from the node's first output: "y_axes".
std::string AddInts(UpgradeContext& context, const onnx::NodeProto& node, const char* suffix,
                    const std::vector<int64_t>& values);
std::string AddIntScalar(UpgradeContext& context, const onnx::NodeProto& node, const char* suffix,
                         int64_t value);
// In the element type of the node's first input (float where unknown).
std::string AddReal(UpgradeContext& context, const onnx::NodeProto& node, const char* suffix,
                    const std::vector<int64_t>& dims, const std::vector<float>& values);
// As float, whatever the input's type.
std::string AddFloats(UpgradeContext& context, const onnx::NodeProto& node, const char* suffix,
                      const std::vector<float>& values);

// Makes `name` input `index`, with empty ones before it.
void SetInput(onnx::NodeProto* node, int index, const std::string& name);

// adapters_attributes.cc: an attribute became an input.
void AdaptAxesToInput(onnx::NodeProto& node, UpgradeContext& context);
void AdaptClip(onnx::NodeProto& node, UpgradeContext& context);
void AdaptDft(onnx::NodeProto& node, UpgradeContext& context);
void AdaptDropout10(onnx::NodeProto& node, UpgradeContext& context);
void AdaptDropout12(onnx::NodeProto& node, UpgradeContext& context);
void AdaptPad(onnx::NodeProto& node, UpgradeContext& context);
void AdaptSlice(onnx::NodeProto& node, UpgradeContext& context);
void AdaptSplit13(onnx::NodeProto& node, UpgradeContext& context);
void AdaptSplit18(onnx::NodeProto& node, UpgradeContext& context);
void AdaptTopK(onnx::NodeProto& node, UpgradeContext& context);
void AdaptUpsample9(onnx::NodeProto& node, UpgradeContext& context);

// adapters_semantics.cc: the same node means something else.
void RefuseIntegers(onnx::NodeProto& node, UpgradeContext& context);
void AdaptBatchNormalization9(onnx::NodeProto& node, UpgradeContext& context);
void AdaptBatchNormalization14(onnx::NodeProto& node, UpgradeContext& context);
void AdaptGridSample(onnx::NodeProto& node, UpgradeContext& context);
void AdaptGroupNormalization(onnx::NodeProto& node, UpgradeContext& context);
void AdaptResize11(onnx::NodeProto& node, UpgradeContext& context);
void AdaptResize13(onnx::NodeProto& node, UpgradeContext& context);
void AdaptRoiAlign(onnx::NodeProto& node, UpgradeContext& context);
void AdaptScan9(onnx::NodeProto& node, UpgradeContext& context);
void AdaptScatter(onnx::NodeProto& node, UpgradeContext& context);
void AdaptSoftmax(onnx::NodeProto& node, UpgradeContext& context);
void AdaptUpsample10(onnx::NodeProto& node, UpgradeContext& context);

// adapters_experimental.cc: operators that never were in the standard.
void AdaptAffine(onnx::NodeProto& node, UpgradeContext& context);
void AdaptCrop(onnx::NodeProto& node, UpgradeContext& context);
void AdaptImageScaler(onnx::NodeProto& node, UpgradeContext& context);
void AdaptParametricSoftplus(onnx::NodeProto& node, UpgradeContext& context);
void AdaptScale(onnx::NodeProto& node, UpgradeContext& context);
void AdaptScaledTanh(onnx::NodeProto& node, UpgradeContext& context);

}  // namespace ptq
