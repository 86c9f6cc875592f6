// One calibration, from the first sample to the ranges: the passes over the samples that the method
// needs, what each pass collects, and the ranges at the end. All of it merges exactly: parts may be
// collected by several workers or machines, in any order, with the same result to the bit (a moving
// average apart).
//
//   MinMax                             kRanges
//   Entropy, Distribution, Percentile  kRanges, then kHistograms in uniform bins between the ends
//   Percentile of magnitudes           kMagnitudes, then kHistograms
//   Percentile near 100, and only it   kTails, then kHistograms of the tensors where that was not
//                                      enough
//   MSE, auto                          kNestedHistograms
//
// With an effort repairs are made from what kRanges reduces in some of the samples; methods that
// begin with another pass have it before, for these samples.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "calibration/channel_means.h"
#include "calibration/derived_tensors.h"
#include "calibration/histogram.h"
#include "calibration/histogram_kernels.h"
#include "calibration/range_collector.h"
#include "quantization/config.h"
#include "quantization/quant_plan.h"
#include "repair/channel_statistics.h"

namespace ptq {

class HexReader;

// What one run over all samples collects.
enum class CalibrationPass {
  kRanges,            // lowest and highest, reduced in the graph
  kMagnitudes,        // lowest and highest of x and of |x|; this and the rest from the tensors
  kTails,             // the outermost values
  kHistograms,        // counts in bins between the ends that the pass before found
  kNestedHistograms,  // counts in bins that grow
};

std::vector<CalibrationPass> PassesOf(const StaticQuantConfig& config);

struct CalibratedTensor {
  std::string name;
  FloatType type = FloatType::kFloat;
  size_t channels = 1;     // with calib_per_channel the length of axis 1, where it is known
  bool has_means = false;  // channels are observed for repairs: with statistics its reductions hold
                           // those of each channel, the mean in place of the sum
  std::optional<Derivation> derived = std::nullopt;  // then its values are not observed
};

struct ChannelRange {
  std::vector<float> lowest;
  std::vector<float> highest;
};

class Calibration {
 public:
  Calibration(std::vector<CalibratedTensor> tensors, const StaticQuantConfig& config);

  const std::vector<CalibratedTensor>& tensors() const { return tensors_; }
  bool done() const { return pass_ == passes_.size(); }
  size_t pass_index() const { return pass_; }
  size_t pass_count() const { return passes_.size(); }
  // Whether another pass may follow that pass_count() does not count yet.
  bool may_add_pass() const { return !done() && pass() == CalibrationPass::kTails; }
  CalibrationPass pass() const { return passes_[pass_]; }
  // Whether the pass needs no samples but those that repairs are made from.
  bool is_for_repairs() const;
  // Whether this pass looks at a tensor, or at one that is derived from it.
  bool needs(size_t tensor) const;

  // kRanges: one sample's reductions of all tensors, channel by channel, in order
  // (calibration_model.h); with or without those for repairs. `for_repairs`: whether repairs are
  // made from this sample.
  void ObserveRanges(std::span<const float> reductions, bool for_repairs = true);
  // The other passes: one sample's values of one tensor, and of those that are derived from it.
  void ObserveTensor(size_t tensor, std::span<const float> values);
  // All samples were seen: what was collected is kept, the next pass begins.
  void EndPass();

  // After the last pass. Empty ranges where no sample had a value; infinite ones where one was
  // infinite.
  TensorRanges Ranges() const;
  // Those of the samples that repairs are made from: what a repair is worth on the others shows
  // with them, because values beyond a range count. Ranges() where these are not those of the
  // values.
  TensorRanges RangesForRepairs() const;
  // Ranges() by channel, with calib_per_channel; a tensor without any value is left out.
  std::map<std::string, ChannelRange> RangesByChannel() const;
  // Of the tensors that have means, where a sample that is kept for repairs had a value.
  TensorStatistics Statistics() const;
  // Warnings about what was seen, how many tensors were clipped, and for auto which method was
  // taken how often.
  Diagnostics Notes() const;

  // All that was collected, as JSON; a calibration of the same tensors and options goes on from it.
  std::string Save() const;
  // The same without what this pass has collected so far. A worker starts from it, so that nothing
  // is counted twice when its part is added.
  std::string Fork() const;
  // Throws kInvalidCalibrationState for text that Save() of such a calibration did not write.
  void Restore(const std::string& state);
  // Adds what another calibration collected in the same pass. Throws kInvalidCalibrationState where
  // it is in another pass, or has other bins.
  void Add(const std::string& state);

 private:
  struct Tensor {
    Extremes values;                      // after kMagnitudes or kTails
    Extremes magnitudes;                  // the same
    Tails tails;                          // kTails
    std::optional<TensorRange> of_tails;  // after it, where it is known
    std::vector<uint64_t> counts;         // kHistograms
    std::vector<float> ends;              // of the bins; empty: no value, or infinite ones
    NestedBins nested;                    // kNestedHistograms
  };

  bool BeginsForRepairs() const;
  bool Has(CalibrationPass pass) const;
  // Whether the pass that counts in bins has begun.
  bool HasBins() const;
  bool IsAfterTails(size_t pass) const;
  Values kind() const;
  int64_t bins() const;
  QuantGrid GridOf(size_t tensor) const;
  Extremes ExtremesOf(size_t tensor) const;
  Extremes ExtremesIn(const RangeCollector& ranges, size_t tensor) const;
  AutoRange RangeOf(size_t tensor) const;
  TensorRange HistogramRange(size_t tensor) const;
  size_t CountClipped(double share) const;
  void Collect(size_t tensor, std::span<const float> values);
  bool FollowsAtEnd(size_t tensor) const;
  bool IsClippedAtEnd(size_t tensor) const;
  void CollectDerived();
  // Of the bins; empty without a value, or with infinite ones.
  std::vector<float> EndsOf(const Extremes& of_kind) const;
  // After kTails: the ranges that follow, and another pass where one does not.
  void TakeTails();
  void PrepareHistograms();
  void MakeBins(size_t tensor);
  void Finish();
  std::string SaveWith(bool collected) const;
  void RestoreTensors(const nlohmann::json& tensors, const HexReader& hex, size_t pass);
  void AddPassAfterTails();

  // The reductions of tensors from those with channels for repairs, of which it keeps these.
  std::vector<float> Fold(std::span<const float> reductions, bool for_repairs);

  std::vector<CalibratedTensor> tensors_;
  StaticQuantConfig config_;
  std::vector<CalibrationPass> passes_;
  std::vector<std::vector<size_t>> derived_;  // from each tensor
  std::vector<float> clipped_;                // values
  std::vector<size_t> first_channel_;         // of each tensor in ranges_
  std::vector<size_t> first_repaired_;        // of each tensor in repaired_ and means_
  size_t pass_ = 0;
  RangeCollector ranges_;
  RangeCollector apart_;     // kRanges: of the samples that repairs are made from
  RangeCollector repaired_;  // kRanges: of channels that are observed for repairs, and their means
  ChannelMeans means_;
  std::vector<Tensor> collected_;
  std::vector<UniformBins> uniform_;  // kHistograms: by tensor
  std::vector<AutoRange> results_;    // after the last pass
};

}  // namespace ptq
