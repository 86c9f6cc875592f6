#include "quantization/option_names.h"

namespace ptq {

using Names = std::vector<std::string>;

const Names& QuantFormatNames() {
  static const auto* const kNames = new Names{"QOperator", "QDQ"};
  return *kNames;
}

const Names& CalibrationMethodNames() {
  static const auto* const kNames =
      new Names{"MinMax", "Entropy", "Percentile", "Distribution", "MSE", "auto"};
  return *kNames;
}

const Names& EffortNames() {
  static const auto* const kNames = new Names{"none", "fast", "normal", "max"};
  return *kNames;
}

const Names& QuantTypeNames() {
  static const auto* const kNames =
      new Names{"QInt8", "QUInt8", "QFLOAT8E4M3FN", "QInt16", "QUInt16", "QInt4", "QUInt4"};
  return *kNames;
}

}  // namespace ptq
