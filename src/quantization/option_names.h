// The values of options that are one of a few names, spelled and in the order of the reference.
#pragma once

#include <string>
#include <vector>

#include "quantization/config.h"

namespace ptq {

// In the order of the enums.
const std::vector<std::string>& QuantFormatNames();
const std::vector<std::string>& CalibrationMethodNames();
// In the reference's order, which is not that of the enum.
const std::vector<std::string>& QuantTypeNames();
const std::vector<std::string>& EffortNames();

inline const std::string& Name(QuantFormat format) {
  return QuantFormatNames()[static_cast<size_t>(format)];
}
inline const std::string& Name(CalibrationMethod method) {
  return CalibrationMethodNames()[static_cast<size_t>(method)];
}
inline std::string Name(QuantType type) { return std::string(QuantTypeName(type)); }

}  // namespace ptq
