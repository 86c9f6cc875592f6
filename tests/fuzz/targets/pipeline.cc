// Arbitrary bytes as options and a model: everything that the library does with a model, in its
// order, through the JSON that crosses to JavaScript. The first bytes choose the options; the rest
// is the model and its external data.
#include <limits>
#include <string>
#include <vector>

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

constexpr const char* kTypes[] = {"QUInt8", "QInt8",  "QInt16",       "QUInt16",
                                  "QInt4",  "QUInt4", "QFLOAT8E4M3FN"};

// Four bytes: the common options, the types, those of QDQ, and which ranges are set.
struct Choices {
  explicit Choices(ByteReader* reader)
      : common(reader->Take<uint8_t>()),
        types(reader->Take<uint8_t>()),
        qdq(reader->Take<uint8_t>()),
        ways(reader->Take<uint8_t>()) {}

  static bool Bit(uint8_t byte, int bit) { return (byte >> bit & 1) != 0; }

  std::string Options(bool other_format) const {
    const bool is_qdq = Bit(common, 0) != other_format;
    const std::string weight = kTypes[types % std::size(kTypes)];
    nlohmann::json extra = {{"ActivationSymmetric", Bit(common, 3)},
                            {"ForceQuantizeNoInputCheck", Bit(common, 4)},
                            {"EnableSubgraph", Bit(common, 5)},
                            {"MatMulConstBOnly", Bit(common, 6)}};
    if (is_qdq) {
      extra["AddQDQPairToWeight"] = Bit(qdq, 0);
      extra["DedicatedQDQPair"] = Bit(qdq, 1);
      extra["QuantizeBias"] = !Bit(qdq, 2);
      extra["UseQDQContribOps"] = Bit(qdq, 3);
      extra["QDQKeepRemovableActivations"] = Bit(qdq, 4);
      extra["QDQDisableWeightAdjustForInt32Bias"] = Bit(qdq, 5);
      extra["BlockSize"] = Bit(qdq, 6) ? 2 : 0;
    }
    const bool is_float8 = weight == kTypes[std::size(kTypes) - 1];
    const std::string activation =
        is_float8 ? weight : kTypes[types / std::size(kTypes) % (std::size(kTypes) - 1)];
    return nlohmann::json({{"quant_format", is_qdq ? "QDQ" : "QOperator"},
                           {"per_channel", Bit(common, 1)},
                           {"reduce_range", Bit(common, 2)},
                           {"optimize_model", !Bit(common, 7)},
                           {"weight_type", weight},
                           {"activation_type", activation},
                           {"calibrate_method", is_float8 ? "Distribution" : "MinMax"},
                           {"extra_options", extra}})
        .dump();
  }

  TensorRange Range(size_t tensor) const {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    switch (ways & 7) {
      case 1:
        return {0, 0, 0.0f, 0};
      case 2:
        return {1e-38f, 2e-38f, 1e-38f, 1e-38f};
      case 3:
        return {-3e38f, 3e38f, 1e38f, 1};
      case 4:
        return {kInfinity, -kInfinity};  // no value was seen
      case 5:
        return tensor % 2 == 0 ? TensorRange{0, 6, 1.0f, 1} : TensorRange{-1, 1, 0.5f, 0};
      default:
        return {-1.5f, 2.5f, 0.5f, 0.25f};
    }
  }

  uint8_t common, types, qdq, ways;
};

// The result is a model with the data that it names.
void LoadResult(const MemoryFiles& files, const std::string& external_file) {
  MemoryFiles result(files.String(kOutputFile));
  if (files.Has(external_file)) result.Put(external_file, files.String(external_file));
  Model::Load(&result);
}

void Calibrate(StaticQuantizer* quantizer, const Choices& choices) {
  binding::ToJson(quantizer->WriteReductionModel("~calibration"));
  TensorRanges ranges;
  std::vector<std::string> some;
  const std::vector<CalibratedTensor> tensors = quantizer->TensorsToCalibrate();
  binding::TensorsFromJson(binding::ToJson(tensors));
  for (const CalibratedTensor& tensor : tensors) {
    ranges[tensor.name] = choices.Range(ranges.size());
    if (some.size() < 3) some.push_back(tensor.name);
  }
  if (!quantizer->config().enable_subgraph) {
    binding::ToJson(quantizer->WriteTensorModel(some, "~tensors"));
  }
  std::map<std::string, std::vector<int64_t>> shapes;
  for (const onnx::ValueInfoProto& input : quantizer->model().graph().input()) {
    shapes[input.name()] = {1, 3, 8, 8};
  }
  binding::ToJson(quantizer->Expected());
  binding::ToJson(quantizer->EstimateMemory({}));
  binding::ToJson(quantizer->EstimateMemory(shapes));
  quantizer->SetRanges(std::move(ranges));
}

void RunPipeline(Input input) {
  ByteReader reader(input);
  const Choices choices(&reader);
  MemoryFiles files(reader.Rest());
  files.Put("weights.bin", reader.Rest());
  const std::string external = Choices::Bit(choices.ways, 3) ? "out.data" : "";
  const bool quantized = EndsWellOnModel([&] {
    StaticQuantizer quantizer(&files);
    binding::SummaryJson(quantizer.model());
    binding::StructureJson(quantizer.model());
    if (Choices::Bit(choices.ways, 4)) {  // with other settings on the same ranges
      quantizer.Configure(ParseConfig(choices.Options(true)));
      quantizer.Prepare();
      Calibrate(&quantizer, choices);
    }
    if (Choices::Bit(choices.ways, 7)) binding::ToJson(InspectModel(&quantizer, {}));
    quantizer.Configure(ParseConfig(choices.Options(false)));
    binding::ToJson(quantizer.Prepare(Choices::Bit(choices.ways, 5) ? 21 : 0));
    if (Choices::Bit(choices.ways, 6)) {
      quantizer.WritePrepared({kOutputFile, external, external});
      return;
    }
    Calibrate(&quantizer, choices);
    binding::ToJson(quantizer.Quantize(external));
  });
  if (quantized) LoadResult(files, external);
}

Inputs PipelineSeeds() {
  // Formats, per channel or not, types, bodies, external data: each option is in one of them.
  const std::string kChoices[] = {
      {0x00, 0x00, 0x00, 0x00}, {0x01, 0x01, 0x00, 0x00}, {0x03, 0x08, 0x01, 0x08},
      {0x22, 0x01, 0x00, 0x10}, {0x23, 0x14, 0x22, 0x05}, {0x19, 0x06, 0x04, 0x20},
      {0x4d, 0x19, 0x58, 0x01}, {0x01, 0x04, 0x40, 0x40},
  };
  Inputs seeds;
  size_t next = 0;
  for (const std::string& model : FixtureModels()) {
    for (int i = 0; i < 3; ++i) seeds.push_back(kChoices[next++ % std::size(kChoices)] + model);
  }
  for (const std::string& choices : kChoices) seeds.push_back(choices + SmallModel());
  return seeds;
}

}  // namespace

const Target kPipeline = {"pipeline", &RunPipeline, &PipelineSeeds};

}  // namespace ptq::fuzz
