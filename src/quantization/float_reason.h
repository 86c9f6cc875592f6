// Why a node stays float: a code for programs, a clause for people.
#pragma once

#include <string_view>

#include "base/text.h"

namespace ptq {

// In the order in which docs/errors.md lists them.
enum class FloatReasonCode {
  kNone,               // it does not stay float
  kAlreadyQuantized,   // it is a QuantizeLinear or DequantizeLinear
  kOtherDomain,        // not an operator of ONNX or com.microsoft
  kOpTypeNotSelected,  // by op_types_to_quantize
  kNodeNotSelected,    // by nodes_to_quantize
  kNodeExcluded,       // by nodes_to_exclude
  kBetweenLayers,      // it is no linear layer, and only these are quantized
  kLeftByEffort,       // 8 bits lose too much there
  kNotForced,          // only with ForceQuantizeNoInputCheck
  kNoIntegerForm,      // the op type has none in this format
  kOpsetTooOld,        // the integer form needs a newer one
  kUnsupportedType,    // the integer form lacks this type of floats
  kUnsupportedForm,    // the integer form lacks an attribute, input or output that the node has
  kNotFloat,           // an input, or all tensors, are not float
  kInputNotQuantized,  // only moves data on, and those are float
  kInputNotConstant,   // the integer form, or an option, wants an initializer
  kWeightComputed,     // a weight is computed from constants at run time
  kPartOfPattern,      // of an operator that the model spells out in several nodes
  kNoRange,            // a tensor has no tensor range
  kNoValues,           // a tensor was empty or NaN in every sample
  kRangePastBounds,    // a Relu or Clip that changes values of its input's range
  kOverrideUnfit,      // TensorQuantOverrides ask for what no kernel takes
  kPerChannelUnfit,    // an input is quantized per channel for another node
  kBiasUnfit,          // the bias does not fit int32, whatever the scale of the weight
  kRangeOfMask,        // a tensor reaches to a constant that stands for infinity
  kRangeNotFinite,     // a tensor was infinite in a sample
};

// "NO_RANGE" and so on: the stable spelling that crosses to JavaScript. "" for kNone.
std::string_view FloatReasonName(FloatReasonCode code);

struct FloatReason {
  FloatReasonCode code = FloatReasonCode::kNone;
  Text text;  // "tensor 'x' has no tensor range"

  bool empty() const { return code == FloatReasonCode::kNone; }
};

// Those that both formats give.
FloatReason InputNotQuantized();
FloatReason NeedsOpset(int opset);
FloatReason LacksDilations();

}  // namespace ptq
