#include "calibration/range_json.h"

#include <cmath>
#include <limits>

namespace ptq {
namespace {

using nlohmann::json;

constexpr float kUnbounded = std::numeric_limits<float>::infinity();

}  // namespace

json EndToJson(float end) {
  if (std::isfinite(end)) return end;
  return end > 0 ? "inf" : "-inf";
}

float EndFromJson(const json& end) {
  if (!end.is_string()) return end.get<float>();
  return end.get_ref<const std::string&>() == "inf" ? kUnbounded : -kUnbounded;
}

json RangeToJson(const TensorRange& range) {
  if (range.is_empty()) return nullptr;
  return {EndToJson(range.lowest), EndToJson(range.highest)};
}

TensorRange RangeFromJson(const json& range) {
  if (range.is_null()) return {kUnbounded, -kUnbounded};
  return {EndFromJson(range.at(0)), EndFromJson(range.at(1))};
}

uint64_t CountFromJson(const json& count) {
  return count.get_ref<const json::number_unsigned_t&>();
}

}  // namespace ptq
