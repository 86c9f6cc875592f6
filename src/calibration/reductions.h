// The reductions that observe a tensor in the graph itself: its lowest and its highest value, and
// where wanted what mean and standard deviation follow from.
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

  // Names of float32 [1]: number of values, their mean, the mean of their squares. With `cube_root`
  // of sign(x) * |x|^(1/3) (the scenario p3 of onnxruntime.quantization's float8).
  std::vector<std::string> AddMoments(const std::string& tensor, bool cube_root,
                                      onnx::GraphProto* graph);

 private:
  // `tensor` as float32: no float16 reductions on CPUs.
  std::string AsFloat(const std::string& tensor, onnx::GraphProto* graph);
  std::string Reduce(const char* op_type, const std::string& tensor, const std::string& source,
                     onnx::GraphProto* graph);
  std::string AsVector(const std::string& scalar, onnx::GraphProto* graph);

  const GraphView& view_;
  UniqueNames* names_;
  onnx::GraphProto* main_;
  std::string shape_;  // the name of a constant [1]
  std::string third_;  // of the constant 1/3, once it is needed
};

}  // namespace ptq
