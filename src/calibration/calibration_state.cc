// What a calibration has collected, as JSON text. Another calibration of the same tensors and
// options can continue from it or add it to its own: that serves workers, shards and cancelled
// runs. Numbers are exact: single floats have the digits that read back as the same float, counts
// and lists of values are hexadecimal (hex_kernels.h).
#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/hex_kernels.h"
#include "calibration/calibration.h"
#include "calibration/range_json.h"

namespace ptq {
namespace {

using nlohmann::json;

Error Invalid(const std::string& what) {
  return Error(ErrorCode::kInvalidCalibrationState, Text("The calibration state ") + what + ".")
      .WithHint("It must come from this version, with the same model and options.");
}

json SaveExtremes(const Extremes& extremes) {
  return {{"range", RangeToJson({extremes.lowest, extremes.highest})}, {"nans", extremes.nans}};
}

Extremes RestoreExtremes(const json& state) {
  const TensorRange range = RangeFromJson(state.at("range"));
  return {range.lowest, range.highest, CountFromJson(state.at("nans"))};
}

json SaveCounts(std::span<const uint64_t> counts, HexWriter* hex) {
  return {{"hex", hex->Put(counts)}};
}

std::vector<uint64_t> RestoreCounts(const json& state, const HexReader& hex) {
  auto counts = hex.Get<uint64_t>(state.at("hex").get_ref<const std::string&>());
  if (!counts) throw Invalid("has counts that cannot be read");
  return std::move(*counts);
}

json SaveNested(const NestedBins& nested, HexWriter* hex) {
  return {{"extremes", SaveExtremes(nested.extremes())},
          {"zeros", nested.zeros()},
          {"at_lowest", nested.at_lowest()},
          {"at_highest", nested.at_highest()},
          {"infinite", nested.infinite()},
          {"exponent", nested.exponent()},
          {"counts", SaveCounts(nested.counts(), hex)}};
}

NestedBins RestoreNested(const json& state, const HexReader& hex) {
  NestedBins::Saved saved;
  saved.extremes = RestoreExtremes(state.at("extremes"));
  saved.zeros = CountFromJson(state.at("zeros"));
  saved.at_lowest = CountFromJson(state.at("at_lowest"));
  saved.at_highest = CountFromJson(state.at("at_highest"));
  saved.infinite = CountFromJson(state.at("infinite"));
  saved.counts = RestoreCounts(state.at("counts"), hex);
  const auto exponent = state.at("exponent").get_ref<const json::number_integer_t&>();
  const bool has_bins = saved.counts.empty() || saved.counts.size() == NestedBins::kBins;
  if (!has_bins) throw Invalid("has other bins");
  if (exponent < -100 || exponent > 128) throw Invalid("has an exponent out of range");
  saved.exponent = static_cast<int>(exponent);
  const Extremes& extremes = saved.extremes;
  const double largest = std::max(std::fabs(extremes.lowest), std::fabs(extremes.highest));
  const bool lies_in_bins = !saved.counts.empty() && largest < std::ldexp(1.0, saved.exponent);
  if (extremes.is_finite() && !lies_in_bins) throw Invalid("has values outside its bins");
  return NestedBins(std::move(saved));
}

std::vector<float> ValuesFromHex(const json& state, const HexReader& hex) {
  auto values = hex.Get<float>(state.get_ref<const std::string&>());
  const auto is_nan = [](float value) { return std::isnan(value); };
  if (!values || std::any_of(values->begin(), values->end(), is_nan))
    throw Invalid("has values that cannot be read");
  return std::move(*values);
}

json SaveLargest(const Largest& largest, HexWriter* hex) {
  return {{"hex", hex->Put(largest.values())}, {"all_above", EndToJson(largest.all_above())}};
}

Largest RestoreLargest(const json& state, const HexReader& hex) {
  std::vector<float> values = ValuesFromHex(state.at("hex"), hex);
  if (values.size() > Largest::kKept) throw Invalid("has too many values");
  return {std::move(values), EndFromJson(state.at("all_above"))};
}

json SaveTails(const Tails& tails, HexWriter* hex) {
  const Tails::Saved saved = tails.Save();
  return {{"count", saved.count},
          {"values", SaveExtremes(saved.values)},
          {"least_positive", EndToJson(saved.least_positive)},
          {"least_negative", EndToJson(saved.least_negative)},
          {"above", SaveLargest(saved.above, hex)},
          {"below", SaveLargest(saved.below, hex)},
          {"all", saved.has_all ? json({{"hex", hex->Put(saved.all)}}) : json(nullptr)}};
}

Tails TailsFromJson(const json& state, const HexReader& hex) {
  Tails::Saved saved;
  saved.count = CountFromJson(state.at("count"));
  saved.values = RestoreExtremes(state.at("values"));
  saved.least_positive = EndFromJson(state.at("least_positive"));
  saved.least_negative = EndFromJson(state.at("least_negative"));
  saved.above = RestoreLargest(state.at("above"), hex);
  saved.below = RestoreLargest(state.at("below"), hex);
  const json& all = state.at("all");
  saved.has_all = !all.is_null();
  if (saved.has_all) saved.all = ValuesFromHex(all.at("hex"), hex);
  if (saved.all.size() > Tails::kFew) throw Invalid("has too many values");
  return Tails(std::move(saved));
}

}  // namespace

std::string Calibration::Save() const { return SaveWith(true); }

std::string Calibration::Fork() const { return SaveWith(false); }

std::string Calibration::SaveWith(bool collected) const {
  HexWriter hex;
  json tensors = json::array();
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const Tensor& tensor = collected_[i];
    json item = {{"name", tensors_[i].name}};
    const bool now_nested = !done() && pass() == CalibrationPass::kNestedHistograms;
    const bool now_magnitudes = !done() && pass() == CalibrationPass::kMagnitudes;
    const bool now_counts = !done() && pass() == CalibrationPass::kHistograms;
    const bool after_tails = IsAfterTails(pass_);
    if (after_tails || (Has(CalibrationPass::kMagnitudes) && (collected || !now_magnitudes))) {
      item["values"] = SaveExtremes(tensor.values);
      item["magnitudes"] = SaveExtremes(tensor.magnitudes);
    }
    if (tensor.of_tails) item["of_tails"] = RangeToJson(*tensor.of_tails);
    if (!done() && pass() == CalibrationPass::kTails && collected) {
      item["tails"] = SaveTails(tensor.tails, &hex);
    }
    if (HasBins()) {
      item["ends"] = tensor.ends;
      if (collected || !now_counts) item["counts"] = SaveCounts(tensor.counts, &hex);
    }
    if (Has(CalibrationPass::kNestedHistograms) && (collected || !now_nested)) {
      item["nested"] = SaveNested(tensor.nested, &hex);
    }
    tensors.push_back(std::move(item));
  }
  json state = {{"pass", pass_}, {"tensors", std::move(tensors)}};
  const bool now_ranges = !done() && pass() == CalibrationPass::kRanges;
  if (Has(CalibrationPass::kRanges) && (collected || !now_ranges)) {
    state["ranges"] = ranges_.Save();
    if (repaired_.size() > 0) {
      json means = json::array();
      for (size_t c = 0; c < repaired_.size(); ++c) means.push_back(means_.Save(c));
      state["repaired"] = {{"ranges", repaired_.Save()}, {"means", std::move(means)}};
      state["apart"] = apart_.Save();
    }
  }
  // Names of a hostile model need not be UTF-8.
  return hex.Fill(state.dump(-1, ' ', false, json::error_handler_t::replace));
}

void Calibration::Restore(const std::string& text) {
  try {
    const HexReader hex(text);
    const json state = json::parse(hex.text());
    const json& tensors = state.at("tensors");
    const size_t pass = CountFromJson(state.at("pass"));
    if (tensors.size() != tensors_.size()) throw Invalid("is of other tensors");
    RestoreTensors(tensors, hex, pass);
    if (pass > passes_.size()) throw Invalid("is of another method");
    if (state.contains("ranges")) {
      ranges_.Restore(state.at("ranges"));
      if (repaired_.size() > 0) {
        const json& repaired = state.at("repaired");
        apart_.Restore(state.at("apart"));
        repaired_.Restore(repaired.at("ranges"));
        for (size_t c = 0; c < repaired_.size(); ++c) {
          means_.Restore(c, repaired.at("means").at(c));
        }
      }
    }
    pass_ = pass;
    for (size_t i = 0; i < tensors_.size(); ++i) {
      const json& item = tensors.at(i);
      if (item.at("name") != tensors_[i].name) throw Invalid("is of other tensors");
      Tensor& tensor = collected_[i];
      if (item.contains("nested")) tensor.nested = RestoreNested(item.at("nested"), hex);
      if (!HasBins()) continue;
      item.at("ends").get_to(tensor.ends);
      const bool has_bins = tensor.ends.size() == 2 && tensor.ends[0] <= tensor.ends[1] &&
                            std::isfinite(tensor.ends[0]) && std::isfinite(tensor.ends[1]);
      const bool is_known = tensor.of_tails || !ExtremesOf(i).is_finite();
      const bool needs_bins = !tensor.ends.empty() || !is_known;
      if (needs_bins && !has_bins) throw Invalid("has no ends of bins");
      MakeBins(i);
      if (item.contains("counts")) tensor.counts = RestoreCounts(item.at("counts"), hex);
      const size_t wanted = tensor.ends.empty() ? 0 : static_cast<size_t>(bins());
      if (tensor.counts.empty()) tensor.counts.resize(wanted);
      if (tensor.counts.size() != wanted) throw Invalid("has other bins");
    }
  } catch (const json::exception&) {
    throw Invalid("cannot be read");
  }
  if (done()) Finish();
}

// All but what was counted. It decides which passes there are.
void Calibration::RestoreTensors(const json& tensors, const HexReader& hex, size_t pass) {
  passes_ = PassesOf(config_);
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const json& item = tensors.at(i);
    Tensor& tensor = collected_[i];
    tensor = {};
    if (item.contains("values")) tensor.values = RestoreExtremes(item.at("values"));
    if (item.contains("magnitudes")) tensor.magnitudes = RestoreExtremes(item.at("magnitudes"));
    if (item.contains("tails")) tensor.tails = TailsFromJson(item.at("tails"), hex);
    if (item.contains("of_tails")) tensor.of_tails = RangeFromJson(item.at("of_tails"));
  }
  if (IsAfterTails(pass)) AddPassAfterTails();
}

void Calibration::Add(const std::string& text) {
  Calibration other(tensors_, config_);
  other.Restore(text);
  if (other.pass_ != pass_) throw Invalid("is of another pass");
  const auto is_now = [this](CalibrationPass one) { return !done() && pass() == one; };
  if (is_now(CalibrationPass::kRanges)) {
    ranges_.Add(other.ranges_);
    apart_.Add(other.apart_);
    repaired_.Add(other.repaired_);
    means_.Add(other.means_);
  }
  for (size_t i = 0; i < tensors_.size(); ++i) {
    Tensor& tensor = collected_[i];
    const Tensor& added = other.collected_[i];
    if (tensor.ends != added.ends) throw Invalid("has other bins");
    for (size_t bin = 0; bin < tensor.counts.size(); ++bin) tensor.counts[bin] += added.counts[bin];
    if (is_now(CalibrationPass::kMagnitudes)) {
      tensor.values.Widen(added.values);
      tensor.magnitudes.Widen(added.magnitudes);
    }
    if (is_now(CalibrationPass::kTails)) tensor.tails.Add(added.tails);
    if (is_now(CalibrationPass::kNestedHistograms)) tensor.nested.Add(added.nested);
  }
}

}  // namespace ptq
