#include "repair/second_moments.h"

#include <algorithm>
#include <utility>

#include "model/element_type.h"
#include "repair/layer_biases.h"
#include "repair/layer_rows.h"

namespace ptq {
namespace {

// Rows of a layer, from all samples: enough to tell its columns apart, and of small ones not more.
constexpr size_t kRowsByColumn = 16;
constexpr size_t kFewestRows = 512;
constexpr size_t kMostRows = 3072;

// Of a group, from all samples.
size_t RowsOf(const LinearLayer& layer) {
  return std::clamp(kRowsByColumn * LayerRows::Columns(layer), kFewestRows, kMostRows);
}

bool MayRound(const PlanContext& context, const LinearLayer& layer,
              const TensorStatistics& statistics) {
  const onnx::NodeProto& node = context.node(layer.node);
  const std::string& weight = node.input(1);
  const auto seen = statistics.find(node.input(0));
  return layer.is_observed && seen != statistics.end() &&
         seen->second.mean.size() == static_cast<size_t>(layer.inputs) &&
         LayerRows::Columns(layer) <= kMostColumns && ElementCount(*layer.weight) <= kMostWeights &&
         context.view().Uses(weight).size() == 1 && !context.view().IsGraphOutput(weight) &&
         context.config().Override(weight) == nullptr && context.ReasonToSkip(node).empty();
}

}  // namespace

SecondMoments::SecondMoments(const PlanContext& context, const TensorStatistics& statistics,
                             size_t samples)
    : samples_(std::max<size_t>(1, samples)) {
  Model model = context.model();  // stays as it is: biases are only asked about
  const LayerBiases biases(context.view(), &model);
  for (const LinearLayer& layer : FindLinearLayers(context.view())) {
    if (!MayRound(context, layer, statistics)) continue;
    OfLayer of_layer;
    of_layer.layer = layer;
    of_layer.node = &context.node(layer.node);
    of_layer.observed = statistics.at(of_layer.node->input(0));
    if (biases.CanAdd(layer)) of_layer.means = of_layer.observed.mean;
    layers_.push_back(std::move(of_layer));
  }
  // Small ones first, so that as many as can be have their matrices.
  std::vector<size_t> order(layers_.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto bytes = [&](size_t i) {
    const LinearLayer& layer = layers_[i].layer;
    return GramMatrix::Bytes(LayerRows::Columns(layer)) * static_cast<uint64_t>(layer.groups);
  };
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return std::pair(bytes(a), a) < std::pair(bytes(b), b); });
  uint64_t taken = 0;
  for (const size_t i : order) {
    taken += bytes(i);
    if (taken > kMomentBudget) layers_[i].node = nullptr;
  }
  std::erase_if(layers_, [](const OfLayer& layer) { return layer.node == nullptr; });
  for (size_t i = 0; i < layers_.size(); ++i) {
    by_input_[layers_[i].node->input(0)].push_back(i);
    by_weight_[layers_[i].node->input(1)] = i;
  }
}

double SecondMoments::Products() const {
  double products = 0;
  for (const OfLayer& of_layer : layers_) {
    const LinearLayer& layer = of_layer.layer;
    const auto columns = static_cast<double>(LayerRows::Columns(layer));
    const auto groups = static_cast<double>(layer.groups);
    const double rows = static_cast<double>(RowsOf(layer)) + columns / 3;  // and of the factor
    products += columns * columns / 2 * (groups * rows + static_cast<double>(layer.outputs));
  }
  return products;
}

std::vector<std::string> SecondMoments::Inputs() const {
  std::vector<std::string> inputs;
  for (size_t i = 0; i < layers_.size(); ++i) {
    const std::string& input = layers_[i].node->input(0);
    if (by_input_.at(input).front() == i) inputs.push_back(input);
  }
  return inputs;
}

void SecondMoments::Observe(const std::string& tensor, std::span<const int64_t> dims,
                            std::span<const float> values) {
  const auto found = by_input_.find(tensor);
  uint64_t count = 1;
  for (const int64_t dim : dims) count *= dim > 0 ? static_cast<uint64_t>(dim) : 0;
  if (found == by_input_.end() || count != values.size()) return;
  std::vector<float> rows;
  for (const size_t i : found->second) {
    OfLayer& of_layer = layers_[i];
    const size_t columns = LayerRows::Columns(of_layer.layer);
    const size_t most = std::max<size_t>(1, RowsOf(of_layer.layer) / samples_);
    const LayerRows places(*of_layer.node, of_layer.layer, dims, most);
    if (places.count() == 0) continue;
    if (of_layer.by_group.empty()) {
      of_layer.by_group.assign(static_cast<size_t>(of_layer.layer.groups), GramMatrix(columns));
    }
    for (size_t group = 0; group < of_layer.by_group.size(); ++group) {
      places.Read(values, group, of_layer.means, GramMatrix::Padded(columns), &rows);
      of_layer.by_group[group].AddRows(rows);
    }
    of_layer.rows += places.count();
  }
}

const SecondMoments::OfLayer* SecondMoments::Find(const std::string& weight) const {
  const auto found = by_weight_.find(weight);
  if (found == by_weight_.end() || layers_[found->second].rows == 0) return nullptr;
  return &layers_[found->second];
}

}  // namespace ptq
