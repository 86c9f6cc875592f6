#include "calibration/derived_tensors.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "calibration/clip_kernels.h"
#include "model/node_queries.h"

namespace ptq {
namespace {

// nullopt where the node does more to its input 0 than to move or clip it.
std::optional<ClipBounds> FindClip(const onnx::NodeProto& node, const Model& model,
                                   const GraphView& view) {
  if (MovesValues(node)) return ClipBounds{};
  // float16 is clipped in its own arithmetic.
  if (view.ElementType(node.output(0)) != onnx::TensorProto::FLOAT) return std::nullopt;
  const std::optional<ClipBounds> bounds = FindClipBounds(node, model, view);
  if (!bounds || std::isnan(bounds->low) || std::isnan(bounds->high)) return std::nullopt;
  return bounds;
}

}  // namespace

bool Derivation::moves_only() const {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  return clip.low == -kInfinity && clip.high == kInfinity;
}

std::vector<std::optional<Derivation>> FindDerivations(const Model& model, const GraphView& view,
                                                       const std::vector<std::string>& tensors) {
  std::vector<std::optional<Derivation>> derivations;
  std::unordered_map<std::string, size_t> numbers;
  for (const std::string& tensor : tensors) {
    std::optional<Derivation>& derivation = derivations.emplace_back();
    numbers.emplace(tensor, numbers.size());
    const int producer = view.Producer(tensor);
    if (producer < 0 || view.node(producer).input_size() == 0) continue;
    const onnx::NodeProto& node = view.node(producer);
    const auto source = numbers.find(node.input(0));
    if (source == numbers.end() || node.output(0) != tensor) continue;
    if (view.ElementType(node.input(0)) != view.ElementType(tensor)) continue;
    const std::optional<ClipBounds> clip = FindClip(node, model, view);
    if (!clip) continue;
    derivation = Derivation{source->second, *clip};
    if (const std::optional<Derivation>& before = derivations[source->second]) {
      // What is clipped twice is clipped to the first ends as the second clip clips them.
      derivation->tensor = before->tensor;
      derivation->clip = {Clip(before->clip.low, *clip), Clip(before->clip.high, *clip)};
    }
  }
  return derivations;
}

std::vector<uint64_t> ClipCounts(std::span<const uint64_t> counts, size_t low, size_t high) {
  std::vector<uint64_t> clipped(counts.size());
  for (size_t bin = 0; bin < counts.size(); ++bin) {
    clipped[std::min(std::max(bin, low), high)] += counts[bin];
  }
  return clipped;
}

}  // namespace ptq
