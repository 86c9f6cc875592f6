// Who makes and who reads each tensor of one graph, with its bodies (of If, Loop, Scan) if asked:
// built in one pass over the nodes, valid until the graph is changed. Passes build a view, collect
// their edits, apply them all, and let the next pass build its own: linear in nodes, with no
// bookkeeping to go wrong.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "onnx/onnx_pb.h"

namespace ptq {

struct Use {
  int node;   // index of the node in the view
  int input;  // index into node.input(); -1: read inside a subgraph of that node
};

// Whether the bodies of If, Loop and Scan are part of the view. Inside, their nodes are listed
// before the node that holds them, and all tensor names of the model must differ
// (passes/uniquify_names.cc).
enum class Bodies { kOutside, kInside };

class GraphView {
 public:
  explicit GraphView(const onnx::GraphProto& graph, Bodies bodies = Bodies::kOutside);

  const onnx::GraphProto& graph() const { return *graphs_.front(); }

  // The nodes of the view: those of graph().node() with bodies outside.
  int node_count() const { return static_cast<int>(nodes_.size()); }
  const onnx::NodeProto& node(int index) const { return *nodes_[static_cast<size_t>(index)]; }

  // Graphs of the view by number; 0 is graph(), the others bodies.
  int graph_count() const { return static_cast<int>(graphs_.size()); }
  int GraphOf(int node) const { return graph_of_[static_cast<size_t>(node)]; }
  // The graph that defines `tensor` (as input, initializer or output of a node); 0 where unknown.
  int Owner(std::string_view tensor) const;

  // Index of the node that makes `tensor`, or -1 (graph input, initializer, unknown).
  int Producer(std::string_view tensor) const;
  // Every read of `tensor` by this graph's nodes, reads from inside subgraphs included.
  const std::vector<Use>& Uses(std::string_view tensor) const;
  // Of the graph, or of a body that is part of the view.
  bool IsGraphInput(std::string_view tensor) const;  // initializers repeated as inputs: also true
  bool IsGraphOutput(std::string_view tensor) const;
  const onnx::TensorProto* Initializer(std::string_view tensor) const;  // null where it is none
  const onnx::ValueInfoProto* ValueInfo(
      std::string_view tensor) const;  // inputs, outputs, value_info
  // onnx::TensorProto element type, 0 where unknown. Initializers count.
  int32_t ElementType(std::string_view tensor) const;

  // Graph inputs, initializers and what nodes make, for near matches in messages.
  std::vector<std::string> TensorNames() const;

 private:
  void AddGraph(const onnx::GraphProto& graph, Bodies bodies);

  std::vector<const onnx::GraphProto*> graphs_;
  std::vector<const onnx::NodeProto*> nodes_;
  std::vector<int> graph_of_;
  std::unordered_map<std::string_view, int> owner_;  // of what bodies define
  std::unordered_map<std::string_view, int> producer_;
  std::unordered_map<std::string_view, std::vector<Use>> uses_;
  std::unordered_map<std::string_view, const onnx::TensorProto*> initializers_;
  std::unordered_map<std::string_view, const onnx::ValueInfoProto*> value_infos_;
  std::unordered_set<std::string_view> inputs_;
  std::unordered_set<std::string_view> outputs_;
};

// The graphs of a view, by number, to be changed: each before those in its nodes.
std::vector<onnx::GraphProto*> GraphsOf(onnx::GraphProto* graph, Bodies bodies);

// All tensor and node names of the graph and its subgraphs, and new ones beside them.
class UniqueNames {
 public:
  explicit UniqueNames(const onnx::GraphProto& graph);
  // `wanted`, or `wanted` + "_1", "_2", … where taken; the result is taken from now on.
  std::string Make(const std::string& wanted);

 private:
  std::unordered_set<std::string> taken_;
  std::unordered_map<std::string, int> next_;
};

// Deletes the nodes marked true (same length as graph.node()), keeping the order of the rest.
void RemoveNodes(onnx::GraphProto* graph, const std::vector<bool>& remove);

// Replaces reads of tensors by name (key -> value) in all nodes and their subgraphs.
// Graph outputs are left alone.
void RenameReads(onnx::GraphProto* graph,
                 const std::unordered_map<std::string, std::string>& names);

// Drops initializers that nothing reads (and their repetition as graph inputs).
void RemoveUnusedInitializers(onnx::GraphProto* graph);

}  // namespace ptq
