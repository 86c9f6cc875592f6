// The Embind surface of one quantization: StaticQuantizer behind JSON strings, bytes through the
// host's callbacks.
#include <emscripten/bind.h>
#include <emscripten/val.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/element_type.h"
#include "model/find_constant.h"
#include "model/wire_scan.h"
#include "pipeline/inspect_model.h"
#include "quantization/check_on_model.h"
#include "session_json.h"
#include "throw_error.h"

namespace ptq::binding {
namespace {

using emscripten::typed_memory_view;
using emscripten::val;

// Files over the JavaScript object HostFiles (bindings/js/wasm/ptq_core.d.mts).
class HostFiles final : public Files {
 public:
  explicit HostFiles(val host) : host_(std::move(host)) {}

  uint64_t Size(const std::string& name) override {
    const double size = host_.call<double>("size", name);
    if (size < 0) {
      throw Error(ErrorCode::kFileNotFound, Text("The file '") + name + "' is not there.")
          .WithHint("Give the model's external data files along with the model.");
    }
    return static_cast<uint64_t>(size);
  }

  void Read(const std::string& name, uint64_t offset, std::span<uint8_t> into) override {
    if (into.empty()) return;
    if (offset + into.size() > Size(name)) {
      throw Error(ErrorCode::kTruncatedModel, Text("The file '") + name + "' ends too early.");
    }
    host_.call<void>("read", name, static_cast<double>(offset),
                     val(typed_memory_view(into.size(), into.data())));
  }

  void Append(const std::string& name, std::span<const uint8_t> bytes) override {
    if (bytes.empty()) return;
    host_.call<void>("append", name, val(typed_memory_view(bytes.size(), bytes.data())));
  }

  void Truncate(const std::string& name) { host_.call<void>("truncate", name); }

 private:
  val host_;
};

// What TensorStore reads as floats.
bool IsReal(int32_t type) {
  return type == onnx::TensorProto::FLOAT || type == onnx::TensorProto::FLOAT16 ||
         type == onnx::TensorProto::BFLOAT16 || type == onnx::TensorProto::DOUBLE;
}

class Session {
 public:
  explicit Session(val host) : files_(std::move(host)) {}

  std::string Open() {
    view_.reset();
    quantizer_ = std::make_unique<StaticQuantizer>(&files_);
    return SummaryJson(quantizer_->model());
  }

  // Needs no open model.
  void WriteSkeleton() {
    const std::string skeleton = ScanModelFile(&files_);
    files_.Truncate(kCalibrationFile);
    files_.Append(kCalibrationFile,
                  {reinterpret_cast<const uint8_t*>(skeleton.data()), skeleton.size()});
  }

  std::string Structure() { return StructureJson(Quantizer().model()); }

  void Configure(const std::string& options) { Quantizer().Configure(ParseConfig(options)); }

  // Of tensor overrides what they say about the graph itself, bodies aside.
  void CheckOverrides(const std::string& overrides) {
    CheckOverridesOnModel(TensorOverridesFromJson(overrides, /*activation_type=*/std::nullopt),
                          GraphView(Quantizer().model().graph()));
  }

  std::string Prepare(double min_opset, bool dump) {
    return ToJson(Quantizer().Prepare(static_cast<int64_t>(min_opset), dump ? &files_ : nullptr));
  }

  std::string Reconfigure(const std::string& options) {
    return ToJson(Quantizer().Reconfigure(ParseConfig(options)));
  }

  std::string Plan() { return ToJson(Quantizer().PlanOnly()); }

  // `external_file`: "" where the weights stay in the model.
  double WritePrepared(const std::string& external_file, double threshold, bool file_per_tensor,
                       bool inferred_types) {
    TruncateOutputs(external_file);
    WriteOptions options;
    options.external_file = options.external_location = external_file;
    options.threshold = static_cast<uint64_t>(threshold);
    options.file_per_tensor = file_per_tensor;
    return static_cast<double>(Quantizer().WritePrepared(options, inferred_types));
  }

  // Of the model as it is given, for both formats at their defaults. `fix_dim` as the option.
  std::string Inspect(const std::string& fix_dim) {
    return ToJson(InspectModel(&Quantizer(), SizesFromJson(fix_dim)));
  }

  std::string CalibrationTensors() { return ToJson(Quantizer().TensorsToCalibrate()); }

  std::string ExpectedMagnitude() { return ToJson(Quantizer().Expected()); }

  std::string InputFacts(const std::string& input) { return ToJson(Quantizer().FactsOf(input)); }

  std::string EstimateMemory(const std::string& input_shapes) {
    return ToJson(Quantizer().EstimateMemory(ShapesFromJson(input_shapes)));
  }

  // "null" where every tensor has a type.
  std::string WriteTypeModel() {
    if (Quantizer().UntypedTensors().empty()) return "null";
    files_.Truncate(kCalibrationFile);
    return ToJson(Quantizer().WriteTypeModel(kCalibrationFile));
  }

  std::string LearnTypes(const std::string& types) {
    return ToJson(Quantizer().LearnTypes(TypesFromJson(types)));
  }

  std::string WriteReductionModel(bool for_repairs, bool every_sum) {
    files_.Truncate(kCalibrationFile);
    const Sums sums = every_sum ? Sums::kOfAll : Sums::kOfWitnesses;
    return ToJson(Quantizer().WriteReductionModel(kCalibrationFile, for_repairs, sums));
  }

  // `tensors`: a JSON list of names.
  std::string WriteTensorModel(const std::string& tensors) {
    files_.Truncate(kCalibrationFile);
    return ToJson(Quantizer().WriteTensorModel(NamesFromJson(tensors), kCalibrationFile));
  }

  // Of the model as it is given. `request`: JSON of ProbeRequest.
  std::string WriteProbeModel(const std::string& request) {
    files_.Truncate(kCalibrationFile);
    return ToJson(Quantizer().WriteProbeModel(ProbeFromJson(request), kCalibrationFile));
  }

  std::string QuantizedTensors() { return QuantizedTensorsJson(Quantizer().model()); }

  // `count` values of an initializer or a Constant node from `first` on, a multiple of 8, as a
  // Float32Array; integers of 32 and 64 bits as a Float64Array.
  val ConstantValues(const std::string& name, double first, size_t count) {
    const TensorStore& tensors = Quantizer().model().tensors();
    const onnx::TensorProto* tensor = FindConstant(View(), name);
    if (tensor == nullptr) {
      throw Error(ErrorCode::kInvalidOption, Text("\"") + name + "\" is no constant of the model.");
    }
    const auto from = static_cast<uint64_t>(first);
    if (IsReal(tensor->data_type())) {
      std::vector<float> values(count);
      tensors.ReadFloats(*tensor, from, values);
      return Copied(values);
    }
    std::vector<int64_t> values(count);
    tensors.ReadInts(*tensor, from, values);
    if (ElementBits(tensor->data_type()) < 32) {
      return Copied(std::vector<float>(values.begin(), values.end()));
    }
    return Copied(std::vector<double>(values.begin(), values.end()));
  }

  void SetRanges(const std::string& ranges) { Quantizer().SetRanges(RangesFromJson(ranges)); }

  void SetStatistics(const std::string& statistics) {
    Quantizer().SetStatistics(StatisticsFromJson(statistics));
  }

  std::string BeginMoments(size_t samples) { return ToJson(Quantizer().BeginMoments(samples)); }

  // `dims`: a JSON list.
  void ObserveMoments(const std::string& tensor, const std::string& dims, uintptr_t pointer,
                      size_t count) {
    Quantizer().ObserveMoments(tensor, DimsFromJson(dims),
                               {reinterpret_cast<const float*>(pointer), count});
  }

  // `repairs`: JSON of Repairs.
  void BeginRounding(const std::string& repairs) {
    Quantizer().BeginRounding(RepairsFromJson(repairs));
  }
  bool ContinueRounding() { return Quantizer().ContinueRounding(); }

  std::string Units(const std::string& repairs) {
    return ToJson(Quantizer().Units(RepairsFromJson(repairs)));
  }

  std::string Quantize(const std::string& external_file, const std::string& repairs) {
    TruncateOutputs(external_file);
    return ToJson(Quantizer().Quantize(external_file, RepairsFromJson(repairs)));
  }

 private:
  template <typename Number>
  static val Copied(const std::vector<Number>& values) {
    return val(typed_memory_view(values.size(), values.data())).call<val>("slice");
  }

  static constexpr char kCalibrationFile[] = "~calibration";

  StaticQuantizer& Quantizer() {
    if (!quantizer_) throw Error(ErrorCode::kInternal, "The session has no open model.");
    return *quantizer_;
  }

  // Of the model as given, which stays as it is: made once for all parts of all constants.
  const GraphView& View() {
    if (!view_) view_.emplace(Quantizer().model().graph());
    return *view_;
  }

  void TruncateOutputs(const std::string& external_file) {
    files_.Truncate(kOutputFile);
    if (!external_file.empty()) files_.Truncate(external_file);
  }

  HostFiles files_;
  std::unique_ptr<StaticQuantizer> quantizer_;
  std::optional<GraphView> view_;
};

}  // namespace

EMSCRIPTEN_BINDINGS(ptq_session) {
  emscripten::class_<Session>("Session")
      .constructor<val>()
      .function("open", &Guarded<&Session::Open>::Call)
      .function("writeSkeleton", &Guarded<&Session::WriteSkeleton>::Call)
      .function("structure", &Guarded<&Session::Structure>::Call)
      .function("configure", &Guarded<&Session::Configure>::Call)
      .function("checkOverrides", &Guarded<&Session::CheckOverrides>::Call)
      .function("prepare", &Guarded<&Session::Prepare>::Call)
      .function("reconfigure", &Guarded<&Session::Reconfigure>::Call)
      .function("plan", &Guarded<&Session::Plan>::Call)
      .function("inspect", &Guarded<&Session::Inspect>::Call)
      .function("writePrepared", &Guarded<&Session::WritePrepared>::Call)
      .function("calibrationTensors", &Guarded<&Session::CalibrationTensors>::Call)
      .function("expectedMagnitude", &Guarded<&Session::ExpectedMagnitude>::Call)
      .function("inputFacts", &Guarded<&Session::InputFacts>::Call)
      .function("estimateMemory", &Guarded<&Session::EstimateMemory>::Call)
      .function("writeTypeModel", &Guarded<&Session::WriteTypeModel>::Call)
      .function("learnTypes", &Guarded<&Session::LearnTypes>::Call)
      .function("writeReductionModel", &Guarded<&Session::WriteReductionModel>::Call)
      .function("writeTensorModel", &Guarded<&Session::WriteTensorModel>::Call)
      .function("writeProbeModel", &Guarded<&Session::WriteProbeModel>::Call)
      .function("quantizedTensors", &Guarded<&Session::QuantizedTensors>::Call)
      .function("constantValues", &Guarded<&Session::ConstantValues>::Call)
      .function("setRanges", &Guarded<&Session::SetRanges>::Call)
      .function("setStatistics", &Guarded<&Session::SetStatistics>::Call)
      .function("beginMoments", &Guarded<&Session::BeginMoments>::Call)
      .function("observeMoments", &Guarded<&Session::ObserveMoments>::Call)
      .function("beginRounding", &Guarded<&Session::BeginRounding>::Call)
      .function("continueRounding", &Guarded<&Session::ContinueRounding>::Call)
      .function("units", &Guarded<&Session::Units>::Call)
      .function("quantize", &Guarded<&Session::Quantize>::Call);
}

}  // namespace ptq::binding
