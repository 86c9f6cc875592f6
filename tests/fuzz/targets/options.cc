// Arbitrary text as options, and what they do to a small model: a configuration file reaches the
// core unchanged where the library's own checks let it pass.
#include <string>

#include "byte_reader.h"
#include "fixture_models.h"
#include "outcome.h"
#include "pipeline/quantize_static.h"
#include "quantization/config.h"
#include "targets.h"
#include "testing/memory_files.h"

namespace ptq::fuzz {
namespace {

void RunOptions(Input input) {
  const std::string text = ByteReader(input).RestAsText();
  StaticQuantConfig config;
  if (!EndsWell([&] { config = ParseConfig(text); })) return;
  MemoryFiles files(SmallModel());
  const bool quantized = EndsWellOnModel([&] {
    StaticQuantizer quantizer(&files);
    quantizer.Configure(std::move(config));
    quantizer.Prepare();
    TensorRanges ranges;
    for (const CalibratedTensor& tensor : quantizer.TensorsToCalibrate()) {
      ranges[tensor.name] = {-1.5f, 2.5f, 0.5f, 0.25f};
    }
    quantizer.SetRanges(std::move(ranges));
    quantizer.Quantize("");
  });
  if (!quantized) return;
  MemoryFiles result(files.String(kOutputFile));
  Model::Load(&result);
}

// Every option once or more.
Inputs OptionsSeeds() {
  return {
      "{}",
      R"({"quant_format": "QOperator", "op_types_to_quantize": ["Conv", "MatMul"], "per_channel": true,
          "reduce_range": true, "nodes_to_exclude": ["add"], "optimize_model": false})",
      R"({"quant_format": "QDQ", "activation_type": "QUInt16", "weight_type": "QInt16",
          "nodes_to_quantize": ["conv", "inner"], "extra_options": {"EnableSubgraph": true,
          "WeightSymmetric": null, "MinimumRealRange": 0.01, "DefaultTensorType": 1}})",
      R"({"quant_format": "QDQ", "activation_type": "QInt8", "weight_type": "QInt8", "extra_options":
          {"ActivationSymmetric": true, "WeightSymmetric": true, "ForceQuantizeNoInputCheck": true,
           "MatMulConstBOnly": true, "CalibTensorRangeSymmetric": true, "CalibMovingAverage": true,
           "CalibMovingAverageConstant": 0.5, "CalibStridedMinMax": 2,
           "CalibMaxIntermediateOutputs": 3, "extra.Sigmoid.nnapi": true}})",
      R"({"quant_format": "QDQ", "weight_type": "QInt4", "extra_options": {"BlockSize": 2,
           "AddQDQPairToWeight": true, "DedicatedQDQPair": true, "QuantizeBias": false,
           "OpTypesToExcludeOutputQuantization": ["Relu"]}})",
      R"({"quant_format": "QDQ", "per_channel": true, "extra_options": {"UseQDQContribOps": true,
           "QDQKeepRemovableActivations": true, "QDQDisableWeightAdjustForInt32Bias": true,
           "QDQOpTypePerChannelSupportToAxis": {"MatMul": 1, "Conv": 0},
           "ActivationRestrictedAsymmetric": true}})",
      R"({"calibrate_method": "Percentile", "extra_options": {"CalibPercentile": 99.9, "num_bins": 128}})",
      R"({"calibrate_method": "Entropy", "extra_options": {"num_quantized_bins": 64}})",
      R"({"calibrate_method": "Distribution", "quant_format": "QDQ", "weight_type": "QFLOAT8E4M3FN",
          "activation_type": "QFLOAT8E4M3FN", "extra_options": {"scenario": "p3"}})",
      R"({"calibrate_method": "MSE"})",
      R"({"calibrate_method": "auto"})",
      R"({"calib_per_channel": true})",
      R"({"quant_format": "QDQ", "extra_options": {"TensorQuantOverrides": {
           "h": [{"quant_type": "QUInt16", "scale": 0.5, "zero_point": 3}],
           "w": [{"quant_type": "QInt8", "symmetric": true, "reduce_range": true, "axis": 0},
                 {"quant_type": "QInt8", "rmin": -1, "rmax": 2}],
           "p": [{"quant_type": "QUInt8", "convert": {"quant_type": "QUInt16", "recv_nodes": ["add"],
                  "scale": 0.25, "zero_point": 1}}]}}})",
  };
}

}  // namespace

const Target kOptions = {"options", &RunOptions, &OptionsSeeds};

}  // namespace ptq::fuzz
