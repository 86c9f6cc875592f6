// class Calibration of bindings/js/wasm/ptq_core.d.mts: needs no model, so that workers and merged
// shards have one of their own.
#include <emscripten/bind.h>

#include <cstdint>
#include <string>

#include "calibration/calibration.h"
#include "session_json.h"
#include "throw_error.h"

namespace ptq::binding {
namespace {

const char* Name(CalibrationPass pass) {
  switch (pass) {
    case CalibrationPass::kRanges:
      return "ranges";
    case CalibrationPass::kMagnitudes:
      return "magnitudes";
    case CalibrationPass::kTails:
      return "tails";
    case CalibrationPass::kHistograms:
      return "histograms";
    case CalibrationPass::kNestedHistograms:
      return "nested histograms";
  }
  return "";
}

class CalibrationBinding {
 public:
  CalibrationBinding(const std::string& options, const std::string& tensors)
      : calibration_(TensorsFromJson(tensors), ParseConfig(options)) {}

  // What this pass collects, "" after the last one.
  std::string Pass() { return calibration_.done() ? "" : Name(calibration_.pass()); }
  int PassIndex() { return static_cast<int>(calibration_.pass_index()); }
  int PassCount() { return static_cast<int>(calibration_.pass_count()); }
  bool MayAddPass() { return calibration_.may_add_pass(); }
  bool IsForRepairs() { return !calibration_.done() && calibration_.is_for_repairs(); }
  bool Needs(size_t tensor) { return calibration_.needs(tensor); }

  void ObserveRanges(uintptr_t pointer, size_t count, bool for_repairs) {
    calibration_.ObserveRanges({reinterpret_cast<const float*>(pointer), count}, for_repairs);
  }
  void ObserveTensor(size_t tensor, uintptr_t pointer, size_t count) {
    calibration_.ObserveTensor(tensor, {reinterpret_cast<const float*>(pointer), count});
  }
  void EndPass() { calibration_.EndPass(); }

  std::string Ranges() { return ToJson(calibration_.Ranges()); }
  std::string RangesForRepairs() { return ToJson(calibration_.RangesForRepairs()); }
  std::string RangesByChannel() { return ToJson(calibration_.RangesByChannel()); }
  std::string Statistics() { return ToJson(calibration_.Statistics()); }
  std::string Notes() { return ToJson(calibration_.Notes()); }
  std::string Save() { return calibration_.Save(); }
  std::string Fork() { return calibration_.Fork(); }
  void Restore(const std::string& state) { calibration_.Restore(state); }
  void Add(const std::string& state) { calibration_.Add(state); }

 private:
  Calibration calibration_;
};

CalibrationBinding* MakeCalibration(const std::string& options, const std::string& tensors) {
  return OrThrowToJs([&] { return new CalibrationBinding(options, tensors); });
}

}  // namespace

EMSCRIPTEN_BINDINGS(ptq_calibration) {
  using C = CalibrationBinding;
  emscripten::class_<C>("Calibration")
      .constructor(&MakeCalibration, emscripten::allow_raw_pointers())
      .function("pass", &Guarded<&C::Pass>::Call)
      .function("passIndex", &Guarded<&C::PassIndex>::Call)
      .function("passCount", &Guarded<&C::PassCount>::Call)
      .function("mayAddPass", &Guarded<&C::MayAddPass>::Call)
      .function("isForRepairs", &Guarded<&C::IsForRepairs>::Call)
      .function("needs", &Guarded<&C::Needs>::Call)
      .function("observeRanges", &Guarded<&C::ObserveRanges>::Call)
      .function("observeTensor", &Guarded<&C::ObserveTensor>::Call)
      .function("endPass", &Guarded<&C::EndPass>::Call)
      .function("ranges", &Guarded<&C::Ranges>::Call)
      .function("rangesForRepairs", &Guarded<&C::RangesForRepairs>::Call)
      .function("rangesByChannel", &Guarded<&C::RangesByChannel>::Call)
      .function("statistics", &Guarded<&C::Statistics>::Call)
      .function("notes", &Guarded<&C::Notes>::Call)
      .function("save", &Guarded<&C::Save>::Call)
      .function("fork", &Guarded<&C::Fork>::Call)
      .function("restore", &Guarded<&C::Restore>::Call)
      .function("add", &Guarded<&C::Add>::Call);
}

}  // namespace ptq::binding
