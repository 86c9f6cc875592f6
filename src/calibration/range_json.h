// A tensor range as JSON, exactly: null where it is empty, "inf" and "-inf" for infinite ends.
#pragma once

#include <nlohmann/json.hpp>

#include "quantization/quant_params.h"

namespace ptq {

nlohmann::json RangeToJson(const TensorRange& range);

// Throws nlohmann::json::exception for anything else.
TensorRange RangeFromJson(const nlohmann::json& range);

}  // namespace ptq
