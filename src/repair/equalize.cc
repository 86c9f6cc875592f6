#include "repair/equalize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/attributes.h"
#include "model/node_queries.h"
#include "quantization/plan_context.h"
#include "repair/layer_biases.h"
#include "repair/linear_layers.h"
#include "repair/scale_weights.h"
#include "repair/visit_weights.h"

namespace ptq {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
// How much of the way to a bound of a Clip the samples may go, since others may go further.
constexpr float kHeadroom = 2;
constexpr int kMostRounds = 20;
// A round that moves no factor by more than this is the last.
constexpr float kConverged = 1.01f;
// Further than that, a channel is as good as dead.
constexpr float kMostScale = 1024;

enum class Between { kNothing, kRelu, kClip };

// Two layers, and the tensor that the second one reads.
struct Pair {
  size_t first;
  size_t second;
  std::string before;  // what the first layer writes
  std::string tensor;  // the same behind the Relu or Clip
  Between between = Between::kNothing;
  float low = -kInfinity;  // of the Clip
  float high = kInfinity;
  std::vector<float> scale;  // the tensor is divided by it
};

class Equalizer {
 public:
  Equalizer(const StaticQuantConfig& config, Model* model, TensorRanges* ranges,
            TensorStatistics* statistics)
      : config_(config),
        model_(*model),
        ranges_(*ranges),
        statistics_(*statistics),
        context_(*model, config, *ranges),
        layers_(FindLinearLayers(context_.view())),
        biases_(context_.view(), model) {}

  int Run() {
    FindPairs();
    if (pairs_.empty()) return 0;
    for (const LinearLayer& layer : layers_) factors_.emplace_back(layer);
    for (int round = 0; round < kMostRounds; ++round) {
      float moved = 1;
      for (Pair& pair : pairs_) moved = std::max(moved, Equalize(&pair));
      if (moved <= kConverged) break;
    }
    ScaleStatistics();
    ChangeBiases();
    ScaleWeights();
    return static_cast<int>(pairs_.size());
  }

 private:
  // --- Which layers ---

  void FindPairs() {
    std::unordered_map<int, size_t> layer_of;
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (MayScale(layers_[i])) layer_of.emplace(layers_[i].node, i);
    }
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (!layer_of.contains(layers_[i].node) || !biases_.CanAdd(layers_[i])) continue;
      if (IsOp(context_.node(layers_[i].node), "MatMul")) continue;  // an Add follows
      std::optional<Pair> pair = Follow(i);
      if (!pair) continue;
      const Use use = context_.view().Uses(pair->tensor)[0];
      const auto second = layer_of.find(use.node);
      if (use.input != 0 || second == layer_of.end()) continue;
      pair->second = second->second;
      if (IsKnown(*pair)) pairs_.push_back(*std::move(pair));
    }
  }

  // Whether the weight is this layer's alone, quantized, and as the plan finds it best.
  bool MayScale(const LinearLayer& layer) const {
    const onnx::NodeProto& node = context_.node(layer.node);
    return layer.weight->data_type() == onnx::TensorProto::FLOAT && IsRead(node.input(1)) &&
           context_.ReasonToSkip(node).empty() && IsFree(node.input(1));
  }

  // By one input and nobody else.
  bool IsRead(const std::string& tensor) const {
    const std::vector<Use>& uses = context_.view().Uses(tensor);
    return uses.size() == 1 && uses[0].input >= 0 && !context_.view().IsGraphOutput(tensor);
  }

  bool IsFree(const std::string& tensor) const { return config_.Override(tensor) == nullptr; }

  // From the output of a layer, through a Relu or Clip, to what the next node reads.
  std::optional<Pair> Follow(size_t layer) const {
    Pair pair;
    pair.first = layer;
    pair.before = context_.node(layers_[layer].node).output(0);
    pair.tensor = pair.before;
    if (!IsRead(pair.before) || !IsFree(pair.before)) return std::nullopt;
    const onnx::NodeProto& reader = context_.node(context_.view().Uses(pair.before)[0].node);
    const bool relu = IsOp(reader, "Relu");
    if (!relu && !IsOp(reader, "Clip")) return pair;
    // Then the range behind it counts for both (PlanContext::AdjustRanges).
    if (!context_.ReasonToSkip(reader).empty() || reader.input(0) != pair.before) {
      return std::nullopt;
    }
    pair.between = relu ? Between::kRelu : Between::kClip;
    pair.tensor = reader.output(0);
    if (relu) pair.low = 0;
    if (!relu && !FindBounds(reader, &pair)) return std::nullopt;
    if (!IsRead(pair.tensor) || !IsFree(pair.tensor)) return std::nullopt;
    return pair;
  }

  bool FindBounds(const onnx::NodeProto& clip, Pair* pair) const {
    if (context_.opset() < 11) {
      pair->low = FloatAttribute(clip, "min", -kInfinity);
      pair->high = FloatAttribute(clip, "max", kInfinity);
    } else {
      for (int i = 1; i <= 2; ++i) {
        if (!HasInput(clip, i)) continue;
        const onnx::TensorProto* bound = context_.view().Initializer(clip.input(i));
        if (bound == nullptr || ElementCount(*bound) != 1) return false;
        (i == 1 ? pair->low : pair->high) = model_.tensors().ReadFloats(*bound)[0];
      }
    }
    return pair->low <= 0 && pair->high > 0;
  }

  // Whether calibration saw the channels between the two.
  bool IsKnown(const Pair& pair) const {
    const LinearLayer& second = layers_[pair.second];
    const auto seen = statistics_.find(pair.tensor);
    // Axis 1 is that of the outputs of a Conv and of a Gemm.
    const bool same =
        second.is_observed && second.axis == 1 && layers_[pair.first].outputs == second.inputs;
    return same && seen != statistics_.end() &&
           seen->second.lowest.size() == static_cast<size_t>(second.inputs) &&
           ranges_.contains(pair.tensor);
  }

  // --- How far ---

  // The largest magnitude of each channel of the weight as it is scaled by now.
  std::vector<float> Reach(size_t layer, bool of_outputs) const {
    const LinearLayer& of = layers_[layer];
    const ChannelFactors& factors = factors_[layer];
    std::vector<float> reach(static_cast<size_t>(of_outputs ? of.outputs : of.inputs));
    VisitWeights(model_.tensors(), of, [&](float weight, LinearLayer::Place place) {
      float& channel = reach[of_outputs ? place.output : place.input];
      const float scaled = std::fabs(weight * factors.out[place.output] * factors.in[place.input]);
      channel = std::max(channel, scaled);
    });
    return reach;
  }

  // Returns by how much the scale that changed most has changed.
  float Equalize(Pair* pair) {
    const std::vector<float> first = Reach(pair->first, true);
    const std::vector<float> second = Reach(pair->second, false);
    const ChannelStatistics& seen = statistics_.at(pair->tensor);
    pair->scale.resize(first.size(), 1);
    float moved = 1;
    for (size_t c = 0; c < first.size(); ++c) {
      const float ratio = std::sqrt(first[c] / second[c]);
      if (!(ratio > 0) || !std::isfinite(ratio)) continue;
      const float before = pair->scale[c];
      const float wanted = std::clamp(before * ratio, 1 / kMostScale, kMostScale);
      const float scale = Bounded(*pair, seen.lowest[c], seen.highest[c], wanted);
      factors_[pair->first].out[c] *= before / scale;
      factors_[pair->second].in[c] *= scale / before;
      pair->scale[c] = scale;
      moved = std::max({moved, scale / before, before / scale});
    }
    return moved;
  }

  // The scale that keeps a channel within the bounds of a Clip, with headroom: as it is, so that
  // the bounds do nothing now, and scaled.
  static float Bounded(const Pair& pair, float lowest, float highest, float wanted) {
    if (pair.between != Between::kClip) return wanted;
    if (highest * kHeadroom > pair.high) return 1;
    float least = std::isfinite(pair.high) ? highest * kHeadroom / pair.high : 0;
    if (pair.low < 0 && std::isfinite(pair.low)) {  // a bound of 0 is one whatever the scale
      if (lowest * kHeadroom < pair.low) return 1;
      least = std::max(least, lowest * kHeadroom / pair.low);
    }
    return std::max(wanted, least);
  }

  // --- Carrying it out ---

  bool IsUnpadded(size_t layer) const {
    const onnx::NodeProto& node = context_.node(layers_[layer].node);
    const std::vector<int64_t> pads = IntsAttribute(node, "pads");
    const std::string automatic = StringAttribute(node, "auto_pad", "NOTSET");
    return (automatic == "NOTSET" || automatic == "VALID") &&
           std::all_of(pads.begin(), pads.end(), [](int64_t pad) { return pad == 0; });
  }

  // What moves from each channel into the next layer's bias. With nothing between the two, the
  // middle of the channel, exactly; behind a Relu or Clip half of what is above 0 in every sample,
  // so that samples that go lower are clipped as before.
  std::vector<float> Absorbed(const Pair& pair, const ChannelStatistics& seen) const {
    std::vector<float> absorbed(pair.scale.size(), 0);
    if (!IsUnpadded(pair.second) || !biases_.CanAdd(layers_[pair.second])) return absorbed;
    for (size_t c = 0; c < absorbed.size(); ++c) {
      if (pair.between == Between::kNothing) {
        absorbed[c] = seen.lowest[c] / 2 + seen.highest[c] / 2;
      } else if (seen.lowest[c] > 0 && pair.scale[c] != 1) {
        absorbed[c] = seen.lowest[c] / 2;
      }
    }
    return absorbed;
  }

  void ScaleStatistics() {
    for (const Pair& pair : pairs_) {
      ChannelStatistics& seen = statistics_.at(pair.tensor);
      for (size_t c = 0; c < pair.scale.size(); ++c) {
        seen.lowest[c] /= pair.scale[c];
        seen.highest[c] /= pair.scale[c];
        seen.mean[c] /= pair.scale[c];
      }
      const std::vector<float> absorbed = Absorbed(pair, seen);
      for (size_t c = 0; c < absorbed.size(); ++c) {
        seen.lowest[c] -= absorbed[c];
        seen.highest[c] -= absorbed[c];
        seen.mean[c] -= absorbed[c];
      }
      absorbed_.push_back(absorbed);
      TensorRange range{*std::min_element(seen.lowest.begin(), seen.lowest.end()),
                        *std::max_element(seen.highest.begin(), seen.highest.end())};
      if (config_.RangeSymmetric()) {
        range.highest = std::max(std::fabs(range.lowest), std::fabs(range.highest));
        range.lowest = -range.highest;
      }
      ranges_[pair.tensor] = range;
      ranges_[pair.before] = range;
    }
  }

  // Of a layer that is second in one pair and first in the next, both change the bias.
  void ChangeBiases() {
    std::unordered_map<size_t, std::vector<double>> added;
    const auto of = [&](size_t layer) -> std::vector<double>& {
      std::vector<double>& values = added[layer];
      values.resize(static_cast<size_t>(layers_[layer].outputs));
      return values;
    };
    for (size_t p = 0; p < pairs_.size(); ++p) {
      const Pair& pair = pairs_[p];
      for (size_t o = 0; o < absorbed_[p].size(); ++o) of(pair.first)[o] -= absorbed_[p][o];
      if (std::all_of(absorbed_[p].begin(), absorbed_[p].end(), [](float a) { return a == 0; })) {
        continue;
      }
      // The new weight times what it no longer reads.
      std::vector<double> unscaled(absorbed_[p].begin(), absorbed_[p].end());
      const ChannelFactors& factors = factors_[pair.second];
      for (size_t c = 0; c < unscaled.size(); ++c) unscaled[c] *= factors.in[c];
      const double alpha = FloatAttribute(context_.node(layers_[pair.second].node), "alpha", 1);
      const std::vector<double> outputs =
          OutputsAt(model_.tensors(), layers_[pair.second], unscaled);
      for (size_t o = 0; o < outputs.size(); ++o) {
        of(pair.second)[o] += alpha * outputs[o] * factors.out[o];
      }
    }
    for (size_t layer = 0; layer < layers_.size(); ++layer) {
      const bool first = std::any_of(pairs_.begin(), pairs_.end(),
                                     [&](const Pair& pair) { return pair.first == layer; });
      const auto values = added.find(layer);
      if (values == added.end() && !first) continue;
      biases_.Change(layers_[layer], factors_[layer].out, of(layer));
    }
  }

  void ScaleWeights() {
    std::unordered_map<std::string, onnx::TensorProto> scaled;
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (factors_[i].are_one()) continue;
      scaled.emplace(layers_[i].weight->name(),
                     ScaledWeight(layers_[i], factors_[i], &model_.tensors()));
    }
    biases_.Apply();
    for (onnx::TensorProto& initializer : *model_.graph().mutable_initializer()) {
      const auto found = scaled.find(initializer.name());
      if (found != scaled.end()) initializer = std::move(found->second);
    }
  }

  const StaticQuantConfig& config_;
  Model& model_;
  TensorRanges& ranges_;
  TensorStatistics& statistics_;
  PlanContext context_;
  std::vector<LinearLayer> layers_;
  LayerBiases biases_;
  std::vector<Pair> pairs_;
  std::vector<ChannelFactors> factors_;       // by layer
  std::vector<std::vector<float>> absorbed_;  // by pair
};

}  // namespace

int EqualizeLayers(const StaticQuantConfig& config, Model* model, TensorRanges* ranges,
                   TensorStatistics* statistics) {
  const bool plain_ranges =
      config.calibrate_method == CalibrationMethod::kMinMax && !config.calib_moving_average;
  if (config.per_channel || config.block_size > 0 || !plain_ranges) return 0;
  return Equalizer(config, model, ranges, statistics).Run();
}

}  // namespace ptq
