#include "calibration/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "base/error.h"
#include "calibration/clip_kernels.h"

namespace ptq {
namespace {

constexpr int64_t kUsualBins = 2048;
constexpr double kMuch = 0.1;  // of where a tensor's values lie, cut off

TensorRange Mirrored(TensorRange range) {
  range.highest = std::max(std::fabs(range.lowest), std::fabs(range.highest));
  range.lowest = -range.highest;
  return range;
}

// Of the tensor's own range.
size_t OwnChannels(const CalibratedTensor& tensor) {
  return tensor.has_means ? 1 : tensor.channels;
}

// The number of channels of the tensors' own ranges or, where they are `for_repairs`, of those that
// are observed for these; `first` receives where those of each tensor begin.
size_t CountChannels(const std::vector<CalibratedTensor>& tensors, bool for_repairs,
                     std::vector<size_t>* first) {
  size_t count = 0;
  for (const CalibratedTensor& tensor : tensors) {
    first->push_back(count);
    if (!for_repairs) {
      count += OwnChannels(tensor);
    } else if (tensor.has_means) {
      count += tensor.channels;
    }
  }
  return count;
}

// Ends as they are, whatever becomes of the tensor's own.
StaticQuantConfig PlainRanges(StaticQuantConfig config) {
  config.calib_moving_average = false;
  config.calib_tensor_range_symmetric = false;
  return config;
}

std::vector<CalibrationPass> PassesOfMethod(const StaticQuantConfig& config) {
  using Pass = CalibrationPass;
  switch (config.calibrate_method) {
    case CalibrationMethod::kMinMax:
      return {Pass::kRanges};
    case CalibrationMethod::kEntropy: {
      const int64_t bins = config.num_bins == 0 ? kUsualBins : config.num_bins;
      if (NothingToSearch(bins, config.num_quantized_bins)) return {Pass::kRanges};
      return {Pass::kRanges, Pass::kHistograms};
    }
    case CalibrationMethod::kPercentile:
      if (config.only_percentile && TailsMayDo(config.calib_percentile)) return {Pass::kTails};
      return {config.RangeSymmetric() ? Pass::kMagnitudes : Pass::kRanges, Pass::kHistograms};
    case CalibrationMethod::kDistribution:
      return {Pass::kRanges, Pass::kHistograms};
    case CalibrationMethod::kMse:
    case CalibrationMethod::kAuto:
      return {Pass::kNestedHistograms};
  }
  return {};
}

}  // namespace

// What repairs are made from is reduced where ranges are: in a pass of its own for methods that do
// not begin with these.
std::vector<CalibrationPass> PassesOf(const StaticQuantConfig& config) {
  std::vector<CalibrationPass> passes = PassesOfMethod(config);
  if (config.effort != Effort::kNone && passes.front() != CalibrationPass::kRanges) {
    passes.insert(passes.begin(), CalibrationPass::kRanges);
  }
  return passes;
}

Calibration::Calibration(std::vector<CalibratedTensor> tensors, const StaticQuantConfig& config)
    : tensors_(std::move(tensors)),
      config_(config),
      passes_(PassesOf(config)),
      ranges_(CountChannels(tensors_, false, &first_channel_), config),
      apart_(0, config),
      repaired_(CountChannels(tensors_, true, &first_repaired_), PlainRanges(config)),
      means_(repaired_.size()),
      collected_(tensors_.size()) {
  if (repaired_.size() > 0) apart_ = RangeCollector(ranges_.size(), config);
  derived_.resize(tensors_.size());
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const std::optional<Derivation>& derived = tensors_[i].derived;
    if (!derived) continue;
    if (derived->tensor >= i || tensors_[derived->tensor].derived) {
      throw Error(ErrorCode::kInvalidCalibrationState,
                  Text("Tensor '") + tensors_[i].name + "' follows from none that is observed.");
    }
    derived_[derived->tensor].push_back(i);
  }
}

bool Calibration::is_for_repairs() const {
  return pass() == CalibrationPass::kRanges && BeginsForRepairs();
}

bool Calibration::BeginsForRepairs() const {
  return passes_.front() != PassesOfMethod(config_).front();
}

bool Calibration::Has(CalibrationPass pass) const {
  return std::find(passes_.begin(), passes_.end(), pass) != passes_.end();
}

bool Calibration::HasBins() const {
  const auto counting = std::find(passes_.begin(), passes_.end(), CalibrationPass::kHistograms);
  return counting - passes_.begin() <= static_cast<std::ptrdiff_t>(pass_) &&
         counting != passes_.end();
}

bool Calibration::IsAfterTails(size_t pass) const {
  const auto tails = std::find(passes_.begin(), passes_.end(), CalibrationPass::kTails);
  return tails != passes_.end() && tails - passes_.begin() < static_cast<std::ptrdiff_t>(pass);
}

Values Calibration::kind() const {
  const bool of_magnitudes = config_.calibrate_method == CalibrationMethod::kPercentile;
  return of_magnitudes && config_.RangeSymmetric() ? Values::kAbsolute : Values::kSigned;
}

int64_t Calibration::bins() const { return config_.num_bins == 0 ? kUsualBins : config_.num_bins; }

void Calibration::ObserveRanges(std::span<const float> reductions, bool for_repairs) {
  size_t with_channels = 0;
  for (const CalibratedTensor& tensor : tensors_) with_channels += 3 * tensor.channels;
  const bool has_channels = repaired_.size() > 0 && reductions.size() == with_channels;
  const std::vector<float> folded =
      has_channels ? Fold(reductions, for_repairs) : std::vector<float>{};
  if (has_channels) reductions = folded;
  ranges_.Observe(reductions);
  if (for_repairs && apart_.size() > 0) apart_.Observe(reductions);
}

std::vector<float> Calibration::Fold(std::span<const float> reductions, bool for_repairs) {
  std::vector<float> of_tensors;
  std::vector<float> of_channels;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const auto own = reductions.first(3 * tensors_[i].channels);
    reductions = reductions.subspan(own.size());
    if (!tensors_[i].has_means) {
      of_tensors.insert(of_tensors.end(), own.begin(), own.end());
      continue;
    }
    of_channels.insert(of_channels.end(), own.begin(), own.end());
    float lowest = std::numeric_limits<float>::infinity();
    float highest = -lowest;
    float sum = 0;  // of means: NaN where a value is
    for (size_t c = 0; c < own.size(); c += 3) {
      if (own[c] < lowest) lowest = own[c];
      if (own[c + 1] > highest) highest = own[c + 1];
      sum += own[c + 2];
      if (for_repairs) means_.Observe(first_repaired_[i] + c / 3, own[c + 2]);
    }
    of_tensors.insert(of_tensors.end(), {lowest, highest, sum});
  }
  if (for_repairs) repaired_.Observe(of_channels);
  return of_tensors;
}

TensorStatistics Calibration::Statistics() const {
  TensorStatistics statistics;
  if (repaired_.samples() == 0) return statistics;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (!tensors_[i].has_means || !ExtremesOf(i).is_finite()) continue;
    ChannelStatistics& of_tensor = statistics[tensors_[i].name];
    for (size_t c = first_repaired_[i]; c < first_repaired_[i] + tensors_[i].channels; ++c) {
      const TensorRange range = repaired_.Range(c);
      of_tensor.lowest.push_back(range.lowest);
      of_tensor.highest.push_back(range.highest);
      of_tensor.mean.push_back(means_.Mean(c));
    }
  }
  return statistics;
}

void Calibration::ObserveTensor(size_t tensor, std::span<const float> values) {
  Collect(tensor, values);
  for (const size_t other : derived_[tensor]) {
    if (FollowsAtEnd(other)) continue;
    if (IsClippedAtEnd(other)) {
      Collect(other, values);
      continue;
    }
    clipped_.resize(values.size());
    ClipValues(values, tensors_[other].derived->clip, clipped_);
    Collect(other, clipped_);
  }
}

// Whether all that this pass collects of a derived tensor follows from what it collects of the
// tensor that it is derived from: of one that is moved, and in bins with the same ends.
bool Calibration::FollowsAtEnd(size_t tensor) const {
  const Derivation& derived = *tensors_[tensor].derived;
  if (pass() == CalibrationPass::kTails) return true;
  if (pass() != CalibrationPass::kHistograms) return derived.moves_only();
  const bool same_bins = collected_[tensor].ends == collected_[derived.tensor].ends;
  return same_bins && (derived.moves_only() || kind() == Values::kSigned);
}

// Whether the values that a derived tensor is made from are counted in its bins, which takes as
// long as counting its own: counts are clipped as values are.
bool Calibration::IsClippedAtEnd(size_t tensor) const {
  return pass() == CalibrationPass::kHistograms && kind() == Values::kSigned &&
         !FollowsAtEnd(tensor);
}

void Calibration::CollectDerived() {
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (pass() == CalibrationPass::kRanges || !tensors_[i].derived) continue;
    const bool is_clipped = IsClippedAtEnd(i);
    if (!is_clipped && !FollowsAtEnd(i)) continue;
    const Derivation& derived = *tensors_[i].derived;
    Tensor& tensor = collected_[i];
    const Tensor& source = collected_[derived.tensor];
    if (pass() == CalibrationPass::kTails) {
      tensor.tails = source.tails.Clipped(derived.clip);
      continue;
    }
    if (pass() == CalibrationPass::kHistograms) {
      if (tensor.ends.empty()) continue;
      const UniformBins& uniform = uniform_[i];
      tensor.counts = ClipCounts(is_clipped ? tensor.counts : source.counts,
                                 uniform.Find(derived.clip.low), uniform.Find(derived.clip.high));
      continue;
    }
    tensor = source;
  }
}

void Calibration::Collect(size_t tensor, std::span<const float> values) {
  Tensor& collected = collected_[tensor];
  switch (pass()) {
    case CalibrationPass::kRanges:
      throw Error(ErrorCode::kInternal, "This pass takes reductions.");
    case CalibrationPass::kMagnitudes:
      collected.values.Widen(FindExtremes(values, Values::kSigned));
      collected.magnitudes.Widen(FindExtremes(values, Values::kAbsolute));
      return;
    case CalibrationPass::kTails:
      return collected.tails.Collect(values, kind());
    case CalibrationPass::kHistograms:
      if (collected.ends.empty()) return;
      return uniform_[tensor].Count(values, kind(), collected.counts);
    case CalibrationPass::kNestedHistograms:
      return collected.nested.Count(values);
  }
}

void Calibration::EndPass() {
  CollectDerived();
  if (pass() == CalibrationPass::kTails) TakeTails();
  ++pass_;
  if (done()) return Finish();
  if (pass() == CalibrationPass::kHistograms) PrepareHistograms();
}

Extremes Calibration::ExtremesOf(size_t tensor) const {
  if (Has(CalibrationPass::kNestedHistograms)) return collected_[tensor].nested.extremes();
  const bool from_tensors = Has(CalibrationPass::kMagnitudes) || Has(CalibrationPass::kTails);
  if (from_tensors) return collected_[tensor].values;
  return ExtremesIn(ranges_, tensor);
}

Extremes Calibration::ExtremesIn(const RangeCollector& ranges, size_t tensor) const {
  Extremes extremes;
  for (size_t c = 0; c < OwnChannels(tensors_[tensor]); ++c) {
    const size_t channel = first_channel_[tensor] + c;
    const TensorRange range = ranges.Range(channel);
    extremes.lowest = std::min(extremes.lowest, range.lowest);
    extremes.highest = std::max(extremes.highest, range.highest);
    extremes.nans = std::max(extremes.nans, ranges.nan_samples(channel));
  }
  return extremes;
}

std::map<std::string, ChannelRange> Calibration::RangesByChannel() const {
  std::map<std::string, ChannelRange> ranges;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (ExtremesOf(i).is_empty()) continue;
    ChannelRange& range = ranges[tensors_[i].name];
    for (size_t c = 0; c < tensors_[i].channels; ++c) {
      const TensorRange of_channel = ranges_.Range(first_channel_[i] + c);
      range.lowest.push_back(of_channel.lowest);
      range.highest.push_back(of_channel.highest);
    }
  }
  return ranges;
}

bool Calibration::needs(size_t tensor) const {
  const auto looks_at = [this](size_t i) {
    return pass() != CalibrationPass::kHistograms || !collected_[i].ends.empty();
  };
  return looks_at(tensor) ||
         std::any_of(derived_[tensor].begin(), derived_[tensor].end(), looks_at);
}

// Of magnitudes as numpy.histogram finds the ends itself, else the largest magnitude to either
// side.
std::vector<float> Calibration::EndsOf(const Extremes& of_kind) const {
  if (!of_kind.is_finite()) return {};
  if (kind() == Values::kAbsolute) return {of_kind.lowest, of_kind.highest};
  const float largest = std::max(std::fabs(of_kind.lowest), std::fabs(of_kind.highest));
  return {-largest, largest};
}

void Calibration::TakeTails() {
  for (Tensor& tensor : collected_) {
    const Tails tails = std::exchange(tensor.tails, {});
    tensor.values = tails.values();
    const bool absolute = kind() == Values::kAbsolute;
    if (absolute) tensor.magnitudes = tails.magnitudes();
    const std::vector<float> ends = EndsOf(absolute ? tensor.magnitudes : tensor.values);
    if (ends.empty()) continue;
    const UniformBins uniform(ends[0], ends[1], static_cast<size_t>(bins()));
    tensor.of_tails = PercentileRange(tails, uniform, config_.calib_percentile, absolute);
  }
  AddPassAfterTails();
}

void Calibration::AddPassAfterTails() {
  const bool is_enough = std::all_of(collected_.begin(), collected_.end(), [](const Tensor& one) {
    return one.of_tails || !one.values.is_finite();
  });
  if (!is_enough) passes_.push_back(CalibrationPass::kHistograms);
}

void Calibration::PrepareHistograms() {
  for (size_t i = 0; i < tensors_.size(); ++i) {
    Tensor& tensor = collected_[i];
    tensor.ends = EndsOf(kind() == Values::kAbsolute ? tensor.magnitudes : ExtremesOf(i));
    if (tensor.of_tails) tensor.ends.clear();  // it is known
    if (!tensor.ends.empty()) tensor.counts.assign(static_cast<size_t>(bins()), 0);
    MakeBins(i);
  }
}

void Calibration::MakeBins(size_t tensor) {
  uniform_.resize(tensors_.size(), UniformBins(0, 0, 1));
  const std::vector<float>& ends = collected_[tensor].ends;
  if (ends.empty()) return;
  uniform_[tensor] = UniformBins(ends[0], ends[1], static_cast<size_t>(bins()));
}

QuantGrid Calibration::GridOf(size_t tensor) const {
  const TensorOverride* override = config_.Override(tensors_[tensor].name);
  QuantGrid grid;
  grid.type = config_.activation_type;
  grid.scale_type = tensors_[tensor].type;
  grid.fit = {config_.activation_symmetric || config_.RangeSymmetric(), false,
              config_.minimum_real_range};
  if (override == nullptr) return grid;
  grid.type = override->first().quant_type.value_or(grid.type);
  grid.fit.symmetric = override->first().symmetric.value_or(grid.fit.symmetric);
  return grid;
}

TensorRange Calibration::HistogramRange(size_t tensor) const {
  const Tensor& collected = collected_[tensor];
  const Extremes extremes = ExtremesOf(tensor);
  const Histogram histogram{collected.counts, uniform_[tensor].edges(), extremes.lowest,
                            extremes.highest};
  switch (config_.calibrate_method) {
    case CalibrationMethod::kPercentile:
      return PercentileRange(histogram, config_.calib_percentile, kind() == Values::kAbsolute);
    case CalibrationMethod::kDistribution:
      return DistributionRange(histogram, config_.cube_root_scenario);
    default:
      // With bins that were asked for it is the reference's, to the bit.
      if (config_.num_bins != 0) return EntropyRange(histogram, config_.num_quantized_bins);
      return SafeEntropyRange(histogram, config_.num_quantized_bins, GridOf(tensor));
  }
}

AutoRange Calibration::RangeOf(size_t tensor) const {
  const Extremes extremes = ExtremesOf(tensor);
  AutoRange result{{extremes.lowest, extremes.highest}, ""};
  if (!extremes.is_finite()) return result;
  if (collected_[tensor].of_tails) {
    result.range = *collected_[tensor].of_tails;
  } else if (Has(CalibrationPass::kHistograms)) {
    result.range = HistogramRange(tensor);
  } else if (config_.calibrate_method == CalibrationMethod::kMse) {
    result.range = MseRange(collected_[tensor].nested, GridOf(tensor));
  } else if (config_.calibrate_method == CalibrationMethod::kAuto) {
    result = BestRange(collected_[tensor].nested, GridOf(tensor));
  }
  // Percentile is symmetric in its own way: the clip of magnitudes, but no further than the values.
  const bool mirror = config_.RangeSymmetric() &&
                      config_.calibrate_method != CalibrationMethod::kPercentile &&
                      config_.calibrate_method != CalibrationMethod::kDistribution;
  if (mirror) result.range = Mirrored(result.range);
  return result;
}

void Calibration::Finish() {
  results_.clear();
  for (size_t i = 0; i < tensors_.size(); ++i) results_.push_back(RangeOf(i));
}

TensorRanges Calibration::Ranges() const {
  TensorRanges ranges;
  for (size_t i = 0; i < results_.size(); ++i) ranges.emplace(tensors_[i].name, results_[i].range);
  return ranges;
}

TensorRanges Calibration::RangesForRepairs() const {
  TensorRanges ranges = Ranges();
  const bool are_values = passes_.size() == 1 && !config_.calib_moving_average;
  if (!are_values || apart_.samples() == 0) return ranges;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const Extremes extremes = ExtremesIn(apart_, i);
    if (extremes.is_finite()) ranges[tensors_[i].name] = {extremes.lowest, extremes.highest};
  }
  return ranges;
}

// Ranges that are narrower than the values by more than `share` of these.
size_t Calibration::CountClipped(double share) const {
  size_t count = 0;
  for (size_t i = 0; i < results_.size(); ++i) {
    const Extremes extremes = ExtremesOf(i);
    if (!extremes.is_finite()) continue;
    const TensorRange& range = results_[i].range;
    // In double: the difference of two floats may be no float.
    const double below = static_cast<double>(range.lowest) - static_cast<double>(extremes.lowest);
    const double above = static_cast<double>(extremes.highest) - static_cast<double>(range.highest);
    const double all = static_cast<double>(extremes.highest) - static_cast<double>(extremes.lowest);
    if (std::max(below, 0.0) + std::max(above, 0.0) > share * all) ++count;
  }
  return count;
}

Diagnostics Calibration::Notes() const {
  Diagnostics notes;
  // NaN goes from tensor to tensor: the first one, in the order of the nodes, is where it began.
  size_t with_nan = 0;
  size_t first = 0;
  for (size_t i = tensors_.size(); i-- > 0;) {
    if (ExtremesOf(i).nans == 0) continue;
    ++with_nan;
    first = i;
  }
  if (with_nan > 0) {
    Text message = Text("Tensor '") + tensors_[first].name + "' held NaN";
    if (ranges_.samples() > 0 && !BeginsForRepairs()) {
      message = std::move(message) + " in " + ExtremesIn(ranges_, first).nans + " of " +
                ranges_.samples() + " samples";
    }
    if (with_nan > 1) message = std::move(message) + ", and " + (with_nan - 1) + " more after it";
    notes.push_back({Severity::kWarning, "NAN_IN_TENSOR",
                     std::move(message) + "; NaN is passed over.", "", tensors_[first].name,
                     "Look for samples that are broken or out of the model's range."});
  }
  if (config_.calibrate_method == CalibrationMethod::kAuto) {
    std::map<std::string, int> taken;
    for (const AutoRange& result : results_) {
      if (*result.method != 0) ++taken[result.method];
    }
    std::string methods;
    for (const auto& [method, count] : taken) {
      methods += (methods.empty() ? "" : ", ") + method + ": " + std::to_string(count);
    }
    notes.push_back({Severity::kInfo, "CALIBRATION_AUTO",
                     Text("auto took, by number of tensors, ") + methods + ".", "", "", ""});
  }
  if (const size_t clipped = CountClipped(0); clipped > 0) {
    notes.push_back({Severity::kInfo, "CALIBRATION_CLIPPED",
                     Text() + clipped + " of " + tensors_.size() +
                         " tensors have a range that cuts values off, " + CountClipped(kMuch) +
                         " of them by more than 10 % of where their values lie.",
                     "", "", ""});
  }
  return notes;
}

}  // namespace ptq
