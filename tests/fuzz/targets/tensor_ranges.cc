// Arbitrary text as the JSON of tensor ranges (what caches and calibrations give), and a small
// model quantized with them. The first byte chooses the format and the types.
#include <string>

#include "../../../bindings/wasm/session_json.h"
#include "byte_reader.h"
#include "fixture_models.h"
#include "outcome.h"
#include "pipeline/quantize_static.h"
#include "quantization/config.h"
#include "targets.h"
#include "testing/memory_files.h"

namespace ptq::fuzz {
namespace {

constexpr const char* kRangeOptions[] = {
    R"({"quant_format": "QDQ"})",
    R"({"quant_format": "QOperator", "per_channel": true})",
    R"({"quant_format": "QDQ", "activation_type": "QInt16", "weight_type": "QInt8",
        "extra_options": {"ActivationSymmetric": true}})",
    R"({"quant_format": "QDQ", "extra_options": {"ActivationRestrictedAsymmetric": true,
        "MinimumRealRange": 0.0001}})",
    R"({"quant_format": "QDQ", "calibrate_method": "Distribution", "activation_type":
        "QFLOAT8E4M3FN", "weight_type": "QFLOAT8E4M3FN"})",
};

void RunTensorRanges(Input input) {
  ByteReader reader(input);
  const char* const options = reader.Choose(kRangeOptions);
  const std::string text = reader.RestAsText();
  TensorRanges ranges;
  if (!EndsWell([&] { ranges = binding::RangesFromJson(text); })) return;
  const std::string written = binding::ToJson(ranges);
  if (binding::ToJson(binding::RangesFromJson(written)) != written) {
    throw std::logic_error("ranges that were written are read as others");
  }
  MemoryFiles files(SmallModel());
  const bool quantized = EndsWell([&] {
    StaticQuantizer quantizer(&files);
    quantizer.Configure(ParseConfig(options));
    quantizer.Prepare();
    for (const CalibratedTensor& tensor : quantizer.TensorsToCalibrate()) {
      ranges.try_emplace(tensor.name, TensorRange{-1, 1, 0.5f, 0});
    }
    quantizer.SetRanges(std::move(ranges));
    binding::ToJson(quantizer.Quantize(""));
  });
  if (!quantized) return;
  MemoryFiles result(files.String(kOutputFile));
  Model::Load(&result);
}

Inputs TensorRangesSeeds() {
  Inputs seeds;
  for (size_t i = 0; i < std::size(kRangeOptions); ++i) {
    for (const char* text : {
             R"({"x": [-1, 2], "h": [0, 6.5], "r": [0, 6.5], "p": [-1e-30, 1e30], "y": null})",
             R"({"x": [-1, 2, 0.5, 0.25], "a": [0, 0, 0, 0], "p": ["-inf", "inf"]})",
             R"({"h": [1e-40, 1e-39], "a": [-3.4e38, 3.4e38]})",
         }) {
      seeds.push_back(static_cast<char>(i) + std::string(text));
    }
  }
  return seeds;
}

}  // namespace

const Target kTensorRanges = {"tensor_ranges", &RunTensorRanges, &TensorRangesSeeds};

}  // namespace ptq::fuzz
