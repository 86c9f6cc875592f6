#include "quantization/float_reason.h"

namespace ptq {

std::string_view FloatReasonName(FloatReasonCode code) {
  switch (code) {
    case FloatReasonCode::kNone:
      return "";
    case FloatReasonCode::kAlreadyQuantized:
      return "ALREADY_QUANTIZED";
    case FloatReasonCode::kOtherDomain:
      return "OTHER_DOMAIN";
    case FloatReasonCode::kOpTypeNotSelected:
      return "OP_TYPE_NOT_SELECTED";
    case FloatReasonCode::kNodeNotSelected:
      return "NODE_NOT_SELECTED";
    case FloatReasonCode::kNodeExcluded:
      return "NODE_EXCLUDED";
    case FloatReasonCode::kBetweenLayers:
      return "BETWEEN_LAYERS";
    case FloatReasonCode::kLeftByEffort:
      return "LEFT_BY_EFFORT";
    case FloatReasonCode::kNotForced:
      return "NOT_FORCED";
    case FloatReasonCode::kNoIntegerForm:
      return "NO_INTEGER_FORM";
    case FloatReasonCode::kOpsetTooOld:
      return "OPSET_TOO_OLD";
    case FloatReasonCode::kUnsupportedType:
      return "UNSUPPORTED_TYPE";
    case FloatReasonCode::kUnsupportedForm:
      return "UNSUPPORTED_FORM";
    case FloatReasonCode::kNotFloat:
      return "NOT_FLOAT";
    case FloatReasonCode::kInputNotQuantized:
      return "INPUT_NOT_QUANTIZED";
    case FloatReasonCode::kInputNotConstant:
      return "INPUT_NOT_CONSTANT";
    case FloatReasonCode::kWeightComputed:
      return "WEIGHT_COMPUTED";
    case FloatReasonCode::kPartOfPattern:
      return "PART_OF_PATTERN";
    case FloatReasonCode::kNoRange:
      return "NO_RANGE";
    case FloatReasonCode::kNoValues:
      return "NO_VALUES";
    case FloatReasonCode::kRangePastBounds:
      return "RANGE_PAST_BOUNDS";
    case FloatReasonCode::kOverrideUnfit:
      return "OVERRIDE_UNFIT";
    case FloatReasonCode::kPerChannelUnfit:
      return "PER_CHANNEL_UNFIT";
    case FloatReasonCode::kBiasUnfit:
      return "BIAS_UNFIT";
    case FloatReasonCode::kRangeOfMask:
      return "RANGE_OF_MASK";
    case FloatReasonCode::kRangeNotFinite:
      return "RANGE_NOT_FINITE";
  }
  return "";
}

FloatReason InputNotQuantized() {
  return {FloatReasonCode::kInputNotQuantized, "its input is not quantized"};
}

FloatReason NeedsOpset(int opset) {
  return {FloatReasonCode::kOpsetTooOld,
          Text("its integer form needs opset ") + std::to_string(opset) + " or newer"};
}

FloatReason LacksDilations() {
  return {FloatReasonCode::kUnsupportedForm, "it has dilations, which its integer form lacks"};
}

}  // namespace ptq
