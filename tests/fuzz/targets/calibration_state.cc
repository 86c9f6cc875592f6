// Arbitrary text as the state of a calibration (a file of the user's, or a shard from another
// machine): restored, added and gone on from. The first bytes choose the method; a zero byte ends
// the first state and begins the second.
#include <algorithm>
#include <array>
#include <string>

#include "byte_reader.h"
#include "calibration/calibration.h"
#include "outcome.h"
#include "quantization/config.h"
#include "targets.h"

namespace ptq::fuzz {
namespace {

constexpr const char* kCalibrationOptions[] = {
    R"({"calibrate_method": "MinMax"})",
    R"({"calibrate_method": "MinMax", "calib_per_channel": true})",
    R"({"calibrate_method": "MinMax", "extra_options": {"EnableSubgraph": true}})",
    R"({"calibrate_method": "MinMax", "extra_options":
        {"CalibMovingAverage": true, "CalibStridedMinMax": 2}})",
    R"({"calibrate_method": "Entropy", "extra_options": {"num_bins": 16, "num_quantized_bins": 4}})",
    R"({"calibrate_method": "Percentile", "extra_options": {"num_bins": 16}})",
    R"({"calibrate_method": "Percentile", "extra_options":
        {"num_bins": 16, "CalibTensorRangeSymmetric": false}})",
    R"({"calibrate_method": "Distribution", "extra_options": {"num_bins": 512}})",
    R"({"calibrate_method": "MSE"})",
    R"({"calibrate_method": "auto", "activation_type": "QInt16", "weight_type": "QInt16",
        "quant_format": "QDQ"})",
};

Calibration MakeCalibration(const std::string& options) {
  const StaticQuantConfig config = ParseConfig(options);
  const size_t channels = config.calib_per_channel ? 2 : 1;
  return {{{"a", FloatType::kFloat, channels}, {"b", FloatType::kFloat16, 1}}, config};
}

// One sample. What crosses from the graph are three numbers a channel, two with bodies.
void Observe(Calibration* calibration, const std::string& options, float scale) {
  if (calibration->pass() == CalibrationPass::kRanges) {
    const StaticQuantConfig config = ParseConfig(options);
    const size_t numbers = NumbersPerTensor(config.bodies());
    const size_t channels = config.calib_per_channel ? 3 : 2;
    const std::array<float, 9> reductions = {-1 * scale, 2, 1, -3, 4 * scale, 1, 0, 0, 0};
    calibration->ObserveRanges(std::span(reductions).first(numbers * channels));
    return;
  }
  const float values[] = {-1, 0, 2 * scale, 3, 1e-3f, 1e30f};
  calibration->ObserveTensor(0, values);
  calibration->ObserveTensor(1, std::span(values).first(4));
}

void RunCalibrationState(Input input) {
  ByteReader reader(input);
  const std::string options = reader.Choose(kCalibrationOptions);
  const bool is_added = reader.Take<uint8_t>() % 2 == 1;
  const std::string text = reader.RestAsText();
  const size_t zero = text.find('\0');
  const std::string first = text.substr(0, zero);
  const std::string second = zero == std::string::npos ? first : text.substr(zero + 1);
  EndsWell([&] {
    Calibration calibration = MakeCalibration(options);
    calibration.Restore(first);
    const std::string saved = calibration.Save();
    Calibration again = MakeCalibration(options);
    again.Restore(saved);
    if (again.Save() != saved) throw std::logic_error("a state that was restored is another one");
    if (is_added) calibration.Add(second);
    while (!calibration.done()) {
      Observe(&calibration, options, 1);
      Calibration fork = MakeCalibration(options);
      fork.Restore(calibration.Fork());
      Observe(&fork, options, 0.5f);
      if (options.find("MovingAverage") == std::string::npos) calibration.Add(fork.Save());
      calibration.EndPass();
    }
    calibration.Ranges();
    calibration.RangesForRepairs();
    calibration.RangesByChannel();
    calibration.Notes();
  });
}

// Every method, in every pass, before and after a sample, and at its end.
Inputs CalibrationStateSeeds() {
  Inputs seeds;
  for (size_t i = 0; i < std::size(kCalibrationOptions); ++i) {
    const auto add = [&](const Calibration& calibration) {
      for (const char is_added : {'\0', '\1'}) {
        seeds.push_back(std::string({static_cast<char>(i), is_added}) + calibration.Save());
      }
    };
    Calibration calibration = MakeCalibration(kCalibrationOptions[i]);
    while (!calibration.done()) {
      add(calibration);
      Observe(&calibration, kCalibrationOptions[i], 1);
      add(calibration);
      calibration.EndPass();
    }
    add(calibration);
  }
  return seeds;
}

}  // namespace

const Target kCalibrationState = {"calibration_state", &RunCalibrationState,
                                  &CalibrationStateSeeds};

}  // namespace ptq::fuzz
