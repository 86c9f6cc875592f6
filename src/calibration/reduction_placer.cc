#include "calibration/reduction_placer.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "calibration/reductions.h"
#include "model/attributes.h"
#include "model/node_builder.h"

namespace ptq {
namespace {

// Tensors in a run, and inputs of a Concat in the tree.
constexpr size_t kRun = 16;

}  // namespace

ReductionPlacer::ReductionPlacer(UniqueNames* names, onnx::GraphProto* graph)
    : names_(names), graph_(graph), places_(static_cast<size_t>(graph->node_size()) + 1) {}

void ReductionPlacer::Place(const std::vector<std::string>& parts, int64_t rank, int producer) {
  place_ = std::max(place_, static_cast<size_t>(producer + 1));
  Move(&nodes_);
  Move(&waiting_);
  if (in_run_ == kRun || rank != rank_) EndRun();
  rank_ = rank;
  std::vector<std::string> inputs = parts;
  if (in_run_ > 0) inputs.insert(inputs.begin(), run_);
  run_ = AddConcat(inputs, &waiting_);
  ++in_run_;
}

std::string ReductionPlacer::Join() {
  EndRun();
  Move(&waiting_);
  place_ = places_.size() - 1;
  MoveReversed(&ends_);
  std::vector<std::string> level = std::move(runs_);
  while (level.size() > 1) {
    std::vector<std::string> next;
    onnx::GraphProto concats;
    for (size_t i = 0; i < level.size(); i += kRun) {
      const auto begin = level.begin() + static_cast<std::ptrdiff_t>(i);
      const auto size = static_cast<std::ptrdiff_t>(std::min(kRun, level.size() - i));
      const std::vector<std::string> inputs(begin, begin + size);
      next.push_back(size == 1 ? inputs[0] : AddConcat(inputs, &concats));
    }
    MoveReversed(&concats);
    level = std::move(next);
  }
  Interleave();
  return level.front();
}

std::string ReductionPlacer::AddConcat(const std::vector<std::string>& inputs,
                                       onnx::GraphProto* graph) {
  std::string output = names_->Make("ptq_ranges");
  SetAttribute(AddNode(graph, "Concat", inputs, output), "axis", int64_t{0});
  return output;
}

void ReductionPlacer::EndRun() {
  if (in_run_ == 0) return;
  in_run_ = 0;
  if (flat_.empty()) flat_ = AddConstant("ptq_flat", {-1}, names_, graph_);
  runs_.push_back(names_->Make("ptq_ranges"));
  AddNode(&ends_, "Reshape", {run_, flat_}, runs_.back());
}

void ReductionPlacer::Move(onnx::GraphProto* from) {
  for (onnx::NodeProto& node : *from->mutable_node()) places_[place_].Add()->Swap(&node);
  from->clear_node();
}

void ReductionPlacer::MoveReversed(onnx::GraphProto* from) {
  std::reverse(from->mutable_node()->pointer_begin(), from->mutable_node()->pointer_end());
  Move(from);
}

void ReductionPlacer::Interleave() {
  Nodes own;
  own.Swap(graph_->mutable_node());
  for (size_t i = 0; i < places_.size(); ++i) {
    if (i > 0) graph_->add_node()->Swap(own.Mutable(static_cast<int>(i) - 1));
    for (onnx::NodeProto& node : places_[i]) graph_->add_node()->Swap(&node);
  }
}

}  // namespace ptq
