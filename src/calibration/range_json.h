// A tensor range as JSON, exactly: null where it is empty, "inf" and "-inf" for infinite ends.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "quantization/quant_params.h"

namespace ptq {

nlohmann::json EndToJson(float end);
nlohmann::json RangeToJson(const TensorRange& range);

// These throw nlohmann::json::exception for anything else.
float EndFromJson(const nlohmann::json& end);
TensorRange RangeFromJson(const nlohmann::json& range);

// A whole number from 0. Throws nlohmann::json::exception for anything else, which a plain get()
// would convert, whatever comes out.
uint64_t CountFromJson(const nlohmann::json& count);

}  // namespace ptq
