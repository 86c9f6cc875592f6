// Places reductions in the graph and joins them to one vector, so that a run needs the memory of
// the model alone and a session is made in time linear in nodes.
//
// onnxruntime orders a graph backwards, from its last node on: what a node reads comes before it,
// the last input first, and nodes that could come next wait in a sorted list. With one Concat of
// all reductions, every tensor lives until the end of a run, and the list holds them all. Hence:
//
//   - reductions stand right behind the node that makes their tensor;
//   - up to 16 tensors are joined one after the other, each Concat behind the reductions of the
//   next
//     tensor, so that it is what onnxruntime turns to first;
//   - such runs end, and are joined by a tree of Concats, behind all else, the last ones first.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/graph_view.h"

namespace ptq {

class ReductionPlacer {
 public:
  ReductionPlacer(UniqueNames* names, onnx::GraphProto* graph);

  // Where the nodes of the tensor that comes next go; Join() moves them into the graph.
  onnx::GraphProto* nodes() { return &nodes_; }

  // Takes what is in nodes(): it makes `parts` (all of `rank`, to be joined along axis 0) of a
  // tensor that node number `producer` makes (-1: none). Tensors come in the order of their
  // numbers.
  void Place(const std::vector<std::string>& parts, int64_t rank, int producer);

  // Puts all nodes into the graph; returns the name of the vector. Something must have been placed.
  std::string Join();

 private:
  using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;

  std::string AddConcat(const std::vector<std::string>& inputs, onnx::GraphProto* graph);
  void EndRun();
  // To the place that is filled now.
  void Move(onnx::GraphProto* from);
  void MoveReversed(onnx::GraphProto* from);
  void Interleave();

  UniqueNames* names_;
  onnx::GraphProto* graph_;
  std::vector<Nodes> places_;  // what comes ahead of all nodes, behind the first, …
  size_t place_ = 0;
  onnx::GraphProto nodes_;
  onnx::GraphProto waiting_;  // the Concat that comes behind the next tensor's reductions
  std::string run_;           // the vector of the run, as far as it is joined
  size_t in_run_ = 0;         // tensors
  int64_t rank_ = 1;
  onnx::GraphProto ends_;  // of runs
  std::vector<std::string> runs_;
  std::string flat_;  // a constant: the shape of a vector
};

}  // namespace ptq
