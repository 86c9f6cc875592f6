// The two reductions that observe a tensor in the graph itself: its lowest and its highest value.
#pragma once

#include <string>
#include <vector>

#include "model/graph_view.h"

namespace ptq {

onnx::NodeProto* AddGraphNode(onnx::GraphProto* graph, const std::string& op_type,
                              const std::vector<std::string>& inputs, const std::string& output);

class Reductions {
 public:
  // `view` is of the model before anything was added to it; `main` gets the constants.
  Reductions(const GraphView& view, UniqueNames* names, onnx::GraphProto* main);

  struct Pair {
    std::string lowest;  // float32 [1]
    std::string highest;
  };
  // Adds the nodes to `graph`, in which `tensor` can be read.
  Pair Add(const std::string& tensor, onnx::GraphProto* graph);

 private:
  std::string Reduce(const char* op_type, const std::string& tensor, const std::string& source,
                     onnx::GraphProto* graph);

  const GraphView& view_;
  UniqueNames* names_;
  std::string shape_;  // the name of a constant [1]
};

}  // namespace ptq
